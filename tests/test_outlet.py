"""Where text ends before the model does, with calls in it too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handler.events import CallArguments, CallBegan, Event, Reasoning, Text, ToolCall
from custom_handler.outlet import Outlet
from tests.support.pieces import cut_at


def outlet(*stops: str) -> Outlet:
    through = Outlet()
    through.begin(stops)
    return through


def given_out(through: Outlet, events: Iterable[Event]) -> list[Event]:
    return [*through.take(events), *through.flush()]


def text_of(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


CALL = ToolCall("run", '{"a": 1}')


def test_without_stop_words_and_limit_everything_passes_as_it_comes() -> None:
    events: list[Event] = [Text("a"), Reasoning("b"), CALL, CallBegan("run"), CallArguments("{}"), Text("c")]
    through = outlet()
    assert given_out(through, events) == events
    assert through.calls == 2
    assert not through.ended


def test_text_ends_before_a_stop_word_and_so_does_the_answer() -> None:
    through = outlet("END")
    assert given_out(through, [Text("a E"), Text("ND b"), CALL]) == [Text("a ")]
    assert through.ended


def test_what_might_have_become_a_stop_word_stands_before_the_call() -> None:
    assert given_out(outlet("END"), [Text("a E"), CALL, Text("ND")]) == [Text("a "), Text("E"), CALL, Text("ND")]


def test_what_turns_out_to_be_a_stop_word_lets_no_call_pass() -> None:
    assert given_out(outlet("OP", "STOPPED"), [Text("STOP"), CALL]) == [Text("ST")]


def test_nothing_more_is_asked_for_when_the_answer_has_ended() -> None:
    events: Iterator[Event] = iter([Text("a END b"), CALL])
    given_out(outlet("END"), events)
    assert list(events) == [CALL]


def test_a_stop_word_does_not_end_arguments_or_thoughts() -> None:
    arguments = '{"a": "END"}'
    events: list[Event] = [Reasoning("END"), ToolCall("run", arguments), CallBegan("run"), CallArguments(arguments)]
    assert given_out(outlet("END"), events) == events


def test_another_answer_may_have_text_again() -> None:
    through = outlet("END")
    given_out(through, [Text("END")])
    through.begin(["END"])
    assert given_out(through, [Text("x END")]) == [Text("x ")]


@given(st.text("ab \U0001f600", max_size=60), st.lists(st.integers(0, 60), max_size=6))
@pytest.mark.parametrize("stops", [(), ("ab",), ("b a", "aa")])
def test_what_is_given_out_does_not_depend_on_the_pieces(stops: tuple[str, ...], text: str, cuts: list[int]) -> None:
    whole = text_of(given_out(outlet(*stops), [Text(text)]))
    assert text_of(given_out(outlet(*stops), map(Text, cut_at(text, cuts)))) == whole
