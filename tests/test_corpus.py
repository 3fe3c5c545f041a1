"""The corpus itself: it is the same every time, it is large, and each case is what its row says.

What is expected must not depend on our parser, so JSON is read in other ways here: strictly, as Python, and by the rule
of `tests.corpus.meanings`.
"""

from __future__ import annotations

import ast
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import Any

import jsonschema
import pytest

from custom_handler.request import Tool
from tests.corpus.adapter import ProductReader
from tests.corpus.case import Call, Case, Item, Reasoning, Text
from tests.corpus.draft import is_json
from tests.corpus.formats import FORMATS
from tests.corpus.generate import CUT_EVERYWHERE, generate
from tests.corpus.meanings import first_meaning
from tests.corpus.reader import Outcome
from tests.corpus.rows import CASES_PER_ROW, ROWS, Row
from tests.corpus.runner import Result, cuts, is_exact, run, wrong_calls
from tests.corpus.table import table
from tests.corpus.thresholds import assert_thresholds
from tests.corpus.uses import USES

CASES = generate()
MARKERS = {marker for form in FORMATS for marker in (form.start, form.end)}


def of_row(name: str) -> list[Case]:
    found = [case for case in CASES if case.row == name]
    assert found, f"there is no row {name!r}"
    return found


def calls_of(items: Iterable[Item]) -> list[Call]:
    return [item for item in items if isinstance(item, Call)]


def arguments_in(value: Any) -> Any:
    """The arguments in the JSON of a call, which is an object around them in some formats."""
    return value.get("arguments", value) if isinstance(value, dict) else value


def fits(tool: Tool, arguments: object) -> bool:
    return jsonschema.Draft202012Validator(tool.parameters).is_valid(arguments)


def _without_trailing_commas(text: str) -> Any:
    strings_or_commas = r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])'
    return json.loads(re.sub(strings_or_commas, lambda match: match[1] or "", text))


def _with_raw_controls(text: str) -> Any:
    return json.loads(text, strict=False)


def _with_backslashes_doubled(text: str) -> Any:
    escapes_or_backslashes = r'(\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))|\\'
    return json.loads(re.sub(escapes_or_backslashes, lambda match: match[1] or r"\\", text))


#: Row → a reader of JSON that knows this drift and no other.
DRIFTS: dict[str, Callable[[str], Any]] = {
    "trailing commas": _without_trailing_commas,
    "raw newlines and tabs in strings": _with_raw_controls,
    "invalid escapes": _with_backslashes_doubled,
    "single quotes, True, False, None": ast.literal_eval,
    "unescaped quotes in strings": first_meaning,
}


# What it is made of.


def test_the_same_seed_gives_the_same_cases_and_another_seed_gives_others() -> None:
    assert generate() == CASES
    assert generate(seed=1) != CASES


def test_every_row_has_its_cases_in_every_format_it_can_happen_to() -> None:
    counts = Counter((case.row, case.format) for case in CASES)
    assert counts == {(row.name, form.name): row.size for row in ROWS for form in row.formats}
    assert min(counts.values()) >= CASES_PER_ROW >= 20
    assert len(CASES) >= 1500


def test_hardly_a_case_is_there_twice() -> None:
    assert len({case.text for case in CASES}) >= 0.9 * len(CASES)


def test_many_calls_of_many_tools_are_meant() -> None:
    assert len(USES) >= 40
    assert len({use.tool.name for use in USES}) >= 20


