"""The deterministic agent: which tool it calls, and what it says."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.agent import Agent, respond
from emulator.prompt_reading import read_prompt

WEATHER = {
    "name": "get_weather",
    "description": "Get the current weather for a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
READ = {
    "name": "read_file",
    "description": "Read a file from disk.",
    "parameters": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
}
SHELL = {
    "name": "bash",
    "description": "Run a shell command.",
    "parameters": {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
}
FINAL = {
    "name": "final_answer",
    "description": "Give the answer.",
    "parameters": {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]},
}
TOOLS = (WEATHER, READ, SHELL)
Turns = tuple[tuple[str, str], ...]


def prompt_of(*turns: tuple[str, str], tools: tuple[dict[str, Any], ...] = TOOLS, rules: str = "") -> str:
    """A prompt in the proxy's format; a turn is its tag, with attributes, and its text."""
    declared = "\n".join([rules, *(json.dumps(tool) for tool in tools)])
    said = "\n".join(f"<{tag}>\n{text}\n</{tag.split()[0]}>" for tag, text in turns)
    section = f"<tools>\n{declared}\n</tools>\n\n" if tools else ""
    return f"You are helpful.\n\n{section}<conversation>\n{said}\n</conversation>\n\nWrite the next message."


def answer(*turns: tuple[str, str], **more: Any) -> str:
    return respond(read_prompt(prompt_of(*turns, **more)))


def call(name: str, arguments: str) -> str:
    return f"FUNCTION_CALL_START\n{name}\narguments: {arguments}\nFUNCTION_CALL_END"


def called(text: str) -> tuple[str, Any]:
    """The one call in an answer."""
    start, name, arguments, end = text.split("\n")
    assert (start, end) == ("FUNCTION_CALL_START", "FUNCTION_CALL_END")
    return name, json.loads(arguments.removeprefix("arguments: "))


@pytest.mark.parametrize(
    ("message", "name", "arguments"),
    [
        ("What is the weather in Recife?", "get_weather", {"city": "Recife"}),
        ("Qual é o clima em São Paulo?", "get_weather", {"city": "São Paulo"}),
        ("Como está o tempo em Lisboa?", "get_weather", {"city": "Lisboa"}),
        ("Please read the file notes.txt", "read_file", {"path": "notes.txt"}),
        ("Leia o arquivo src/a.py", "read_file", {"path": "src/a.py"}),
        ("read README.md", "read_file", {"path": "README.md"}),
        ("Run the command `ls -la`", "bash", {"command": "ls -la"}),
        ("Rode o comando `pwd`", "bash", {"command": "pwd"}),
        (
            "<task>\nread a.txt\n</task>\n<environment>\nweather command shell\n</environment>",
            "read_file",
            {"path": "a.txt"},
        ),
        ("<system-reminder>read the file b.txt</system-reminder>weather in Recife", "get_weather", {"city": "Recife"}),
    ],
)
def test_a_message_that_asks_for_a_tool_gets_its_call(message: str, name: str, arguments: dict[str, Any]) -> None:
    assert called(answer(("user", message))) == (name, arguments)


@pytest.mark.parametrize(
    "message",
    [
        "Olá, quem é você?",
        "Hello!",
        "Obrigado!",
        "Tell me a joke",
        "What can you do?",
        "I like my file",
        "Escreva um poema sobre o mar",
        "2+2",
        "use a knife",
        "<system-reminder>read the file b.txt</system-reminder>hello",
        "",
    ],
)
def test_small_talk_calls_nothing(message: str) -> None:
    assert "FUNCTION_CALL" not in answer(("user", message))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('call get_weather {"city": "Olinda"}', call("get_weather", '{"city": "Olinda"}')),
        ('use `read_file` {"path": "a"}', call("read_file", '{"path": "a"}')),
        ('chame get_weather {"city":"Natal"}', call("get_weather", '{"city":"Natal"}')),
        ('Use a ferramenta read_file com {"path": "a"}.', call("read_file", '{"path": "a"}')),
        ('use the tool "bash" with {"command": "ls"}', call("bash", '{"command": "ls"}')),
        ("call get_weather.", call("get_weather", '{"city": "city"}')),
        ("call get_weather for Recife", call("get_weather", '{"city": "Recife"}')),
        ("call no_such_tool {}", call("no_such_tool", "{}")),
        ('call get_weather {"city": 7, "extra": [1.0]}', call("get_weather", '{"city": 7, "extra": [1.0]}')),
        ('call get_weather {"city": "call bash {}"}', call("get_weather", '{"city": "call bash {}"}')),
        ("call get_weather {broken}", call("get_weather", '{"city": "city"}')),
        ('call get_weather {"city": NaN}', call("get_weather", '{"city": "city"}')),
        ("call get_weather " + "[{" * 9999, call("get_weather", '{"city": "city"}')),
    ],
)
def test_an_order_is_carried_out_as_it_was_written(message: str, expected: str) -> None:
    assert answer(("user", message)) == expected


ORDERS = 'First call read_file {"path": "a"}, then call get_weather {"city": "B"}, then call bash {"command": "c"}'
CALLS = (call("read_file", '{"path": "a"}'), call("get_weather", '{"city": "B"}'), call("bash", '{"command": "c"}'))


def test_orders_are_carried_out_one_after_the_other() -> None:
    turns: Turns = (("user", ORDERS),)
    for expected in CALLS:
        assert answer(*turns) == expected
        turns = (*turns, ("assistant", expected), ('tool_result name="x"', "done"))
    assert answer(*turns) == "x answered: done\nx answered: done\nx answered: done"


@pytest.mark.parametrize("word", ["in parallel", "em paralelo"])
def test_parallel_orders_are_carried_out_in_one_answer(word: str) -> None:
    assert answer(("user", f"{ORDERS} {word}")) == "\n".join(CALLS)


