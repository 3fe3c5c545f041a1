"""A call is made again only where that repeats nothing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import stamina

from emulator import Emulator, Reply
from fusion_client import FusionError, NetworkError, RateLimitError, ServerError, TimeoutError, ValidationError
from fusion_client.failures import as_failure
from fusion_client.retrying import pause_after
from tests.fusion.callers import AGENT, Caller
from tests.fusion.conftest import StartCaller
from tests.support.proxy import free_port


class Tries:
    """Counts the tries of a client."""

    def __init__(self) -> None:
        self.count = 0

    def begin(self, operation: str, about: Mapping[str, str]) -> Tries:  # noqa: ARG002  # as an observer
        return self

    def attempt(self) -> None:
        self.count += 1

    def token(self) -> None: ...
    def end(self, error: BaseException | None) -> None: ...


@pytest.mark.parametrize("fault", ["server_error", "unavailable", "gateway_timeout", "drop_before", "rate_limited"])
def test_a_read_is_made_again_whatever_became_of_it(fusion: Caller, emulator: Emulator, fault: str) -> None:
    emulator.script(*[Reply(fault=fault, hits="other")] * 3)
    assert fusion.ask("list_agents")[0].id == AGENT
    assert len(emulator.requests) == 4


@pytest.mark.parametrize("fault", ["forbidden", "unprocessable", "unauthorized_once", "form_web_page"])
def test_a_read_that_will_fail_again_is_made_once(fusion: Caller, emulator: Emulator, fault: str) -> None:
    emulator.script(Reply(fault=fault, hits="other"))
    with pytest.raises(FusionError):
        fusion.ask("list_agents")
    assert len(emulator.requests) == 1


@pytest.mark.parametrize("fault", ["server_error", "unavailable", "gateway_timeout", "drop_before"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_message_that_may_have_arrived_is_sent_once(
    fusion: Caller, emulator: Emulator, fault: str, stream: bool
) -> None:
    emulator.script(Reply(fault=fault))
    with pytest.raises((NetworkError, ServerError, TimeoutError)):
        fusion.ask("send_message", AGENT, "hello", stream=stream)
    assert len(emulator.chats) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_message_that_was_one_too_many_is_sent_again(fusion: Caller, emulator: Emulator, stream: bool) -> None:
    emulator.script(*[Reply(fault="rate_limited")] * 3)
    fusion.ask("send_message", AGENT, "hello", stream=stream)
    assert [one.status for one in emulator.chats] == [429, 429, 429, 200]


def test_a_call_that_never_arrived_is_made_again(emulator: Emulator, call: StartCaller) -> None:
    for options in ({"max_retries": 2}, {"max_retries": 0}):
        tries = Tries()
        fusion = call(emulator, base_url=f"http://127.0.0.1:{free_port()}", observer=tries, **options)
        with pytest.raises(NetworkError, match="No connection"):
            fusion.ask("send_message", AGENT, "hello")
        assert tries.count == options["max_retries"] + 1


def test_the_last_error_is_told_when_no_try_went_well(emulator: Emulator, call: StartCaller) -> None:
    emulator.script(*[Reply(fault="unavailable", hits="other")] * 2)
    with pytest.raises(ServerError, match="503"):
        call(emulator, max_retries=1).ask("list_agents")
    assert len(emulator.requests) == 2


def test_a_stream_that_broke_is_not_begun_again(fusion: Caller, emulator: Emulator) -> None:
    emulator.script(Reply("Hello world", fault="drop_in_stream", after=0))
    with pytest.raises(NetworkError):
        fusion.stream().tokens()
    assert len(emulator.chats) == 1


def test_a_deletion_that_may_have_happened_is_made_once(fusion: Caller, emulator: Emulator) -> None:
    chat_id = fusion.ask("create_chat", AGENT, "hello").chat_id
    emulator.script(Reply(fault="drop_before", hits="other"))
    with pytest.raises(NetworkError):
        fusion.ask("delete_chat", chat_id)
    assert [one.method for one in emulator.requests] == ["POST", "DELETE"]


def test_the_service_says_how_long_to_wait_and_no_two_clients_come_back_at_once() -> None:
    told = {pause_after(RateLimitError("", retry_after=7.0), reads=False) for _ in range(10)}
    assert all(7.0 <= seconds <= 8.0 for seconds in told)
    assert len(told) > 1
    assert pause_after(RateLimitError(""), reads=False) is True
    unavailable = as_failure(503, {"retry-after": "7"}, b"")
    assert 7.0 <= pause_after(unavailable, reads=True) <= 8.0


def test_nobody_waits_for_minutes() -> None:
    assert pause_after(RateLimitError("", retry_after=61.0), reads=True) is False


@pytest.mark.parametrize(
    ("error", "reads", "again"),
    [
        (NetworkError(""), True, True),
        (NetworkError(""), False, False),
        (NetworkError("", sent=False), False, True),
        (TimeoutError("", sent=False), False, True),
        (ServerError("", status=503), True, True),
        (ServerError("", status=503), False, False),
        (ServerError(""), True, False),
        (ServerError("", status=503, retry_after=61.0), True, False),
        (NetworkError("", status=302), True, False),
        (ValidationError(""), True, False),
        (KeyError(""), True, False),
    ],
)
def test_what_is_made_again(error: Exception, reads: bool, again: bool) -> None:
    assert bool(pause_after(error, reads=reads)) is again


def test_retries_can_be_switched_off_for_all_clients(fusion: Caller, emulator: Emulator) -> None:
    emulator.script(Reply(fault="unavailable", hits="other"))
    stamina.set_active(False)
    try:
        with pytest.raises(ServerError):
            fusion.ask("list_agents")
    finally:
        stamina.set_active(True)
    assert len(emulator.requests) == 1
