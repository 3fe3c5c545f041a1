"""What is read of a service's bytes, without a service."""

from __future__ import annotations

import json
import traceback
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion_client import (
    Agent,
    Chat,
    ChatResponse,
    Document,
    FileUploadResponse,
    FusionClient,
    Message,
    NetworkError,
    ServerError,
)
from fusion_client.answers import list_reader, reader
from fusion_client.chat_filter import ChatFilter
from fusion_client.events import Event, EventReader
from fusion_client.stream_answer import StreamAnswer
from fusion_client.surrogates import PairJoiner, mended
from tests.fusion.callers import AGENT
from tests.support.pieces import cut_at, cut_into


def events(*pieces: bytes) -> list[tuple[str, str]]:
    reading = EventReader()
    read = [event for piece in pieces for event in reading.feed(piece)] + reading.flush()
    return [(event.name, event.data) for event in read]


@pytest.mark.parametrize(
    ("stream", "read"),
    [
        (b"data: a\n\n", [("", "a")]),
        (b"data:a\r\n\r\ndata:  b\r\n\r\n", [("", "a"), ("", " b")]),
        (b"data: a\r\rdata: b\r\r", [("", "a"), ("", "b")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("", "a")]),
        (b"data: a\n\ndata: b", [("", "a"), ("", "b")]),
        (b"data: a\n\ndata: b\n", [("", "a"), ("", "b")]),
        (b"event: error\ndata: a\n\ndata: b\n\n", [("error", "a"), ("", "b")]),
        (b"data: a\ndata: b\ndata\n\n", [("", "a\nb\n")]),
        (b": ping\n\n\n\nid: 1\nretry: 5\ndata: a\n\n: ping\n\ndata: \n\n", [("", "a")]),
        ("data: é\u2028\u0085😀\n\n".encode(), [("", "é\u2028\u0085😀")]),
        (b"data: \xff\n\n", [("", "\ufffd")]),
        (b"", []),
        (b"\n\n\n", []),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_events_are_read_whole_however_the_bytes_are_cut(stream: bytes, read: list[tuple[str, str]], size: int) -> None:
    assert events(*cut_into(stream, size)) == read


LINES = [b"data: x", b"data", b": c", b"event: e", b"id", b"\n", b"\r\n", b"\r", b"\xc3\xa9", b"\xef\xbb\xbf"]
STREAMS = st.lists(st.sampled_from(LINES))


@given(STREAMS.map(b"".join), st.integers(1, 20))
def test_any_bytes_are_read_the_same_however_they_are_cut(stream: bytes, size: int) -> None:
    assert events(*cut_into(stream, size)) == events(stream)


def test_events_come_as_soon_as_they_are_complete() -> None:
    reading = EventReader()
    assert reading.feed(b"data: a\n\ndata: b\n\ndata: c") == [Event("a"), Event("b")]
    assert reading.feed(b"\n\n") == [Event("c")]


@given(st.text(st.characters(exclude_categories=[]), max_size=20), st.lists(st.integers(0, 20)))
def test_halves_of_surrogate_pairs_find_each_other_however_a_text_is_cut(text: str, cuts: list[int]) -> None:
    halves = text.encode("utf-16-le", "surrogatepass")
    units = "".join(chr(int.from_bytes(halves[at : at + 2], "little")) for at in range(0, len(halves), 2))
    joiner = PairJoiner()
    pieces = [joiner.feed(piece) for piece in cut_at(units, cuts)] + [joiner.flush()]
    assert "".join(pieces) == mended(text)
    assert all(piece.encode() is not None for piece in pieces)


ANSWER = [
    'data: {"chat_id": "c-1"}',
    'data: {"token": "Hello "}',
    "data: keep-alive",
    'data: {"token": ""}',
    'data: {"token": null}',
    'data: {"token": "\\ud83d"}',
    'data: {"token": "\\ude00"}',
    'data: {"message": {"message_type": "agent", "message": "Hello 😀", "id": "m-1"}}',
    "data: [DONE]",
]


@given(st.integers(1, 40))
def test_an_answer_is_the_same_however_its_bytes_are_cut(size: int) -> None:
    answer, reading = StreamAnswer("hi"), EventReader()
    stream = "".join(line + "\n\n" for line in ANSWER).encode()
    tokens = [answer.read(event) for piece in cut_into(stream, size) for event in reading.feed(piece)] + [answer.end()]
    assert [token for token in tokens if token] == ["Hello ", "😀"]
    assert (answer.complete, answer.ended, answer.chat_id) == (True, True, "c-1")
    response = answer.response()
    assert (response.text, response.chat_id) == ("Hello 😀", "c-1")
    assert [(one.id, one.message) for one in response.messages] == [(None, "hi"), ("m-1", "Hello 😀")]


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Event('{"token": "x"', ""), "cannot be read; its answer is incomplete"),
        (Event('{"token": ' + "[" * 100_000, ""), "cannot be read"),
        (Event('{"error": {"code": "odd", "message": "Why."}}', ""), r"an error in its answer \(odd\): Why\."),
        (Event('{"type": "error", "token": "x"}', ""), "it does not say which"),
        (Event('{"message": "Why."}', "error"), "Why"),
        (Event("[1]", "error"), "does not say which"),
        (Event("no JSON", "error"), "reported an error"),
    ],
)
def test_an_event_that_tells_of_an_error_is_one(event: Event, text: str) -> None:
    with pytest.raises(ServerError, match=text):
        StreamAnswer("hi").read(event)