def test_parallel_orders_are_not_carried_out_together_where_one_call_is_allowed() -> None:
    rules = "- Make at most one call in an answer."
    assert answer(("user", f"{ORDERS} in parallel"), rules=rules) == CALLS[0]


def test_an_order_takes_its_arguments_from_its_own_part_of_the_message() -> None:
    text = answer(("user", "in parallel: call get_weather for Recife and call read_file on 'b.txt'"))
    assert text == "\n".join([call("get_weather", '{"city": "Recife"}'), call("read_file", '{"path": "b.txt"}')])


def test_only_the_last_message_of_the_user_gives_orders() -> None:
    assert answer(("user", ORDERS), ("assistant", "no"), ("user", "thanks")) == "You are welcome."


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("weather in Recife", 'get_weather answered: {"temp": 31}'),
        ("Qual é o clima em Recife?", 'get_weather respondeu: {"temp": 31}'),
    ],
)
def test_a_result_is_told_in_the_language_of_the_question(message: str, expected: str) -> None:
    made = call("get_weather", '{"city": "Recife"}')
    assert (
        answer(("user", message), ("assistant", made), ('tool_result name="get_weather"', '{"temp": 31}')) == expected
    )


def test_several_results_are_all_told() -> None:
    results = (('tool_result name="a" call="1"', "one"), ('tool_result name="b" call="2"', "two"))
    assert answer(("user", "go"), ("assistant", call("a", "{}")), *results) == "a answered: one\nb answered: two"


def test_an_empty_result_is_told_as_done() -> None:
    assert answer(("user", "go"), ("assistant", call("a", "{}")), ('tool_result name="a"', "")) == "Done."


def test_a_long_result_is_cut() -> None:
    text = answer(("user", "go"), ("assistant", call("a", "{}")), ('tool_result name="a"', "x" * 10_000))
    assert len(text) < 400
    assert text.endswith("…")


def test_results_are_told_though_the_request_brings_no_tools() -> None:
    assert answer(("user", "go"), ("assistant", "…"), ('tool_result name="a"', "one"), tools=()) == "a answered: one"


def test_nothing_is_called_without_tools() -> None:
    assert "FUNCTION_CALL" not in answer(("user", ORDERS), tools=())


MUST = "- This answer must contain at least one call."


def test_a_named_tool_is_called_when_the_rules_say_so() -> None:
    assert called(answer(("user", "hello"), rules="- This answer must call read_file."))[0] == "read_file"


def test_some_tool_is_called_when_the_rules_demand_a_call() -> None:
    assert called(answer(("user", "weather in Recife"), rules=MUST)) == ("get_weather", {"city": "Recife"})
    assert called(answer(("user", "hello"), rules=MUST))[0] in {tool["name"] for tool in TOOLS}


def test_a_demanded_call_gives_the_final_answer_where_there_is_a_tool_for_that() -> None:
    tools = (*TOOLS, FINAL)
    assert called(answer(("user", "hello"), rules=MUST, tools=tools)) == ("final_answer", {"answer": "hello"})
    done: Turns = (
        ("user", "weather in Recife"),
        ("assistant", call("get_weather", "{}")),
        ('tool_result name="get_weather"', "31 degrees"),
    )
    assert called(answer(*done, rules=MUST, tools=tools)) == ("final_answer", {"answer": "31 degrees"})


def test_a_name_that_no_tool_has_is_demanded_in_vain() -> None:
    assert called(answer(("user", "hello"), rules="- This answer must call nothing."))[0] in {t["name"] for t in TOOLS}


def test_a_tool_is_found_by_its_description_alone_when_it_says_most_of_the_message() -> None:
    tool = {"name": "x1", "description": "Converts currency between dollars and euros", "parameters": {"properties": 7}}
    assert called(answer(("user", "convert dollars to euros"), tools=(tool,))) == ("x1", {})
    assert "FUNCTION_CALL" not in answer(("user", "dollars are green like grass and leaves"), tools=(tool,))


def test_the_better_match_of_two_tools_is_called() -> None:
    write = {**READ, "name": "write_file", "description": "Write a file to disk."}
    assert called(answer(("user", "write the file a.txt"), tools=(READ, write)))[0] == "write_file"
    assert called(answer(("user", "read the file a.txt"), tools=(write, READ)))[0] == "read_file"


def test_a_conversation_without_a_user_is_answered() -> None:
    assert answer(("assistant", "hello")) != ""


LINES = st.sampled_from(
    [
        *prompt_of(("user", ORDERS), ("assistant", CALLS[0]), ('tool_result name="read_file"', "x")).split("\n"),
        *("call get_weather", "in parallel", MUST, "what is my name?", "my name is Ana", "1+(2", "<task>", "</task>"),
    ]
)


@given(st.lists(LINES | st.text(max_size=12), max_size=30).map("\n".join))
def test_any_text_gets_an_answer_always_the_same_and_every_call_is_json(text: str) -> None:
    first, second = (respond(read_prompt(text)) for _ in range(2))
    assert first == second != ""
    for line in first.split("\n"):
        if line.startswith("arguments: "):
            json.loads(line.removeprefix("arguments: "))


@given(st.text())
def test_any_plain_text_gets_an_answer(text: str) -> None:
    assert respond(read_prompt(text))


def test_the_agent_answers_in_pieces_and_counts_four_characters_a_token() -> None:
    agent = Agent()
    assert list(agent.answer(read_prompt("Say abcdefghij"))) == ["abcd", "efgh", "ij"]
    assert [agent.count_tokens(text) for text in ("", "abc", "abcdefgh")] == [1, 1, 2]
    assert not agent.blocking
