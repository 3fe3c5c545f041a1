"""Whatever goes wrong becomes one of our errors, which says what happened and never the key."""

from __future__ import annotations

import asyncio
import json
import pickle
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

import httpx
import pytest

from emulator import FAULTS, Emulator, Reply
from emulator.errors import BODY_STYLES, BodyStyle
from fusion_client import (
    AgentNotFoundError,
    AuthenticationError,
    ChatNotFoundError,
    FusionClient,
    FusionError,
    NetworkError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    TimeoutError,
    UnsupportedError,
    ValidationError,
)
from fusion_client.failures import as_failure, as_network_failure
from tests.fusion.callers import AGENT, KEY
from tests.fusion.conftest import StartCaller
from tests.support.proxy import free_port

REFUSED: dict[str, type[FusionError]] = {
    "unauthorized_once": AuthenticationError,
    "expired_token": AuthenticationError,
    "forbidden": PermissionDeniedError,
    "rate_limited": RateLimitError,
    "too_long": ValidationError,
    "not_found": AgentNotFoundError,
    "unprocessable": ValidationError,
    "server_error": ServerError,
    "bad_gateway": ServerError,
    "unavailable": ServerError,
    "gateway_timeout": TimeoutError,
    "slow_first_byte": TimeoutError,
    "drop_before": NetworkError,
}
BROKEN: dict[str, type[FusionError]] = {
    "drop_in_stream": NetworkError,
    "reset_in_stream": NetworkError,
    "drop_in_marker": NetworkError,
    "cut_in_frame": ServerError,
    "endless_empty": TimeoutError,
    "error_event": ServerError,
    "error_type": ServerError,
    "error_object": ServerError,
    "error_text": ServerError,
    "nested": ServerError,
}
CHAT_FAULTS = {name for name, fault in FAULTS.items() if fault.hits == "chat"}
HARMLESS = CHAT_FAULTS - REFUSED.keys() - BROKEN.keys()
ADDED = {"lone_surrogate": "\ufffd", "line_separators": "\u2028\u2029\u0085"}
TEXT = "Hello 😀, wide world"


@pytest.mark.parametrize("fault", REFUSED)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_refused_message_is_an_error_of_its_kind(
    emulator: Emulator, call: StartCaller, fault: str, stream: bool
) -> None:
    emulator.script(Reply(fault=fault))
    fusion = call(emulator, max_retries=0, timeout=1.0)
    with pytest.raises(REFUSED[fault]) as caught:
        fusion.ask("send_message", AGENT, "hello", stream=stream)
    assert type(caught.value) is REFUSED[fault]
    assert len(emulator.chats) == 1
    assert caught.value.status == emulator.chats[0].status
    assert (caught.value.request_id is None) == (caught.value.status is None)


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_stream_is_an_error_after_the_tokens_that_came(
    emulator: Emulator, call: StartCaller, fault: str
) -> None:
    emulator.script(Reply(TEXT, chunk=5, fault=fault))
    stream = call(emulator, timeout=0.5).stream()
    assert stream.first() == TEXT[:5]
    with pytest.raises(BROKEN[fault]) as caught:
        stream.whole()
    assert type(caught.value) is BROKEN[fault]
    assert len(emulator.chats) == 1


@pytest.mark.parametrize("fault", sorted(HARMLESS))
def test_an_odd_stream_loses_nothing(emulator: Emulator, call: StartCaller, fault: str) -> None:
    emulator.script(Reply(TEXT, chunk=5, fault=fault))
    stream = call(emulator).stream()
    tokens = stream.tokens()
    assert "".join(tokens) == TEXT[:10] + ADDED.get(fault, "") + TEXT[10:]
    assert stream.whole().text == "".join(tokens)
    assert all(tokens)


@pytest.mark.parametrize("body", BODY_STYLES)
def test_an_error_is_told_apart_by_its_status_whatever_its_body(
    emulator: Emulator, call: StartCaller, body: BodyStyle
) -> None:
    emulator.script(Reply(fault="server_error", body=body), Reply(fault="unprocessable", body=body))
    fusion = call(emulator, max_retries=0)
    with pytest.raises(ServerError, match=r"Fusion failed \(500"):
        fusion.ask("send_message", AGENT, "hello")
    with pytest.raises(ValidationError, match=r"did not accept the request \(422"):
        fusion.ask("send_message", AGENT, "hello")


def test_a_web_page_in_place_of_an_answer_is_named(emulator: Emulator, call: StartCaller) -> None:
    fusion = call(emulator)
    emulator.script(*[Reply(fault="form_web_page", hits=kind) for kind in ("other", "chat", "chat")])
    with pytest.raises(ServerError, match="login page"):
        fusion.ask("list_agents")
    with pytest.raises(ServerError, match="login page"):
        fusion.ask("send_message", AGENT, "hello")
    with pytest.raises(ServerError, match="login page"):
        fusion.stream().tokens()


