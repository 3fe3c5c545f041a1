"""Which answers only announce an action, measured on corpora in two languages, and which never count as one."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_handler.announcement import announces_action
from custom_handler.request import Tool
from tests.corpus.thresholds import PRECISION
from tests.support.announcements import AGENTS, LANGUAGES, NEGATIVE, PARTS, POSITIVE, score

NEVER = (
    "question",
    "report",
    "refusal",
    "approval",
    "destructive",
    "conditional",
    "offer",
    "no_tool",
    "later",
    "quoted",
)
CODING = AGENTS["coding"]
ANNOUNCEMENTS = [case for language in LANGUAGES for case in POSITIVE[language] if case.announces]


def announcing(change: Callable[[str], str]) -> list[str]:
    """What still announces an action after the same change to every known announcement."""
    changed = ((change(case.text), AGENTS[case.agent]) for case in ANNOUNCEMENTS)
    return [text for text, tools in changed if announces_action(text, tools)]


# The corpora


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_corpora_are_large_and_no_case_counts_twice(language: str) -> None:
    positive, negative = set(POSITIVE[language]), set(NEGATIVE[language])
    assert len(positive) == len(POSITIVE[language]) >= 200
    assert len(negative) == len(NEGATIVE[language]) >= 400


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_announcements_are_told_from_other_answers(language: str, part: str) -> None:
    measured = score(language, part)
    assert measured.precision >= PRECISION
    assert measured.recall >= 0.9


@pytest.mark.parametrize("category", NEVER)
@pytest.mark.parametrize("language", LANGUAGES)
def test_some_answers_never_count_as_announcements(language: str, category: str) -> None:
    cases = [case for case in NEGATIVE[language] if case.category == category]
    assert cases
    assert [case.text for case in cases if case.announces] == []


# Any text


@given(
    text=st.text(),
    tools=st.lists(st.builds(Tool, name=st.text(min_size=1), description=st.text(), parameters=st.just({}))),
)
@example(text="\ufdfa", tools=[Tool("read", "", {})])
@example(text="文件。", tools=[Tool("read", "", {})])
@example(text="_", tools=[Tool("_", "_", {})])
def test_any_text_and_any_tools_get_an_answer(text: str, tools: list[Tool]) -> None:
    assert announces_action(text, tools) in (True, False)


def test_without_tools_there_is_nothing_to_announce() -> None:
    assert [case.text for case in ANNOUNCEMENTS if announces_action(case.text, ())] == []


@pytest.mark.parametrize("end", ["?", " ?", "?**", "?\n", "? 🙂", "?)", "?!", "? _"])
def test_a_question_is_never_an_announcement(end: str) -> None:
    assert announcing(lambda text: text.rstrip(".…!") + end) == []


@pytest.mark.parametrize(
    "added",
    [
        "Posso?",
        "Shall I?",
        "Then I'll push it.",
        "Depois vou apagar o arquivo.",
        "After that I'll deploy.",
        "Em seguida, faço o deploy.",
        "Me avise se concordar.",
        "Let me know.",
        "```python\nprint(1)\n```",
        "\n| a | b |\n|---|---|\n| 1 | 2 |",
    ],
)
def test_what_follows_an_announcement_can_take_it_back(added: str) -> None:
    assert announcing(lambda text: f"{text} {added}") == []


@pytest.mark.parametrize("paragraphs", [1, 20, 2_000])
def test_only_the_end_of_an_answer_counts(paragraphs: int) -> None:
    before = "O projeto tem três módulos. You can delete the cache if you like?\n```\nx = 1\n```\n\n" * paragraphs
    assert len(announcing(lambda text: f"{before}O resto segue igual. {'Nada mudou. ' * 2}\n\n{text}")) == len(
        ANNOUNCEMENTS
    )


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        partial(unicodedata.normalize, "NFD"),
        lambda text: text.replace("'", "\u2019"),
        lambda text: f"**{text}**",
    ],
    ids=["case", "accents", "apostrophes", "emphasis"],
)
def test_how_it_is_written_does_not_matter(change: Callable[[str], str]) -> None:
    assert len(announcing(change)) == len(ANNOUNCEMENTS)


def test_what_lies_before_the_end_is_not_even_read() -> None:
    """A hit would need the whole of it: the promise stands four million characters before the end."""
    assert not announces_action("Let me run the tests. " + "\n" * 4_000_000 + "Done.", CODING)
    assert announces_action("Let me " * 600_000 + "\n\nLet me run the tests.", CODING)


# Tools


@pytest.mark.parametrize(
    ("text", "name", "description"),
    [
        ("Vou ler o arquivo agora.", "read_file", ""),
        ("Vou ler o arquivo agora.", "ReadFile", ""),
        ("Vou ler o arquivo agora.", "fs", "Reads a file."),
        ("Let me read the file.", "ler_arquivo", ""),
        ("Let me read the file.", "arquivo", "Lê um arquivo."),
        ("Let me run the tests.", "Bash", ""),
        ("Let me check the balance.", "consultar_saldo", ""),
        ("Vou consultar o saldo.", "getBalance", ""),
        ("I'll call `frobnicate` now.", "frobnicate", "Frobnicates."),
        ("Vou usar a ferramenta frobnicate.", "frobnicate", ""),
    ],
)
def test_a_tool_is_known_by_its_kind_in_either_language(text: str, name: str, description: str) -> None:
    assert announces_action(text, [Tool(name, description, {})])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tools_of_known_coding_agents_are_recognised(language: str) -> None:
    announced = {"pt": ["Vou ler o `a.py`.", "Vou rodar os testes.", "Vou procurar a classe.", "Vou editar o `a.py`."]}
    announced["en"] = ["I'll read `a.py`.", "Let me run the tests.", "Let me search for it.", "I'll edit `a.py`."]
    for names in (
        "Read Bash Grep Edit",
        "read_file execute_command search_files replace_in_file",
        "view bash rg patch",
    ):
        for text, name in zip(announced[language], names.split(), strict=True):
            assert announces_action(text, [Tool(name, "", {})]), (text, name)


@pytest.mark.parametrize(
    ("text", "name", "description"),
    [
        ("Vou ler o arquivo agora.", "get_weather", "Get the weather."),
        ("Let me run the tests.", "read_file", "Read a file. Do not use it to run anything."),
        ("I'll call `frobnicate` now.", "get_weather", "Get the weather."),
        ("I'll call `delete_file` now.", "delete_file", "Delete a file."),
        ("Vou executar agora.", "execute_payment", ""),
        ("Vou criar uma obra de arte.", "create_file", "Create a file."),
        ("Vou criar uma estratégia.", "create_file", "Create a file."),
    ],
)
def test_an_announcement_that_no_tool_fits_does_not_count(text: str, name: str, description: str) -> None:
    assert not announces_action(text, [Tool(name, description, {})])


# What is looked at may be destructive by name; what is run or changed may not


@pytest.mark.parametrize(
    "text",
    [
        "Let me read `delete_user.py`.",
        "Vou ler o arquivo `src/deploy.yml`.",
        "Let me check the last push.",
        "Vou ler o script de deploy.",
        "Vou verificar o status do pagamento.",
    ],
)
def test_what_is_destructive_may_be_looked_at(text: str) -> None:
    assert announces_action(text, CODING)


@pytest.mark.parametrize(
    "text",
    [
        "I'll run `./deploy.sh`.",
        "Let me check the status by running `./deploy.sh`.",
        "Vou executar `scripts/delete_user.py`.",
        "Let me check the status and do the push.",
        "Vou verificar o status e fazer o deploy.",
        "Vou rodar o script de pagamento.",
        "Vou ler o arquivo e apagá-lo.",
        "Vou apagar o `a.py`. Em seguida, vou rodar os testes.",
        "I'll delete `a.py`. I'll create `b.py`. Then I'll run the tests.",
        "I'll run the job that sends the mails.",
        "Let me read the file. Then I'll run the payroll.",
        "The command is `terraform apply`. Let me run it.",
        "Let me check it by running the tests and the payroll.",
        "I'll run `some-unknown-command`.",
        "I'll run the tests and `some-unknown-command`, then run the payroll.",
    ],
)
def test_what_is_destructive_may_not_be_done(text: str) -> None:
    assert not announces_action(text, CODING)
