"""Messages and their answers, whole and token by token."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Mapping

import httpx
import pytest

from emulator import Emulator, Reply
from emulator.fusion.switches import CHAT_TOLD
from fusion_client import (
    ChatResponse,
    FusionClient,
    NetworkError,
    StreamConsumedError,
    SyncFusionClient,
    TokenStream,
    ValidationError,
)
from fusion_client.observing import Unobserved
from tests.fusion.callers import AGENT, KEY, UNKNOWN, Caller
from tests.fusion.conftest import StartCaller, StartEmulator


class Seen(Unobserved):
    """Notes which calls are streams."""

    def __init__(self) -> None:
        self.streams: list[bool] = []

    def begin(self, operation: str, about: Mapping[str, str]) -> Unobserved:  # noqa: ARG002  # as an observer
        self.streams.append("stream" in about)
        return self


def test_a_message_begins_a_chat_and_the_answer_tells_both_messages(fusion: Caller, emulator: Emulator) -> None:
    emulator.script(Reply("Hi there"))
    response = fusion.ask("send_message", AGENT, "hello", folder="inbox")
    assert [(one.message_type, one.message) for one in response.messages] == [("user", "hello"), ("agent", "Hi there")]
    assert response.text == response.last_message.message == "Hi there"
    assert [one.message for one in response.agent_messages] == ["Hi there"]
    assert (response.chat.agent.id, response.chat.folder) == (AGENT, "inbox")
    assert emulator.chats[0].json == {"agent_id": AGENT, "message": "hello", "files": [], "folder": "inbox"}


def test_a_message_goes_on_with_a_chat(fusion: Caller, emulator: Emulator) -> None:
    chat_id = fusion.ask("create_chat", AGENT, "hello").chat_id
    response = fusion.ask("send_message", AGENT, "and more", chat_id=chat_id)
    assert response.chat_id == chat_id
    assert emulator.chats[1].path.endswith(f"/chat/{chat_id}/message")
    assert emulator.chats[1].json == {"message": "and more", "files": []}


def test_tokens_make_up_the_whole_answer(fusion: Caller, emulator: Emulator) -> None:
    emulator.script(Reply("Hello world", chunk=4))
    stream = fusion.stream()
    assert stream.tokens() == ["Hell", "o wo", "rld"]
    assert stream.whole().text == "Hello world"


@pytest.mark.parametrize("told", CHAT_TOLD)
@pytest.mark.parametrize("chat_known", [False, True])
def test_a_stream_knows_its_chat_wherever_it_is_told(
    start: StartEmulator, call: StartCaller, told: str, chat_known: bool
) -> None:
    emulator = start(fusion_chat_told=told)
    fusion = call(emulator)
    chat_id = fusion.ask("create_chat", AGENT, "first").chat_id if chat_known else None
    stream = fusion.stream("second", chat_id=chat_id)
    whole = stream.whole()
    assert stream.chat_id == whole.chat_id
    assert (whole.chat_id is None) == (told == "never" and not chat_known)
    if chat_known:
        assert whole.chat_id == chat_id
    if whole.chat_id:
        assert fusion.ask("list_messages", whole.chat_id)[-1].message == whole.text


@pytest.mark.parametrize("streaming", ["json", "refused"])
def test_a_service_without_streams_answers_all_at_once(start: StartEmulator, call: StartCaller, streaming: str) -> None:
    emulator = start(fusion_streaming=streaming)
    emulator.script(Reply("Hello world"))
    stream = call(emulator).stream()
    chat_id = stream.chat_id if streaming == "refused" else None
    assert stream.tokens() == ["Hello world"]
    assert isinstance(stream.whole(), ChatResponse)
    assert stream.chat_id == stream.whole().chat_id == (chat_id or stream.chat_id)
    assert len([one for one in emulator.chats if one.status == 200]) == 1


def test_a_service_that_refused_a_stream_is_not_asked_for_another(start: StartEmulator, call: StartCaller) -> None:
    emulator = start(fusion_streaming="refused")
    fusion = call(emulator)
    for _ in range(2):
        assert fusion.stream().whole().text
    assert [one.status for one in emulator.chats] == [422, 200, 200]


async def test_a_refusal_that_quotes_the_request_is_not_one_of_streams() -> None:
    """As FastAPI does, with all that was sent."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        return httpx.Response(422, json={"detail": [{"msg": "Field required", "input": body}]})

    observer = Seen()
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        client = FusionClient(KEY, base_url="http://fusion.example", http_client=http, observer=observer)
        for _ in range(2):
            with pytest.raises(ValidationError, match="Field required"):
                await client.send_message(AGENT, "hello", stream=True)
    assert observer.streams == [True, False, True, False]