@pytest.mark.parametrize(
    ("body", "code", "prose"),
    [
        (b'{"error": {"code": "odd", "message": "Why."}}', "odd", "Why."),
        (b'{"error": "Why."}', None, "Why."),
        (b'{"detail": "Why."}', None, "Why."),
        (b'{"detail": [{"msg": "Why."}, "And"]}', None, "Why.; And"),
        (b'{"code": 7, "message": "Why."}', "7", "Why."),
        (b"Why.", None, "Why."),
        (b"<html>Why.</html>", None, None),
        (b"[1]", None, None),
        (b'{"error": {"code": null, "message": {}}}', None, None),
        (b"[" * 100_000, None, "[["),
        (b"\xff\xfe", None, "\ufffd"),
        (b"", None, None),
    ],
)
def test_the_body_of_an_error_is_read_in_every_shape(body: bytes, code: str | None, prose: str | None) -> None:
    error = as_failure(418, {"x-request-id": "r-1"}, body)
    assert (type(error), error.status, error.code, error.request_id) == (ValidationError, 418, code, "r-1")
    assert ("): " in error.message) == (prose is not None)
    assert (prose or "") in error.message
    assert (error.details is None) == (body == b"")


@pytest.mark.parametrize(
    ("status", "kind"),
    {
        302: NetworkError,
        400: ValidationError,
        405: UnsupportedError,
        408: TimeoutError,
        413: ValidationError,
        501: UnsupportedError,
        507: ServerError,
        999: ServerError,
    }.items(),
)
def test_every_status_has_a_meaning(status: int, kind: type[FusionError]) -> None:
    assert type(as_failure(status, {}, b"")) is kind


@pytest.mark.parametrize(
    ("code", "kind"),
    {
        "agent_not_found": AgentNotFoundError,
        "chat_not_found": ChatNotFoundError,
        "file_not_found": NotFoundError,
        "not_found": ChatNotFoundError,
    }.items(),
)
def test_what_is_missing_is_what_the_service_says_or_what_was_asked_for(code: str, kind: type[FusionError]) -> None:
    body = f'{{"error": {{"code": "{code}"}}}}'.encode()
    assert type(as_failure(404, {}, body, missing=ChatNotFoundError)) is kind


