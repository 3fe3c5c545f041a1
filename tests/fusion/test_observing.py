"""What whoever watches is told of each call: its beginning, its tries, its tokens and its end, and no text."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from emulator import Emulator, Reply
from fusion_client import FusionError, NetworkError, RateLimitError
from tests.fusion.callers import AGENT, Caller
from tests.fusion.conftest import StartCaller


class Watched:
    """Notes all that it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def begin(self, operation: str, about: Mapping[str, str]) -> Watched:
        self.told.append((operation, dict(about)))
        return self

    def attempt(self) -> None:
        self.told.append("attempt")

    def token(self) -> None:
        self.told.append("token")

    def end(self, error: BaseException | None) -> None:
        self.told.append(type(error))


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def fusion(emulator: Emulator, call: StartCaller, watched: Watched) -> Caller:
    return call(emulator, observer=watched)


NOTHING = type(None)
SENT = ("send_message", {"agent_id": AGENT})
STREAMED = ("send_message", {"agent_id": AGENT, "stream": "true"})


def test_a_call_begins_is_tried_and_ends(fusion: Caller, emulator: Emulator, watched: Watched) -> None:
    emulator.script(Reply(fault="rate_limited"))
    chat_id = fusion.ask("create_chat", AGENT, "hello").chat_id
    fusion.ask("get_chat", chat_id)
    fusion.ask("get_chat", chat_id)
    get = ("get_chat", {"chat_id": chat_id})
    assert watched.told == [SENT, "attempt", "attempt", NOTHING, get, "attempt", NOTHING, get, NOTHING]


def test_a_stream_ends_when_its_last_token_came(fusion: Caller, emulator: Emulator, watched: Watched) -> None:
    emulator.script(Reply("Hello world", chunk=6))
    stream = fusion.stream()
    assert watched.told == [STREAMED, "attempt"]
    stream.tokens()
    assert watched.told[2:] == ["token", "token", NOTHING]


def test_a_stream_that_is_closed_ends_well(fusion: Caller, emulator: Emulator, watched: Watched) -> None:
    emulator.script(Reply("Hello world", chunk=6, hold_after=6))
    stream = fusion.stream()
    stream.first()
    stream.close()
    assert watched.told == [STREAMED, "attempt", "token", NOTHING]


def test_a_failure_ends_its_call(emulator: Emulator, call: StartCaller, watched: Watched) -> None:
    fusion = call(emulator, observer=watched, max_retries=0)
    emulator.script(Reply(fault="rate_limited"), Reply("Hello", chunk=2, fault="drop_in_stream", after=2))
    with pytest.raises(FusionError):
        fusion.stream()
    with pytest.raises(FusionError):
        fusion.stream().tokens()
    assert watched.told == [STREAMED, "attempt", RateLimitError, STREAMED, "attempt", "token", NetworkError]