def test_a_refusal_that_says_nothing_may_be_one_of_streams(fusion: Caller, emulator: Emulator) -> None:
    emulator.script(Reply(fault="unprocessable", body="empty"))
    for _ in range(2):
        assert fusion.stream().whole().text
    assert ["stream" in one.json for one in emulator.chats] == [True, False, True]


async def test_a_refusal_that_quotes_the_question_does_not_end_streams() -> None:
    asked = []

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.append("stream" in json.loads(request.content))
        return httpx.Response(422, json={"detail": [{"msg": "too rude", "input": json.loads(request.content)}]})

    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as http:
        client = FusionClient(KEY, http_client=http)
        for _ in range(2):
            with pytest.raises(ValidationError, match="too rude"):
                await client.send_message(AGENT, "rude words", stream=True)
    assert asked == [True, False, True, False]


def test_a_stream_tells_whether_the_service_said_that_it_is_complete(start: StartEmulator, call: StartCaller) -> None:
    for told, fault, ended in (("first", None, True), ("first", "no_final_frame", False), ("last", None, True)):
        emulator = start(fusion_chat_told=told)
        emulator.script(Reply("Hello world", fault=fault))
        stream = call(emulator).stream()
        stream.first()
        assert not stream.ended
        assert stream.whole().text == "Hello world"
        assert stream.ended is ended


def test_an_empty_answer_has_no_tokens(start: StartEmulator, call: StartCaller) -> None:
    for streaming in ("sse", "json", "refused"):
        emulator = start(fusion_streaming=streaming)
        emulator.script(Reply(""))
        stream = call(emulator).stream()
        assert (stream.tokens(), stream.whole().text) == ([], "")


def test_a_refusal_that_is_not_about_streams_is_not_sent_again(fusion: Caller, emulator: Emulator) -> None:
    emulator.script(Reply(fault="unprocessable"))
    with pytest.raises(ValidationError, match="message: field required"):
        fusion.stream()
    assert len(emulator.chats) == 1


def test_a_stream_is_iterated_once(fusion: Caller, emulator: Emulator) -> None:
    emulator.script(Reply("Hello world", chunk=4))
    stream = fusion.stream()
    stream.tokens()
    with pytest.raises(StreamConsumedError, match="read before"):
        stream.tokens()
    assert stream.whole() == stream.whole()


def test_the_iterator_of_a_stream_is_its_own_iterator(emulator: Emulator) -> None:
    emulator.script(*[Reply("Hello world", chunk=4)] * 2)
    with SyncFusionClient(KEY, base_url=emulator.fusion_url) as client:
        tokens = iter(client.send_message(AGENT, "hello", stream=True))
        assert next(tokens) == "Hell"
        assert list(tokens) == ["o wo", "rld"]

    async def ask() -> list[str]:
        async with FusionClient(KEY, base_url=emulator.fusion_url) as client:
            tokens = aiter(await client.send_message(AGENT, "hello", stream=True))
            return [await anext(tokens), *[token async for token in tokens]]

    assert asyncio.run(ask()) == ["Hell", "o wo", "rld"]


def test_the_whole_answer_includes_what_was_read_before(fusion: Caller, emulator: Emulator) -> None:
    emulator.script(Reply("Hello world", chunk=4))
    stream = fusion.stream()
    assert stream.first() == "Hell"
    assert stream.whole().text == "Hello world"
    with pytest.raises(StreamConsumedError):
        stream.tokens()