def test_what_an_event_tells_besides_is_no_error_when_it_has_another_shape() -> None:
    answer = StreamAnswer("hi", "c-1")
    for told in ('{"chat": "c"}', '{"chat": {"id": []}}', '{"message": {}}', '{"chat_id": 5}', '{"token": 5}'):
        assert answer.read(Event(told)) == ""
    assert (answer.end(), answer.chat_id, answer.ended) == ("", "c-1", False)
    assert answer.response().text == ""


@pytest.mark.parametrize(
    "told",
    [
        '{"message": {"id": "m-1", "message_type": "agent"}}',
        '{"message": {"id": "m-0", "message_type": "user", "message": "hi"}}',
    ],
)
def test_a_message_that_is_told_without_the_answer_does_not_hide_it(told: str) -> None:
    answer = StreamAnswer("hi")
    for data in ('{"token": "Hello"}', told, "[DONE]"):
        answer.read(Event(data))
    assert answer.response().text == "Hello"


def test_nothing_comes_after_the_end() -> None:
    answer = StreamAnswer("hi")
    assert [answer.read(Event(data)) for data in ("[DONE]", '{"token": "x"}', '{"error": "x"}')] == ["", "", ""]


def test_a_stream_without_any_event_is_no_answer() -> None:
    with pytest.raises(ServerError, match="ended before it had begun"):
        StreamAnswer("hi").end()


def test_half_a_pair_at_the_end_is_replaced() -> None:
    answer = StreamAnswer("hi")
    assert answer.read(Event('{"token": "x\\ud83d"}')) + answer.end() == "x\ufffd"


CHAT = {"id": "c-1", "agent": {"id": AGENT}, "created_at": "2026-01-02T03:04:05.123456789", "later": [1]}


def test_models_take_new_fields_do_without_others_and_hold_null_for_missing() -> None:
    chat = reader(Chat)(json.dumps({**CHAT, "folder": None, "knowledge": None, "message": None}).encode())
    assert (chat.message, chat.knowledge, chat.folder, chat.user) == ("", (), None, None)
    assert chat.created_at == datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)
    assert chat.model_extra == {"later": [1]}
    assert chat.agent == Agent(id=AGENT)
    assert reader(Chat, "chat")(json.dumps({"chat": CHAT}).encode()).id == "c-1"
    assert reader(FileUploadResponse)(b'{"id": "f-1"}').file_id == "f-1"
    assert reader(Document)(b'{"document_id": "d-1", "score": 1}').score == 1.0


def test_a_number_in_place_of_text_is_its_digits() -> None:
    response = reader(ChatResponse)(b'{"chat": {"id": 5}, "messages": [{"id": 7, "message_type": "agent"}]}')
    assert (response.chat_id, response.messages[0].id) == ("5", "7")


def test_no_error_shows_what_was_told() -> None:
    body = b'{"messages": [{"message_type": ["private"]}]}'
    with pytest.raises(ServerError) as caught:
        reader(ChatResponse)(body)
    assert "private" not in "".join(traceback.format_exception(caught.value))


def test_models_cannot_be_changed() -> None:
    message = Message(message_type="agent", message="hi")
    with pytest.raises(ValueError, match="frozen"):
        message.message = "ho"
    response = ChatResponse(messages=(message,))
    assert (response.text, response.last_message, response.chat_id) == ("hi", message, None)
    assert (ChatResponse().text, ChatResponse().last_message) == ("", None)


def test_half_a_pair_in_an_answer_is_replaced() -> None:
    assert reader(Agent)(b'{"id": "a", "name": "x\\ud83d", "description": "\\ud83d\\ude00"}').name == "x\ufffd"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"messages": [{"message": []}]}', r"no ChatResponse; wrong is messages\.0\.message, "),
        (b"[1]", "wrong is all of it"),
        (b"<html>", "is no JSON; a login page"),
        (b"[" * 100_000, "is no JSON"),
    ],
)
def test_an_answer_of_another_shape_is_named(body: bytes, text: str) -> None:
    with pytest.raises(ServerError, match=text) as caught:
        reader(ChatResponse)(body)
    assert caught.value.status is None


@pytest.mark.parametrize("body", [b"5", b'{"items": []}', b'{"agents": {}}'])
def test_a_list_that_is_none_is_named(body: bytes) -> None:
    with pytest.raises(ServerError, match="without a list of agents"):
        list_reader(Agent, "agents")(body)


def test_what_a_chat_does_not_tell_is_left_to_the_service() -> None:
    wanted = ChatFilter(agent_id=AGENT, after=datetime(2026, 1, 1, tzinfo=UTC))
    assert wanted.fits(Chat(id="c-1"))
    assert not wanted.fits(Chat(id="c-1", agent=Agent(id="other")))


async def test_errors_of_a_service_that_is_no_service_are_ours() -> None:
    async with FusionClient("key", base_url="http://127.0.0.1:1", max_retries=0) as client:
        with pytest.raises(NetworkError):
            await client.list_agents()
