"""The JSON value of an answer: checked before it is given out, or given out as it is written when it is long."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from custom_handler.events import Event, Text, ToolCall
from custom_handler.output import OutputFormat
from custom_handler.value_desk import ValueDesk
from tests.support.pieces import cut_into

PERSON = OutputFormat(
    {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"],
    }
)
ANA = '{"name": "Ana", "age": 7}'


def given_out(desk: ValueDesk, pieces: Iterable[str]) -> list[str]:
    desk.begin()
    events = [*desk.take(map(Text, pieces)), *desk.end()]
    return [event.text for event in events if isinstance(event, Text)]


@pytest.mark.parametrize("text", [ANA, f"Sure!\n```json\n{ANA}\n```\nDone.", "{'name': 'Ana', 'age': 7,}"])
def test_a_value_is_given_out_whole_when_it_was_checked(text: str) -> None:
    for pieces in ([text], list(text)):
        desk = ValueDesk(PERSON, 1000)
        (value,) = given_out(desk, pieces)
        assert json.loads(value) == json.loads(ANA)
        assert desk.given
        assert not desk.cut


def test_harmless_differences_are_put_right_as_the_schema_says() -> None:
    assert given_out(ValueDesk(PERSON, 1000), ['{"name": "Ana", "age": "7"}']) == [ANA]


def test_a_value_that_does_not_fit_is_set_aside() -> None:
    desk = ValueDesk(PERSON, 1000)
    assert given_out(desk, ['{"name": "Ana"}']) == []
    assert not desk.given
    assert desk.bad.text == '{"name": "Ana"}'
    assert "age" in desk.bad.problems[0]
    assert given_out(desk, [ANA]) == [ANA]


def test_of_two_bad_values_the_first_is_kept() -> None:
    desk = ValueDesk(PERSON, 1000)
    given_out(desk, ['{"name": "Ana"}'])
    given_out(desk, ['{"age": 7}'])
    assert list(desk.give_bad()) == [Text('{"name": "Ana"}')]


def test_an_answer_without_a_value_leaves_nothing_to_give() -> None:
    desk = ValueDesk(PERSON, 1000)
    assert given_out(desk, ["Ana is seven."]) == []
    assert desk.bad.text == ""
    assert list(desk.give_bad()) == []


def test_a_bad_value_is_kept_as_the_model_wrote_it() -> None:
    desk = ValueDesk(PERSON, 1000)
    given_out(desk, ['{"age": "7", "step_id": 1}'])
    assert list(desk.give_bad()) == [Text('{"age": "7", "step_id": 1}')]


def test_a_long_value_is_given_out_as_it_is_written_from_the_limit_on() -> None:
    text = json.dumps({"name": "x" * 50, "age": "many"})
    for size in (1, 7, 100):
        desk = ValueDesk(PERSON, 20)
        assert "".join(given_out(desk, cut_into(text, size))) == text
        assert desk.given


def test_where_any_object_will_do_it_is_given_out_from_its_first_character_on() -> None:
    desk = ValueDesk(OutputFormat(), 1000)
    desk.begin()
    events = [list(desk.take([Text(piece)])) for piece in ("Here:\n", '{"a"', ": tr", "ue}")]
    assert events == [[], [Text('{"a"')], [Text(": ")], [Text("true}")]]


def test_a_value_that_was_given_out_in_part_is_cut() -> None:
    desk = ValueDesk(OutputFormat(), 1000)
    assert "".join(given_out(desk, ['{"a": [1, 2'])) == '{"a": [1, 2'
    assert desk.cut


def test_calls_pass() -> None:
    call: Event = ToolCall("run", "{}")
    desk = ValueDesk(PERSON, 1000)
    desk.begin()
    assert list(desk.take([Text("I run it."), call])) == [call]
