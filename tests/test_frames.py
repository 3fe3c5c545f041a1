"""StackSpot's events: every form the contract names."""

import json
from typing import Any

import pytest

from custom_handler.errors import BrokenAnswerError
from custom_handler.upstream.base import Report
from custom_handler.upstream.frames import Frame, is_noise, merge, read

BASE: dict[str, Any] = {"upload_ids": {}, "knowledge_source_id": [], "source": [], "tools_id": [], "agent_info": []}


@pytest.mark.parametrize(
    ("fields", "frame"),
    [
        ({"message": "Olá"}, Frame("Olá")),
        ({**BASE, "message": "Olá"}, Frame("Olá")),
        ({"message": ""}, Frame()),
        ({"message": None}, Frame()),
        (BASE, Frame()),
        ({"message": "x", "error": None}, Frame("x")),
        (
            {**BASE, "stop_reason": "stop", "tokens": {"input": 749, "output": 5}, "message_id": "01K"},
            Frame("", Report(749, 5, "stop")),
        ),
        ({"stop_reason": "stop", "conversation_id": "01K"}, Frame("", Report(None, None, "stop", "01K"))),
        ({"stop_reason": "stop", "conversation_id": None}, Frame("", Report(None, None, "stop"))),
        ({"stop_reason": "stop", "conversation_id": 7}, Frame("", Report(None, None, "stop"))),
        ({"message": "x", "conversation_id": "01K"}, Frame("x")),
        ({"message": "end", "stop_reason": "stop"}, Frame("end", Report(None, None, "stop"))),
        ({"tokens": {"input": "749", "output": "5"}}, Frame("", Report(749, 5))),
        ({"tokens": {"input": None, "output": None}}, Frame("", Report())),
        ({"tokens": {"user": 7, "enrichment": 3, "output": 5}}, Frame("", Report(10, 5))),
        ({"tokens": {"input": 1, "user": 7, "enrichment": 3}}, Frame("", Report(1))),
        ({"tokens": {"user": 7, "enrichment": None}}, Frame("", Report(7))),
        ({"tokens": {"input": -1, "output": float("inf")}}, Frame("", Report())),
        ({"tokens": {"input": "many", "output": [5]}}, Frame("", Report())),
        ({"tokens": None}, Frame()),
        ({"tokens": "x"}, Frame()),
    ],
)
def test_every_form_of_frame_is_read(fields: dict[str, Any], frame: Frame) -> None:
    assert read("message", json.dumps(fields)) == frame


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("error", '{"message": "x"}'),
        ("message", '{"type": "error", "message": "x", "code": "E1"}'),
        ("message", '{"error": {"code": "E1", "message": "x"}}'),
        ("message", '{"error": "x", "code": "E1"}'),
    ],
)
def test_errors_are_errors_in_all_their_forms(event: str, data: str) -> None:
    with pytest.raises(BrokenAnswerError, match="reported an error") as error:
        read(event, data)
    assert ("E1" in error.value.message) == ("E1" in data)
    assert "x" not in error.value.message.replace("xx", "")


@pytest.mark.parametrize("data", ['{"message": "x', "{}}", '{"a":' * 100_000])
def test_an_event_that_cannot_be_read_is_lost_text_and_so_an_error(data: str) -> None:
    with pytest.raises(BrokenAnswerError, match="cannot be read"):
        read("message", data)


@pytest.mark.parametrize("data", ["", " ", "[DONE]", "ping", "keep-alive", "null"])
def test_events_without_an_object_are_noise(data: str) -> None:
    assert is_noise(data)
    assert not is_noise('  {"message": ""}')


def test_reports_of_several_frames_add_up() -> None:
    assert merge(Report(1, None, None), Report(None, 2, "stop")) == Report(1, 2, "stop")
    assert merge(Report(1, 2, "stop"), None) == Report(1, 2, "stop")
    assert merge(Report(None, None, "stop", "01K"), Report(1, 2)) == Report(1, 2, "stop", "01K")
    assert merge(Report(1, 2, "stop"), Report(3, None, None)) == Report(3, 2, "stop")
