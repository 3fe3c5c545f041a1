"""The parser: which text becomes a call, and that nothing depends on where the text was cut."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handler.events import CallArguments, CallBegan, CallEnded, Reasoning, Text, ToolCall
from custom_handler.markers import ENDS, length_begun, render_call
from custom_handler.parser import CallParser
from tests.support.content import Broken, Item, joined
from tests.support.pieces import cut_at, cut_into

TOOLS = ("get_weather", "run")


def parse(*pieces: str, tools: tuple[str, ...] = TOOLS) -> list[Item]:
    """Everything the parser gives for `pieces`, with neighbouring pieces joined and calls put together."""
    parser = CallParser(tools)
    return joined([item for piece in pieces for item in parser.feed(piece)] + parser.flush())


CALL = render_call("get_weather", '{"city": "Recife"}')
RECIFE = ToolCall("get_weather", '{"city": "Recife"}')

UNDECLARED = render_call("function_name", '{"param": "value"}')
TALK_ABOUT_TAGS = (
    "`<think>`, \"<thinking>\", '<thought>', \\<think>, List<Thought>, <thinker>, <think/>, <think\n>\n"
    "```\n<think>\n```"
)

ANSWERS = {
    "plain text": ("Olá! Como vai?", [Text("Olá! Como vai?")]),
    "one call": (CALL, [RECIFE]),
    "text before a call": (f"I'll check.\n\n{CALL}", [Text("I'll check.\n\n"), RECIFE]),
    "text after a call": (f"{CALL}\nDone.", [RECIFE, Text("\nDone.")]),
    "text between calls": (f"{CALL}\nand\n{CALL}", [RECIFE, Text("\nand\n"), RECIFE]),
    "calls in a row": (f"{CALL}\n\n{CALL}\n{CALL}", [RECIFE, RECIFE, RECIFE]),
    "blank lines before a call": (f"\n\n {CALL}\n", [RECIFE]),
    "only white space": (" \n ", [Text(" \n ")]),
    "no arguments line": ("FUNCTION_CALL_START\nrun\nFUNCTION_CALL_END", [ToolCall("run", "{}")]),
    "empty arguments line": ("FUNCTION_CALL_START\nrun\narguments:\nFUNCTION_CALL_END", [ToolCall("run", "{}")]),
    "empty arguments": ("FUNCTION_CALL_START\nrun\narguments: {}\nFUNCTION_CALL_END", [ToolCall("run", "{}")]),
    "arguments on the next line": (
        'FUNCTION_CALL_START\nrun\narguments:\n{\n "a": [1, {"b": 2}]\n}\nFUNCTION_CALL_END',
        [ToolCall("run", '{\n "a": [1, {"b": 2}]\n}')],
    ),
    "named with function_name": (
        'FUNCTION_CALL_START\nfunction_name: run\narguments: {"a": 1}\nFUNCTION_CALL_END',
        [ToolCall("run", '{"a": 1}')],
    ),
    "other markers around one object": (
        'TOOL_CALL_START\n{"function_name": "run", "arguments": {"a": "é"}}\nTOOL_CALL_END',
        [ToolCall("run", '{"a": "é"}')],
    ),
    "tags around one object": (
        '<tool_call>{"name": "run", "arguments": {}}</tool_call>',
        [ToolCall("run", "{}")],
    ),
    "tags around several objects": (
        '<tool_call>[{"name": "run"}, {"name": "run", "arguments": "{\\"a\\": 2}"}]</tool_call>',
        [ToolCall("run", "{}"), ToolCall("run", '{"a": 2}')],
    ),
    "markers inside a string": (
        render_call("run", '{"code": "FUNCTION_CALL_END }] \\" FUNCTION_CALL_START <tool_call>"}'),
        [ToolCall("run", '{"code": "FUNCTION_CALL_END }] \\" FUNCTION_CALL_START <tool_call>"}')],
    ),
    "backslash at the end of a string": (
        render_call("run", '{"path": "C:\\\\"}') + "ok",
        [ToolCall("run", '{"path": "C:\\\\"}'), Text("ok")],
    ),
    "raw line breaks in a string": (
        'FUNCTION_CALL_START\nrun\narguments: {"code": "a\n\tb"}\nFUNCTION_CALL_END',
        [ToolCall("run", '{"code": "a\\n\\tb"}')],
    ),
    "no end marker": ('FUNCTION_CALL_START\nrun\narguments: {"a": 1}', [ToolCall("run", '{"a": 1}')]),
    "no end marker, then text": (
        'FUNCTION_CALL_START\nrun\narguments: {"a": 1}\nDone',
        [ToolCall("run", '{"a": 1}'), Text("Done")],
    ),
    "an unknown tool": (
        'FUNCTION_CALL_START\nrm\narguments: {"a": 1}\nFUNCTION_CALL_END',
        [Broken('FUNCTION_CALL_START\nrm\narguments: {"a": 1}\nFUNCTION_CALL_END')],
    ),
    "an unknown tool in an object": (
        '<tool_call>{"name": "rm", "arguments": {}}</tool_call>',
        [Broken('<tool_call>{"name": "rm", "arguments": {}}</tool_call>')],
    ),
    "markers in prose": (
        "Write FUNCTION_CALL_START, a name, and FUNCTION_CALL_END.",
        [Text("Write FUNCTION_CALL_START, a name, and FUNCTION_CALL_END.")],
    ),
    "a marker and much prose": (f"<tool_call> {'word ' * 200}{{}}", [Text(f"<tool_call> {'word ' * 200}{{}}")]),
    "a quoted marker before a call": (
        f"`FUNCTION_CALL_START` begins it:\n{CALL}",
        [Text("`FUNCTION_CALL_START` begins it:\n"), RECIFE],
    ),
    "arguments that are no object": (
        "FUNCTION_CALL_START\nrun\narguments: [1]\nFUNCTION_CALL_END",
        [Broken("FUNCTION_CALL_START\nrun\narguments: [1]\nFUNCTION_CALL_END")],
    ),
    "arguments that are no JSON": (
        "FUNCTION_CALL_START\nrun\narguments: {a}\nFUNCTION_CALL_END",
        [Broken("FUNCTION_CALL_START\nrun\narguments: {a}\nFUNCTION_CALL_END")],
    ),
    "numbers that are no JSON": (
        'FUNCTION_CALL_START\nrun\narguments: {"a": NaN}\nFUNCTION_CALL_END',
        [Broken('FUNCTION_CALL_START\nrun\narguments: {"a": NaN}\nFUNCTION_CALL_END')],
    ),
    "an object whose arguments are no JSON": (
        '<tool_call>{"name": "run", "arguments": "{"}</tool_call>',
        [Broken('<tool_call>{"name": "run", "arguments": "{"}</tool_call>')],
    ),
    "an object without a name": ("<tool_call>{}</tool_call>", [Broken("<tool_call>{}</tool_call>")]),
    "a list of no calls": ("<tool_call>[1]</tool_call>", [Broken("<tool_call>[1]</tool_call>")]),
    "the beginning of a marker at the end": ("See FUNCTION_CALL_", [Text("See FUNCTION_CALL_")]),
    "a marker and nothing more": ("See FUNCTION_CALL_START\n", [Text("See FUNCTION_CALL_START\n")]),
    "a marker and a name in a sentence": ("It is FUNCTION_CALL_START run", [Text("It is FUNCTION_CALL_START run")]),
    "a marker and no name of a tool": ("FUNCTION_CALL_START\nruns", [Text("FUNCTION_CALL_START\nruns")]),
    "a marker and a name that is not all of one": (
        "FUNCTION_CALL_START\nru\n",
        [Text("FUNCTION_CALL_START\nru\n")],
    ),
    "a quoted name behind a label, another label": (
        'FUNCTION_CALL_START\nfunction_name: `run`\nArguments: {"a": 1}\nFUNCTION_CALL_END',
        [ToolCall("run", '{"a": 1}')],
    ),
    "a name in quotes behind a label": (
        'FUNCTION_CALL_START\nfunction_name: "run"\narguments: "{}"\nFUNCTION_CALL_END',
        [ToolCall("run", "{}")],
    ),
    "a name in quotes": ('FUNCTION_CALL_START\n"run"\nFUNCTION_CALL_END', [ToolCall("run", "{}")]),
    "null for the arguments": ("FUNCTION_CALL_START\nrun\nARGUMENTS: null\nFUNCTION_CALL_END", [ToolCall("run", "{}")]),
    "None for the arguments": (
        "FUNCTION_CALL_START\nrun\narguments:\n```\nNone\n```\nFUNCTION_CALL_END",
        [ToolCall("run", "{}")],
    ),
    "one object in another order, no end marker": (
        '<tool_call>{"arguments":{"a":1},"name":"run"}',
        [ToolCall("run", '{"a": 1}')],
    ),
    "one object in another order, no end marker, then text": (
        "<tool_call>{'arguments': {'a': 1}, 'name': 'run'}\nDone.",
        [ToolCall("run", '{"a": 1}'), Text("Done.")],
    ),
    "an array, no end marker": (
        '<tool_call>[{"id": 1, "name": "run", "arguments": {}}, {"name": "run"}]',
        [ToolCall("run", "{}"), ToolCall("run", "{}")],
    ),
    "one object without arguments, no end marker": (
        'TOOL_CALL_START\n{"function_name": "run"}',
        [ToolCall("run", "{}")],
    ),
    "one object that is no call, no end marker, then a call": (
        f'<tool_call>{{"a": 1}}\n{CALL}',
        [Text('<tool_call>{"a": 1}\n'), RECIFE],
    ),
    "a marker in arguments that are a string of no JSON": (
        'FUNCTION_CALL_START\nrun\narguments: "a FUNCTION_CALL_END b"\nFUNCTION_CALL_END\nDone',
        [Broken('FUNCTION_CALL_START\nrun\narguments: "a FUNCTION_CALL_END b"\nFUNCTION_CALL_END'), Text("\nDone")],
    ),
    "an unescaped object in a string": (
        'FUNCTION_CALL_START\nrun\narguments: {"a":"{"b": "c", "l": ["q"]}"}\nFUNCTION_CALL_END\nDone.',
        [Broken('FUNCTION_CALL_START\nrun\narguments: {"a":"{"b": "c", "l": ["q"]}"}\nFUNCTION_CALL_END\nDone.')],
    ),
    "an unknown tool without an end marker, then blank lines": (
        'FUNCTION_CALL_START\nrm\narguments: {"a": 1}\n\n Done',
        [Text('FUNCTION_CALL_START\nrm\narguments: {"a": 1}\n\n Done')],
    ),
    "an unknown tool in a code block": (
        f"For example:\n```json\n{UNDECLARED}\n```\nThat is all.",
        [Text(f"For example:\n```json\n{UNDECLARED}\n```\nThat is all.")],
    ),
    "an unknown tool among other code": (
        f"```\nx\n{render_call('f', '{<JSON>}')}\n{render_call('g', '{}')}\n```\n{CALL}",
        [Text(f"```\nx\n{render_call('f', '{<JSON>}')}\n{render_call('g', '{}')}\n```\n"), RECIFE],
    ),
    "an unknown tool behind a call in its code block": (
        f"```\n{CALL}\n{render_call('g', '{}')}\n```",
        [RECIFE, Broken(render_call("g", "{}"))],
    ),
    "a name without arguments in a sentence": (
        "The form is FUNCTION_CALL_START run FUNCTION_CALL_END.",
        [Text("The form is FUNCTION_CALL_START run FUNCTION_CALL_END.")],
    ),
    "a name and a placeholder in a sentence": (
        "The form is FUNCTION_CALL_START run arguments: <JSON> FUNCTION_CALL_END.",
        [Text("The form is FUNCTION_CALL_START run arguments: <JSON> FUNCTION_CALL_END.")],
    ),
    "a name without arguments behind text and a line break": (
        "Now FUNCTION_CALL_START\nrun\nFUNCTION_CALL_END",
        [Text("Now "), ToolCall("run", "{}")],
    ),
    "arguments in a sentence": (f"Now {CALL}", [Text("Now "), RECIFE]),
    "calls without arguments, indented, fenced, side by side": (
        "So:\n  ```\n  {0}{0}\n```\n {0}".format("FUNCTION_CALL_START\nrun\nFUNCTION_CALL_END"),
        [Text("So:\n  "), *[ToolCall("run", "{}")] * 3],
    ),
    "an invented result": (f'{CALL}\n<tool_result name="run">\n1', [RECIFE]),
    "an invented result behind text": (
        f'{CALL}\nResult:\n <tool_result name="x">FAKE\n{CALL}',
        [RECIFE, Text("\nResult:\n ")],
    ),
    "a result within a line": (f"{CALL}\nIn <tool_result> tags", [RECIFE, Text("\nIn <tool_result> tags")]),
    "a result in a conversation that is quoted": (
        f"{CALL}\n</assistant>\n<tool_result>\n1\n{CALL}",
        [RECIFE, Text("\n</assistant>\n<tool_result>\n1\n"), RECIFE],
    ),
    "a result and no call": ("<tool_result>", [Text("<tool_result>")]),
    "a call in thoughts within a line": (
        f"Hm <think>\n{CALL}\n</think>ok",
        [Text("Hm "), Reasoning(f"\n{CALL}\n"), Text("ok")],
    ),
    "a call in thoughts in capitals": (f"<THINK>{CALL}</Think>", [Reasoning(CALL)]),
    "a call in thoughts with an attribute": (f"<thinking budget=1>{CALL}</thinking>ok", [Reasoning(CALL), Text("ok")]),
    "a call in other thoughts": (f"a<thought>{CALL}</think></thought>", [Text("a"), Reasoning(f"{CALL}</think>")]),
    "a reasoning tag that is talked about": (TALK_ABOUT_TAGS, [Text(TALK_ABOUT_TAGS)]),
}


@pytest.mark.parametrize(("text", "expected"), ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 11, 23, 10_000])
def test_an_answer_reads_the_same_however_it_is_cut(text: str, expected: list[Item], size: int) -> None:
    assert parse(*cut_into(text, size)) == expected


@pytest.mark.parametrize("value", ["5", "account=1", "'{}'", '[{"a": 1}]', "nullable", "null 5", "<JSON>"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_arguments_that_nobody_can_read_are_asked_for_once_more(value: str, size: int) -> None:
    text = f"FUNCTION_CALL_START\nrun\narguments: {value}\nFUNCTION_CALL_END"
    assert parse(*cut_into(f"{text}\nDone", size)) == [Broken(text), Text("\nDone")]


@pytest.mark.parametrize(
    "text",
    [
        'FUNCTION_CALL_START\nrun\narguments: {"a": ',
        '<tool_call>[{"name": "run", "x',
        "FUNCTION_CALL_START\nrun\narguments:",
        "FUNCTION_CALL_START\nrun\narguments: nul",
        "FUNCTION_CALL_START\nrun",
        "```\nFUNCTION_CALL_START\nrun\nFUNCTION_CALL_EN",
        "FUNCTION_CALL_START \r\n`get_we",
        "FUNCTION_CALL_START\nfunction_na",
        "FUNCTION_CALL_START\nfunction_name: ",
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_call_that_the_answer_ends_in_is_broken(text: str, size: int) -> None:
    assert parse("ok ", *cut_into(text, size)) == [Text("ok "), Broken(text, cut=True)]


def test_deep_nesting_is_no_crash() -> None:
    arguments = '{"a":' + "[" * 100_000 + "]" * 100_000 + "}"
    parser = CallParser(TOOLS)
    content = parser.feed(render_call("run", arguments)) + parser.flush()
    assert "".join(item.text for item in content if isinstance(item, CallArguments)) == arguments


def test_without_tools_everything_is_text() -> None:
    assert parse(CALL, tools=()) == [Text(CALL)]
    assert parse("", tools=()) == []


PROSE_BEHIND_A_MARKER = [
    "FUNCTION_CALL_START is t",
    "FUNCTION_CALL_START\nrun it",
    "<tool_call> tag x",
    "TOOL_CALL_START, an",
]


@pytest.mark.parametrize("text", PROSE_BEHIND_A_MARKER)
def test_prose_behind_a_marker_waits_only_while_it_may_be_a_call(text: str) -> None:
    parser = CallParser(TOOLS)
    assert joined([item for character in f"{text} " for item in parser.feed(character)]) == [Text(f"{text} ")]


@pytest.mark.parametrize(
    ("before", "unit"),
    [
        ("", "\n"),
        (CALL, "\n"),
        (f"```\n{CALL}", "\n"),
        ('FUNCTION_CALL_START\nrun\narguments: {"a": 1}', "} \n"),
        ("FUNCTION_CALL_START", " "),
        ('FUNCTION_CALL_START\nrun\narguments: {"a": 1}', "{ "),
        ("```\n", "<think "),
        ("```\n", "<think>"),
        ("", "FUNCTION_CALL_START "),
        ("<think>", "</thinking>"),
        (CALL, " <tool_result"),
    ],
)
@pytest.mark.parametrize("size", [4, 7, 1_000_000])
def test_nothing_is_read_over_and_over(before: str, unit: str, size: int) -> None:
    parser = CallParser(TOOLS)
    parser.feed(before)
    began = time.process_time()
    for piece in cut_into(unit * (400_000 // len(unit)), size):
        parser.feed(piece)
    parser.flush()
    assert time.process_time() - began < 3


@pytest.mark.parametrize("character", ["a", " ", "\n", "x F", "x <"])
def test_text_is_given_out_at_once_but_for_what_may_become_a_marker(character: str) -> None:
    parser = CallParser(TOOLS)
    parser.feed("Hello")
    held_back = character[-1] if character[-1] in "F<" else ""
    assert joined(parser.feed(character)) == [Text(character.removesuffix(held_back))]


def test_a_call_is_given_out_when_its_last_brace_comes() -> None:
    parser = CallParser(TOOLS)
    begun = parser.feed('FUNCTION_CALL_START\nrun\narguments: {"a": 1')
    assert begun == [CallBegan("run"), CallArguments('{"a": ')]
    assert parser.feed("}") == [CallArguments("1}"), CallEnded()]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
CALLS = st.builds(ToolCall, st.sampled_from(TOOLS), st.dictionaries(st.text(), JSON, max_size=4).map(json.dumps))
# No marker can begin in this text, and it is not blank, so what stands around calls is exactly known.
PROSE = st.text(st.characters(exclude_characters="FT<`", exclude_categories=["Cs"]), min_size=1).filter(str.strip)


def merged(content: list[Text | ToolCall]) -> list[Item]:
    out: list[Item] = []
    for item in content:
        if isinstance(item, Text) and out and isinstance(out[-1], Text):
            out[-1] = Text(out[-1].text + item.text)
        else:
            out.append(item)
    return out


@given(st.lists(CALLS | PROSE.map(Text), max_size=6), st.data())
def test_calls_and_text_come_back_as_they_were_written(content: list[Text | ToolCall], data: st.DataObject) -> None:
    text = "".join(render_call(i.name, i.arguments) if isinstance(i, ToolCall) else i.text for i in content)
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=8))
    assert parse(*cut_at(text, cuts)) == merged(content)


FRAGMENTS = st.lists(
    st.sampled_from(
        [*ENDS, *ENDS.values(), "run", "\n", " ", "arguments:", "{", "}", "[", "]", '"', "\\", "x", "é", ":"]
    )
    | st.sampled_from(
        ["`", "```", "```\n", "'", "Arguments", "function_name: ", "null", "None", "FUNCTION_CALL_START\nrun\n"]
    )
    | st.sampled_from(
        ["<think>", "<THINK", "</Think>", "<thought a=", ">", "<tool_result", "FUNCTION_CALL_", "rm", "/"]
    )
    | st.sampled_from([CALL, '{"name": "run", "arguments": {}}']),
    max_size=30,
).map("".join)


@given(FRAGMENTS, st.integers(1, 40))
def test_nonsense_reads_the_same_however_it_is_cut(text: str, size: int) -> None:
    assert parse(*cut_into(text, size)) == parse(text)


@given(FRAGMENTS)
def test_without_a_call_or_a_broken_one_nothing_is_lost_or_added(text: str) -> None:
    items = parse(text)
    if all(isinstance(item, Text) for item in items) and "<th" not in text.lower():
        assert "".join(item.text for item in items if isinstance(item, Text)) == text


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("a", 1),
        ("xaab", 3),
        ("xaaab", 3),
        ("aabaa", 2),
        ("aaba", 1),
        ("aaba a", 1),
        ("aabx", 0),
    ],
)
def test_the_longest_beginning_of_a_marker_at_the_end_of_a_text_is_found(text: str, length: int) -> None:
    assert length_begun(text, "aaba") == length


@given(st.text(max_size=40), st.integers(1, 3000), st.booleans(), st.integers(1, 5000))
def test_arguments_encoded_twice_are_read_as_if_encoded_once(text: str, times: int, plain: bool, size: int) -> None:
    arguments = json.dumps({"text": text * times}, ensure_ascii=plain)
    block = render_call("run", json.dumps(arguments, ensure_ascii=not plain))
    parser = CallParser(["run"])
    content = [item for piece in cut_into(block, size) for item in parser.feed(piece)] + parser.flush()
    assert joined(content) == [ToolCall("run", arguments)]