def test_the_time_to_wait_is_read_in_both_forms() -> None:
    def wait(value: str | None) -> float | None:
        error = as_failure(429, {} if value is None else {"retry-after": value}, b"")
        assert isinstance(error, RateLimitError)
        return error.retry_after

    soon = datetime.now(UTC) + timedelta(seconds=90)
    assert wait("7") == 7.0
    assert 80 < (wait(format_datetime(soon, usegmt=True)) or 0) <= 90
    assert 80 < (wait(format_datetime(soon.replace(tzinfo=None)).replace("-0000", "")) or 0) <= 90
    assert wait("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert wait(None) is wait("soon") is wait("") is None


HTTPX_ERRORS = [
    kind
    for kind in vars(httpx).values()
    if isinstance(kind, type) and issubclass(kind, httpx.HTTPError) and kind is not httpx.HTTPStatusError
]


@pytest.mark.parametrize("kind", HTTPX_ERRORS)
def test_every_error_of_httpx_is_one_of_ours_and_its_text_is_not_repeated(kind: type[httpx.HTTPError]) -> None:
    error = as_network_failure(kind(f"Illegal header value b'Bearer {KEY}'"), "fusion.example")
    assert isinstance(error, NetworkError | TimeoutError)
    assert "fusion.example" in error.message
    assert KEY not in repr(error)
    unsent = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
    assert error.sent == (not issubclass(kind, (*unsent, httpx.LocalProtocolError)))


@pytest.mark.parametrize(
    ("text", "cause"),
    {
        "[SSL: CERTIFICATE_VERIFY_FAILED]": "SSL_CERT_FILE",
        "[Errno -2] Name or service not known": "cannot be resolved",
        "[Errno -3] Temporary failure in name resolution": "cannot be resolved",
        "All connection attempts failed": "refused or lost",
    }.items(),
)
def test_why_there_is_no_connection_is_said(text: str, cause: str) -> None:
    assert cause in as_network_failure(httpx.ConnectError(text), "fusion.example").message


def test_no_connection_is_an_error_that_says_where(emulator: Emulator, call: StartCaller) -> None:
    fusion = call(emulator, base_url=f"http://127.0.0.1:{free_port()}", max_retries=0)
    with pytest.raises(NetworkError, match=r"No connection to Fusion at 127\.0\.0\.1") as caught:
        fusion.ask("list_agents")
    assert not caught.value.sent


def test_no_text_of_an_error_nor_of_a_client_has_the_key(emulator: Emulator, call: StartCaller) -> None:
    fusion = call(emulator, max_retries=0, timeout=1.0)
    errors: list[BaseException] = []
    for fault in REFUSED:
        emulator.script(Reply(fault=fault))
        with pytest.raises(FusionError) as caught:
            fusion.ask("send_message", AGENT, "hello")
        errors.append(caught.value)
    echo = f'{{"error": {{"message": "bad key {KEY}"}}, "key": "{KEY}"}}'.encode()
    errors.append(as_failure(401, {}, echo, secret=KEY))
    for error in errors:
        told = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
        assert KEY not in told
    assert KEY not in repr(vars(fusion.client)) + repr(fusion.client)


async def test_of_an_endless_error_page_as_much_is_read_as_is_worth_it() -> None:
    read = 0

    async def page() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 4096

    transport = httpx.MockTransport(lambda _: httpx.Response(500, content=page()))
    async with httpx.AsyncClient(transport=transport) as http:
        client = FusionClient(KEY, base_url="http://fusion.example", http_client=http, max_retries=0)
        with pytest.raises(ServerError, match="xxx") as caught:
            await client.list_agents()
    assert len(caught.value.message) < 400
    assert read < 20


@pytest.mark.parametrize(("status", "kind"), {401: AuthenticationError, 429: RateLimitError, 503: ServerError}.items())
async def test_an_error_whose_reason_is_cut_is_told_by_its_status(status: int, kind: type[FusionError]) -> None:
    async def cut() -> AsyncIterator[bytes]:
        yield b'{"error'
        raise httpx.ReadError("cut")

    async with answering(lambda _: httpx.Response(status, content=cut())) as client:
        with pytest.raises(kind):
            await client.list_agents()


async def test_a_stream_of_comments_alone_is_not_waited_for() -> None:
    async def comments() -> AsyncIterator[bytes]:
        while True:
            yield b": ping\n\n"
            await asyncio.sleep(0.01)

    head = {"content-type": "text/event-stream"}
    async with answering(lambda _: httpx.Response(200, headers=head, content=comments()), timeout=0.1) as client:
        with pytest.raises(TimeoutError, match="stream without text"):
            await (await client.send_message(AGENT, "hello", stream=True))


EVENT = {"error": {"code": "odd", "message": f"The key {KEY} may not."}}


@pytest.mark.parametrize("event", [f"data: {json.dumps(EVENT)}\n\n", f"event: error\ndata: Not {KEY}.\n\n"])
async def test_an_error_of_a_stream_has_the_request_id_and_details_but_not_the_key(event: str) -> None:
    head = {"content-type": "text/event-stream", "x-request-id": "r-1"}
    async with answering(lambda _: httpx.Response(200, headers=head, text=event)) as client:
        stream = await client.send_message(AGENT, "hello", stream=True)
        with pytest.raises(ServerError) as caught:
            await stream
    told = str(caught.value) + repr(caught.value.details)
    assert (caught.value.request_id, "***" in str(caught.value.details), KEY in told) == ("r-1", True, False)


async def test_an_answer_that_cannot_be_read_or_is_cut_has_its_request_id() -> None:
    async def cut() -> AsyncIterator[bytes]:
        yield b"["
        raise httpx.ReadError("cut")

    contents: dict[type[FusionError], bytes | AsyncIterator[bytes]] = {ServerError: b"[", NetworkError: cut()}
    for kind, content in contents.items():
        answers = [httpx.Response(200, headers={"x-request-id": "r-1"}, content=content)]
        async with answering(partial(next, iter(answers))) as client:
            with pytest.raises(kind) as caught:
                await client.list_agents()
        assert caught.value.request_id == "r-1"


def test_an_error_can_be_printed_whatever_the_service_wrote() -> None:
    assert as_failure(500, {}, b'{"error": {"message": "x\\ud83d"}}').message.encode()


@asynccontextmanager
async def answering(answer: Callable[[httpx.Request], httpx.Response], **options: Any) -> AsyncIterator[FusionClient]:
    """A client whose requests are all answered so."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        yield FusionClient(KEY, base_url="http://fusion.example", http_client=http, max_retries=0, **options)


def test_errors_can_be_pickled() -> None:
    error = RateLimitError("Wait.", retry_after=3.0, status=429, details={"a": 1})
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_errors_are_also_what_python_calls_them() -> None:
    assert issubclass(TimeoutError, OSError)
    assert issubclass(ValidationError, ValueError)
    assert str(TimeoutError("Late.")) == "Late."