@pytest.mark.parametrize("use", USES, ids=lambda use: use.tool.name)
def test_a_meant_call_fits_the_schema_of_its_tool(use: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(use.tool.parameters)
    assert fits(use.tool, use.arguments)


@pytest.mark.parametrize("plane", range(17))
def test_arguments_have_characters_of_every_plane_of_unicode(plane: int) -> None:
    written = "".join(json.dumps(use.arguments, ensure_ascii=False) for use in USES)
    assert any(ord(character) >> 16 == plane for character in written)


# What is expected.


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_is_expected_stands_in_the_text_and_fits_the_tools(row: Row) -> None:
    for case in of_row(row.name):
        tools = {tool.name: tool for tool in case.tools}
        assert len(tools) == len(case.tools) > 1
        assert all(fits(tools[call.name], json.loads(call.arguments)) for call in calls_of(case.expected))
        assert all(name in case.text for name in [call.name for call in calls_of(case.expected)])
        assert all(item.text in case.text for item in case.expected if isinstance(item, Text | Reasoning))
        assert all(written in case.text for written in case.written)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_reader_that_gives_what_is_expected_is_exact(row: Row) -> None:
    for case in of_row(row.name):
        outcome = Outcome(case.expected, broken=(case.text,) * len(case.broken))
        assert is_exact(outcome, case)
        assert wrong_calls(outcome, case) == 0


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_broken_call_is_short_enough_to_be_held_back(row: Row) -> None:
    assert all(len(written) < 1000 for case in of_row(row.name) if case.broken for written in case.written)


@pytest.mark.parametrize("name", DRIFTS)
def test_drifted_json_is_long_enough_to_be_streamed_in_some_cases(name: str) -> None:
    long = {case.format for case in of_row(name) if len(case.written[0]) > 1000}
    assert long == {form.name for form in FORMATS}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_where_a_follow_up_is_needed_or_the_answer_is_cut_the_call_is_not_executed(row: Row) -> None:
    for case in of_row(row.name):
        assert case.nothing_executed or not (case.follow_up or case.may_cut)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_json_is_strict_but_where_the_drift_is_in_the_json(row: Row) -> None:
    for case in of_row(row.name):
        assert [is_json(written) for written in case.written] == [row.strict] * len(case.written)


# That each drift is what its name says, and leaves one meaning.


@pytest.mark.parametrize(("name", "read"), DRIFTS.items())
def test_drifted_json_has_the_meant_value_for_one_who_knows_the_drift(name: str, read: Callable[[str], Any]) -> None:
    for case in of_row(name):
        (call,) = calls_of(case.expected)
        assert arguments_in(read(case.written[0])) == json.loads(call.arguments)


def test_arguments_encoded_twice_are_a_string_of_json() -> None:
    for case in of_row("arguments encoded twice"):
        assert json.loads(arguments_in(json.loads(case.written[0]))) == json.loads(calls_of(case.expected)[0].arguments)


def test_broken_calls_break_the_schema_of_a_declared_tool() -> None:
    for case in of_row("arguments against the schema"):
        tool = next(tool for tool in case.tools if tool.name == case.broken[0])
        assert not fits(tool, arguments_in(json.loads(case.written[0])))


def test_an_unknown_name_is_not_declared() -> None:
    for case in of_row("a name that no tool has"):
        assert not {tool.name for tool in case.tools} & set(case.broken)


def test_an_answer_that_ends_early_has_a_start_marker_without_its_end() -> None:
    for case in of_row("the answer ends inside the JSON"):
        form = next(form for form in FORMATS if form.name == case.format)
        assert case.text.count(form.start) == case.text.count(form.end) + 1


def test_markers_stand_in_strings_of_the_arguments() -> None:
    for case in of_row("markers in a JSON string"):
        (call,) = calls_of(case.expected)
        assert any(marker in call.arguments for marker in MARKERS)


def test_quoted_markers_are_expected_as_text_up_to_a_real_call_if_there_is_one() -> None:
    for case in of_row("markers quoted in prose or code"):
        text, *calls = case.expected
        assert isinstance(text, Text)
        assert any(marker in text.text for marker in MARKERS)
        assert case.text.startswith(text.text)
        assert (case.text == text.text) == (not calls)


def test_plain_text_has_no_whole_marker() -> None:
    for case in of_row("plain text, beginnings of markers"):
        assert case.expected == (Text(case.text),)
        assert not any(marker in case.text for marker in MARKERS)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"code": "print("a")"}', {"code": 'print("a")'}),
        ('{"a": "x", "b": "y"}', {"a": "x", "b": "y"}),
        ('{"a": "f("x", "y")", "b": []}', {"a": 'f("x", "y")', "b": []}),
        ('{"text": "{"a": "x"}"}', {"text": '{"a": "x"}'}),
        (r'["say \"hi\" or "hi"", {}, 1.5, null]', ['say "hi" or "hi"', {}, 1.5, None]),
        (r'["ends with \\", "n"]', ["ends with \\", "n"]),
    ],
)
def test_a_string_ends_at_the_first_quote_that_leaves_json(text: str, value: Any) -> None:
    assert first_meaning(text) == value


@pytest.mark.parametrize("text", ['{"a": "b', '{"a" "b"}', '{a: "b"}', ""])
def test_what_no_choice_of_quotes_makes_json_has_no_meaning(text: str) -> None:
    with pytest.raises(ValueError, match="no choice"):
        first_meaning(text)


# The measurement.


class Oracle:
    """Gives what it was told to give."""

    def __init__(self, *outcomes: Outcome) -> None:
        self._outcomes = list(outcomes)

    def read(self, pieces: Sequence[str], tools: Sequence[Tool]) -> Outcome:  # noqa: ARG002 - it knows already
        return self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]


CASE = next(case for case in of_row("text before, between and after calls") if not case.every_cut)
RIGHT = Outcome(CASE.expected)


def result_of(*outcomes: Outcome, case: Case = CASE) -> Result:
    return run(Oracle(*outcomes), [case])[0]


def test_cuts_lose_nothing_and_go_through_every_place_where_that_is_asked() -> None:
    for case in CASES[::50]:
        pieces = list(cuts(case))
        assert all("".join(cut) == case.text for cut in pieces)
        assert len(pieces) == (9 + len(case.text) - 1 if case.every_cut else 9)