def test_a_stream_that_is_closed_early_ends_its_request(fusion: Caller, emulator: Emulator) -> None:
    emulator.script(Reply("Hello world", chunk=4, hold_after=8))
    stream = fusion.stream()
    assert stream.first() == "Hell"
    stream.close()
    emulator.wait_for(lambda one: one.chats[0].disconnected)
    with pytest.raises(StreamConsumedError, match="closed"):
        stream.whole()


@pytest.mark.parametrize("in_a_cycle", [False, True])
def test_a_stream_that_is_dropped_ends_its_request(
    fusion: Caller, emulator: Emulator, caplog: pytest.LogCaptureFixture, in_a_cycle: bool
) -> None:
    emulator.script(Reply("Hello world", chunk=4, hold_after=8))
    stream = fusion.stream()
    assert stream.first() == "Hell"
    if in_a_cycle:
        stream.itself = stream  # type: ignore[attr-defined]  # any attribute would do
    del stream
    gc.collect()
    fusion.pause()
    emulator.wait_for(lambda one: one.chats[0].disconnected)
    assert not caplog.records  # asyncio would complain of a generator that ends twice


def test_a_stream_that_breaks_has_no_whole_answer(fusion: Caller, emulator: Emulator) -> None:
    emulator.script(Reply("Hello world", chunk=4, fault="drop_in_stream", after=8))
    stream = fusion.stream()
    assert stream.first() == "Hell"
    with pytest.raises(NetworkError, match="broke"):
        stream.whole()
    with pytest.raises(StreamConsumedError, match="broke"):
        stream.whole()


def test_a_stream_may_outlive_its_client(emulator: Emulator) -> None:
    emulator.script(Reply("Hello world", chunk=4, hold_after=8))

    async def begin() -> TokenStream:
        async with FusionClient(KEY, base_url=emulator.fusion_url) as client:
            stream = await client.send_message(AGENT, "hello", stream=True)
            assert await anext(stream) == "Hell"
            return stream

    stream = asyncio.run(begin())
    emulator.wait_for(lambda one: one.chats[0].disconnected)
    del stream
    gc.collect()


async def test_who_waits_for_a_token_hears_that_the_client_was_closed(emulator: Emulator) -> None:
    emulator.script(Reply("Hello world", chunk=4, hold_after=8))
    client = FusionClient(KEY, base_url=emulator.fusion_url)
    stream = await client.send_message(AGENT, "hello", stream=True)
    reading = asyncio.create_task(stream._whole())
    await asyncio.to_thread(emulator.wait_for, lambda one: one.chats[0].held)
    await client.aclose()
    with pytest.raises(NetworkError, match="broke"):
        await reading


WRONG = {
    "agent_id must be a UUID": {"agent_id": "agent"},
    "chat_id must be a UUID": {"chat_id": UNKNOWN[:-1]},
    r"files\[1\] must be a UUID": {"files": [UNKNOWN, "file"]},
    "files must be a list": {"files": UNKNOWN},
    "message must be a text that is not empty": {"message": " \n"},
    "message has 10001 characters; at most 10000": {"message": "x" * 10_001},
    "message has half a surrogate pair at 1": {"message": "x\ud83d"},
    "folder has half a surrogate pair at 0": {"folder": "\udc00"},
}


@pytest.mark.parametrize(("text", "argument"), WRONG.items(), ids=WRONG)
@pytest.mark.parametrize("stream", [False, True])
def test_a_wrong_argument_is_named_and_nothing_is_sent(
    fusion: Caller, emulator: Emulator, text: str, argument: dict[str, object], stream: bool
) -> None:
    with pytest.raises(ValidationError, match=text):
        fusion.ask("send_message", **{"agent_id": AGENT, "message": "hello", "stream": stream, **argument})
    assert not emulator.requests


def test_a_message_may_have_ten_thousand_characters_or_any_number_where_that_is_said(
    emulator: Emulator, call: StartCaller
) -> None:
    assert call(emulator).ask("send_message", AGENT, "x" * 10_000).text
    assert call(emulator, max_message_length=None).ask("send_message", AGENT, "x" * 10_001).text
