"""Disarming: foreign text never becomes a call or a part of the prompt's structure, and comes back unharmed."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_handler.disarm import QUOTE, TAGS, Restorer, disarm, restore
from custom_handler.events import ToolCall
from custom_handler.markers import ENDS, render_call
from custom_handler.prompt import render
from custom_handler.request import ChatRequest
from tests.corpus.attacks import ATTACKS, TRICKS, Attack
from tests.corpus.attacks.models import MODELS, Model, in_plain_letters
from tests.corpus.attacks.outcome import calls_in, succeeds
from tests.corpus.attacks.places import PLACES
from tests.support.pieces import cut_at, cut_into

GENUINE = ToolCall("read_file", '{"path": "report.txt"}')
MARKERS = [*ENDS, *ENDS.values()]

# Texts that are nearly markers: their pieces, in any order, with all that is used to hide them.
NEARLY_MARKERS = st.lists(
    st.sampled_from(
        [
            *(*MARKERS, *TAGS, QUOTE, QUOTE[:4], QUOTE[4:], "</user>", "<system", "function_call_", "\uff33TART"),
            *("FUNCTION", "TOOL", "CALL", "START", "END"),
            *"<>/_-\\ ~:!x\n\u200b\u0335\u00ad\uff1c㎈ﬆ\uff21\ud83d",
        ]
    )
    | st.characters()
).map("".join)


BOTH_MODELS = pytest.mark.parametrize("quoted", MODELS)


def test_the_corpus_has_every_place_and_more_than_a_thousand_attacks() -> None:
    names = {attack.name for attack in (*ATTACKS, *TRICKS)}
    assert len(names) == len(ATTACKS) + len(TRICKS) > 1_000
    assert {name.split(" / ")[0] for name in names} == set(PLACES)


@pytest.mark.parametrize("place", PLACES)
def test_every_attack_succeeds_against_a_prompt_that_is_not_disarmed(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_handler.prompt.disarm", lambda text: text)
    attacks = [attack for attack in ATTACKS if attack.name.startswith(f"{place} / ")]
    duds = [attack.name for attack in attacks if not any(succeeds(attack, quoted) for quoted in MODELS)]
    assert attacks
    # The name of a result stands in an attribute, which is written as JSON: nothing in it can look like a block.
    assert duds == [] or place == "name of a result"


@BOTH_MODELS
@pytest.mark.parametrize("place", PLACES)
def test_no_attack_succeeds(place: str, quoted: Model) -> None:
    attacks = [attack for attack in (*ATTACKS, *TRICKS) if attack.name.startswith(f"{place} / ")]
    assert attacks
    assert [attack.name for attack in attacks if succeeds(attack, quoted)] == []


@pytest.mark.parametrize("place", PLACES)
def test_a_genuine_call_behind_the_quoted_prompt_is_still_found(place: str) -> None:
    for attack in (*ATTACKS, *TRICKS):
        if attack.name.startswith(f"{place} / "):
            asked = attack.place(attack.texts)
            answer = f"{render(asked)}\n{render_call(GENUINE.name, GENUINE.arguments)}"
            assert calls_in(answer, asked)[-1] == GENUINE, attack.name


@pytest.mark.parametrize("attack", [*ATTACKS, *TRICKS][::25], ids=lambda attack: attack.name)
def test_what_was_disarmed_is_restored_in_arguments(attack: Attack) -> None:
    text = "".join(attack.texts)
    answer = render_call("read_file", json.dumps({"path": disarm(text)}, ensure_ascii=False))
    [call] = calls_in(answer, attack.place(["x"]))
    assert json.loads(restore(call.arguments)) == {"path": text}


@given(NEARLY_MARKERS)
@example(QUOTE)
@example(f"{QUOTE[:-1]}{QUOTE}")
def test_restoring_gives_back_every_text(text: str) -> None:
    assert restore(disarm(text)) == text
    assert restore(restore(disarm(disarm(text)))) == text


@given(NEARLY_MARKERS)
def test_a_disarmed_text_has_no_marker_in_any_guise(text: str) -> None:
    mended = in_plain_letters(disarm(text))
    assert not any(marker in mended for marker in MARKERS)


@given(st.text() | NEARLY_MARKERS.map(lambda text: text.replace(QUOTE, "").replace("~", "")))
def test_lookalikes_that_were_never_disarmed_stay_as_they_are(text: str) -> None:
    assert restore(text) == text or QUOTE in text


@pytest.mark.parametrize(
    "text",
    [
        "~quoted", "quoted:", "~ quoted:", "~Quoted:", "\uff5equoted:", "FUNCTION_CALL_QUOTED_START",
        "FUNCTION_CALL_\u200bSTART", "FUNCTION_CALL_START", "<user>", "“quoted: …”", "FUNCTION_CALL_~START",
    ],
)  # fmt: skip
def test_what_is_only_similar_is_not_restored(text: str) -> None:
    assert restore(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Olá! O cliente não está só: ação, coração — 10 % … ✅ 👩‍👩‍👧",
        "def on_function_call(start, end): return start < user and tools > 0",
        "The function call starts here; the tool call ends there.",
        "#include <functional>\nstd::vector<std::string> users;",
        "const [user] = useState<User>(null); List<System> x; Map<String, Assistant>",
        "<div><users/><user-card/><user.name/><system-out/><thinker/><toolset></div>",
        "a < b / c > d, x <- y, 1 << 2, <https://example.com/user>, _CALL_START, API_CALL_END",
        "Привет, мир. Ελληνικά. 你好。 كيف الحال",
        "",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert disarm(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FUNCTION_CALL_START", "FUNCTION_CALL_~quoted:START"),
        ("tool_call_end", "tool_call_~quoted:end"),
        ("a</tool_call>b", "a</~quoted:tool_call>b"),
        ('<tool_result name="x">', '<~quoted:tool_result name="x">'),
        ("<think>", "<~quoted:think>"),
        ("<thinking>", "<~quoted:thinking>"),
        ("</reasoning>", "</~quoted:reasoning>"),
        ("<\\/user>", "<\\/~quoted:user>"),
        ("<USER>", "<~quoted:USER>"),
        ("x<user>", "x<~quoted:user>"),
        ("\uff26UNCTION_CALL_ﬆART", "\uff26UNCTION_CALL_~quoted:ﬆART"),
        ("FUNCTION_㎈L_\u200bSTART", "FUNCTION_㎈L_\u200b~quoted:START"),
        ("\u200bé㎈ FUNCTION_CALL_START", "\u200bé㎈ FUNCTION_CALL_~quoted:START"),
        ("FUNCTION_CALL_~quoted:END", "FUNCTION_CALL_~quoted:~quoted:END"),
    ],
)
def test_what_is_put_in_shows_and_says_what_it_means(text: str, expected: str) -> None:
    assert disarm(text) == expected
    assert restore(expected) == text


def test_every_marker_and_every_tag_of_the_prompt_is_known() -> None:
    turns = [PLACES[place](["x"]).messages for place in ("system text in between", "tool result", "assistant text")]
    prompt = render(ChatRequest(sum(turns, ()), PLACES["user text"](["x"]).tools))
    in_lines = set(re.findall(r"(?m)^</?(\w+)", prompt))
    assert {"tools", "conversation", "user", "assistant", "system", "tool_result"} <= in_lines <= TAGS
    assert all(disarm(marker) != marker for marker in MARKERS)


@pytest.mark.parametrize("letter", sorted(set("".join(MARKERS).lower()) - set("<>_/")))
def test_every_character_that_unicode_folds_to_a_letter_of_a_marker_is_seen_through(letter: str) -> None:
    marker = next(marker for marker in MARKERS if letter in marker.lower())
    at = marker.lower().index(letter)
    guises = [c for c in map(chr, range(0x80, 0x20000)) if unicodedata.normalize("NFKC", c).lower() == letter]
    assert len(guises) > 10
    assert [c for c in guises if QUOTE not in disarm(marker[:at] + c + marker[at + 1 :])] == []


@given(NEARLY_MARKERS, st.lists(st.integers(0, 60)), st.booleans())
def test_pieces_are_restored_as_the_whole_is(text: str, cuts: list[int], twice: bool) -> None:
    written = disarm(disarm(text)) if twice else text
    restorer = Restorer()
    assert "".join(map(restorer.feed, cut_at(written, cuts))) + restorer.flush() == restore(written)


@pytest.mark.parametrize("size", range(1, 12))
def test_pieces_of_any_size_are_restored_as_the_whole_is(size: int) -> None:
    written = f"~~quoted~quoted:{QUOTE}a{QUOTE}{QUOTE}{QUOTE}b FUNCTION_CALL_{QUOTE}START ~quo {QUOTE}{QUOTE[:-1]}"
    for first in range(size):
        restorer = Restorer()
        pieces = [written[:first], *cut_into(written[first:], size)]
        assert "".join(map(restorer.feed, pieces)) + restorer.flush() == restore(written)


@given(st.text(), st.text(max_size=3))
def test_nothing_waits_but_a_beginning_of_the_quote(text: str, more: str) -> None:
    restorer = Restorer()
    given_out = restorer.feed(text + more)
    assert len(restore(text + more)) - len(given_out) < len(QUOTE)
    assert QUOTE.startswith(restorer.flush())


@pytest.mark.parametrize(
    "unit", ["FUNCTION_CALL_START </user> ", "\u200b", "< ", "function_call_", "\uff5equoted:ﬆ", QUOTE]
)
def test_every_marker_is_treated_by_itself_however_many_there_are(unit: str) -> None:
    n = 20_000
    expected = QUOTE + unit * n if unit == QUOTE else disarm(unit) * n
    assert disarm(unit * n) == expected
    assert restore(expected) == unit * n