def test_some_cases_of_every_row_are_cut_at_every_place() -> None:
    counts = Counter((case.row, case.format) for case in CASES if case.every_cut)
    assert set(counts) == {(case.row, case.format) for case in CASES}
    assert min(counts.values()) >= CUT_EVERYWHERE


def test_the_expected_items_are_exact_in_any_pieces_and_any_layout() -> None:
    first, call, *rest = CASE.expected
    assert isinstance(first, Text)
    assert isinstance(call, Call)
    laid_out = Call(call.name, json.dumps(json.loads(call.arguments), indent=2))
    pieces = Outcome((Text(first.text[:3]), Text(first.text[3:] + "\n\n"), laid_out, *rest))
    assert result_of(pieces) == Result(CASE, exact=True, same=True, wrong_calls=0)


def test_a_reading_that_differs_in_one_cut_is_not_the_same() -> None:
    assert not result_of(RIGHT, RIGHT, replace(RIGHT, cut=True), RIGHT).same


def test_a_call_given_twice_is_given_once_too_often() -> None:
    doubled = Outcome((*CASE.expected, CASE.expected[1]))
    assert result_of(doubled) == Result(CASE, exact=False, same=True, wrong_calls=1)


@pytest.mark.parametrize("arguments", ['{"a": NaN}', "{'a': 1}", '{"a": 1', ""])
def test_a_call_whose_arguments_are_not_json_is_wrong(arguments: str) -> None:
    outcome = Outcome((Call("read_file", arguments),))
    assert wrong_calls(outcome, CASE) == 1


def test_the_kind_of_a_number_counts() -> None:
    case = replace(CASE, expected=(Call("get_balance", '{"account": 1}'),))
    assert not is_exact(Outcome((Call("get_balance", '{"account": 1.0}'),)), case)
    assert not is_exact(Outcome((Call("get_balance", '{"account": true}'),)), case)


def test_a_broken_call_must_be_reported() -> None:
    case = of_row("JSON that cannot be read")[0]
    assert is_exact(Outcome(case.expected, broken=(case.text,)), case)
    assert not is_exact(Outcome(case.expected), case)


def test_only_an_answer_that_ends_early_may_be_called_cut() -> None:
    early = of_row("the answer ends inside the JSON")[0]
    assert is_exact(Outcome(early.expected, cut=True), early)
    assert not is_exact(replace(RIGHT, cut=True), CASE)


def test_text_without_calls_must_be_the_same_to_the_last_blank() -> None:
    case = replace(CASE, text="a \n", expected=(Text("a \n"),))
    assert is_exact(Outcome((Text("a \n"),)), case)
    assert not is_exact(Outcome((Text("a"),)), case)


def test_the_thresholds_hold_for_a_reader_without_fault() -> None:
    assert_thresholds([Result(case, exact=True, same=True, wrong_calls=0) for case in CASES])


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"exact": False}, "1 of 20 misread"),
        ({"same": False}, "1 differ when streamed"),
        ({"wrong_calls": 1}, "1 execute what they must not"),
    ],
)
def test_one_fault_in_a_row_of_twenty_breaks_the_thresholds(fault: dict[str, Any], message: str) -> None:
    cases = [case for case in of_row("a call inside thinking") if case.format == FORMATS[0].name]
    results = [Result(case, exact=True, same=True, wrong_calls=0) for case in cases]
    with pytest.raises(AssertionError, match=message):
        assert_thresholds([*results[1:], replace(results[0], **fault)])


def test_the_table_has_a_line_for_every_row_and_a_sum() -> None:
    lines = table([Result(case, exact=True, same=True, wrong_calls=0) for case in CASES]).splitlines()
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines[2:]] == [*(row.name for row in ROWS), "all"]
    assert "| 20 of 20 | n/a | 20 of 20 | 20 of 20 | 60 of 60 | 0 |" in "\n".join(lines)


#: Of each row in each format some seven cases; `make corpus` reads all.
SAMPLE = CASES[::3]


@pytest.fixture(scope="module")
def results() -> list[Result]:
    """How the product reads the sample, in a process without coverage, under which it would take six times as long."""
    with pytest.MonkeyPatch.context() as here, ProcessPoolExecutor(1, get_context("spawn")) as pool:
        for name in os.environ:
            if name.startswith("COVERAGE_"):
                here.delenv(name)
        return pool.submit(run, ProductReader(), SAMPLE).result()


def test_the_product_reaches_the_thresholds(results: list[Result]) -> None:
    assert {(case.row, case.format) for case in SAMPLE} == {(case.row, case.format) for case in CASES}
    assert_thresholds(results)


def test_here_it_reads_the_same_where_coverage_watches(results: list[Result]) -> None:
    assert run(ProductReader(), SAMPLE[::10]) == results[::10]
