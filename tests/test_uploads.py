"""Files on their way to StackSpot: each once, and what comes of every fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from custom_handler import errors
from custom_handler.attachments import Attachment, FileReference, Files
from custom_handler.auth import BearerAuth, TokenSource
from custom_handler.metrics import UPLOADS
from custom_handler.redis_link import RedisLink
from custom_handler.settings import Account, Connection
from custom_handler.transport import new_client
from custom_handler.upstream import stackspot_files, uploads
from custom_handler.upstream.stackspot_files import StackspotFiles
from custom_handler.upstream.uploads import Uploads
from emulator import Emulator, Options, Reply
from tests.support.clock import Clock
from tests.support.files import JPEG, PDF, PNG, data_url
from tests.support.redis_server import RedisServer


def attachment(data: bytes = PDF, name: str = "relatório.pdf") -> Attachment:
    file = Files().add(FileReference(data_url(data, ""), name, "p"))
    assert isinstance(file, Attachment)
    return file


Start = Callable[..., Uploads]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts uploads to an emulator."""
    async with AsyncExitStack() as stack:

        def started(emulator: Emulator, realm: str = "emulated", redis: str = "", **more: Any) -> Uploads:
            connection = Connection(emulator.url, emulator.url, emulator.url, None, connect_timeout=5, read_timeout=5)
            client = new_client(connection)
            stack.push_async_callback(client.aclose)
            link = RedisLink(redis) if redis else None
            if link is not None:
                stack.push_async_callback(link.aclose)
            account = Account(realm, "id", "secret")
            auth = BearerAuth(TokenSource(client, connection, account))
            return Uploads(StackspotFiles(client, connection, auth), account, link, **more)

        yield started


@pytest.fixture
def counted() -> Callable[[], dict[str, float]]:
    """What the figure has risen by since the test began."""

    def now() -> dict[str, float]:
        outcomes = ("sent", "reused", "refused", "failed")
        return {outcome: UPLOADS.labels(outcome)._value.get() for outcome in outcomes}

    before = now()
    return lambda: {outcome: value - before[outcome] for outcome, value in now().items() if value != before[outcome]}


def stored(emulator: Emulator) -> list[tuple[str, bytes | None]]:
    return [(file.file_name, file.content) for file in emulator.files]


async def test_a_file_is_sent_by_the_two_steps_of_the_service(emulator: Emulator, start: Start) -> None:
    (upload_id,) = await start(emulator).ids([attachment()])
    assert [file.id for file in emulator.files] == [upload_id]
    assert stored(emulator) == [("relatório.pdf", PDF)]
    form, post = (one for one in emulator.requests if "token" not in one.path)
    assert form.json == {"file_name": "relatório.pdf", "target_type": "CONTEXT", "expiration": 60}
    assert form.headers["authorization"].startswith("Bearer ")
    assert "authorization" not in post.headers
    assert post.body.rindex(b'name="file"') > post.body.rindex(b'name="x-amz-signature"')
    assert b"application/pdf" in post.body


async def test_ids_come_in_the_order_of_their_files(emulator: Emulator, start: Start) -> None:
    files = [attachment(bytes([65 + n]) * 10, f"{n}.txt") for n in range(20)]
    ids = await start(emulator).ids(files)
    names = {file.id: file.file_name for file in emulator.files}
    assert [names[each] for each in ids] == [file.name for file in files]


async def test_nothing_is_asked_for_no_files(emulator: Emulator, start: Start) -> None:
    assert await start(emulator).ids([]) == ()
    assert not emulator.requests


@pytest.mark.parametrize("status", [200, 201, 204])
async def test_a_store_may_say_in_three_ways_that_it_took_a_file(start: Start, status: Any) -> None:
    with Emulator(Options(stored_status=status)) as emulator:
        assert len(await start(emulator).ids([attachment()])) == 1


async def test_the_same_file_is_sent_once_while_its_id_lives(
    emulator: Emulator, start: Start, counted: Callable[[], dict[str, float]]
) -> None:
    clock = Clock()
    sender = start(emulator, clock=clock)
    first = await sender.ids([attachment()])
    clock.now += 44
    assert await sender.ids([attachment()]) == first
    assert counted() == {"sent": 1, "reused": 1}
    clock.now += 2
    assert await sender.ids([attachment()]) != first
    assert len(emulator.forms) == 2


async def test_an_id_lives_by_either_meaning_of_the_time_that_was_asked_for(start: Start) -> None:
    clock = Clock()
    with Emulator(Options(expiration_unit="seconds", files_expire=True)) as emulator:
        sender = start(emulator, clock=clock)
        for seconds in (0, 20, 24, 20, 70):
            clock.now += seconds
            emulator.advance(seconds)
            (upload_id,) = await sender.ids([attachment()])
            assert upload_id in {file.id for file in emulator.files}
        assert len(emulator.forms) == 3


async def test_another_name_or_account_is_another_file(emulator: Emulator, start: Start) -> None:
    sender = start(emulator)
    first = await sender.ids([attachment(PDF, "a.pdf")])
    assert await sender.ids([attachment(PDF, "b.pdf")]) != first
    assert await start(emulator, realm="payments").ids([attachment(PDF, "a.pdf")]) != first
    assert len(emulator.forms) == 3


async def test_requests_at_the_same_time_share_one_upload(
    emulator: Emulator, start: Start, counted: Callable[[], dict[str, float]]
) -> None:
    sender = start(emulator)
    ids = await asyncio.gather(*(sender.ids([attachment()]) for _ in range(20)))
    assert len(set(ids)) == len(emulator.forms) == 1
    assert counted() == {"sent": 1, "reused": 19}


async def test_one_that_leaves_does_not_take_the_upload_of_the_others_with_it(emulator: Emulator, start: Start) -> None:
    emulator.script(Reply(fault="form_slow", seconds=0, hold=True))
    sender = start(emulator)
    leaving = asyncio.create_task(sender.ids([attachment()]))
    staying = asyncio.create_task(sender.ids([attachment()]))
    await asyncio.to_thread(emulator.wait_for, lambda e: e.forms[0].held)
    leaving.cancel()
    await asyncio.wait([leaving])
    emulator.release()
    assert len(await staying) == 1
    assert len(emulator.forms) == 1


async def test_no_more_than_four_are_on_their_way(emulator: Emulator, start: Start) -> None:
    emulator.script(*[Reply(fault="form_slow", seconds=0, hold=True)] * 4)
    files = [attachment(bytes([65 + n]) * 10, f"{n}.txt") for n in range(9)]
    sending = asyncio.create_task(start(emulator).ids(files))
    await asyncio.to_thread(emulator.wait_for, lambda e: sum(form.held for form in e.forms) == 4)
    assert len(emulator.forms) == 4
    emulator.release()
    assert len(await sending) == 9


@pytest.mark.parametrize(
    ("fault", "kind", "words", "outcome"),
    [
        ("form_refused", errors.RequestError, r"did not accept the file 'a\.pdf' \(400, INFERENCE_0000", "refused"),
        ("form_forbidden", errors.UploadRefusedError, "Enterprise account", "refused"),
        ("form_rate_limited", errors.RateLimitedError, "no more files for now", "failed"),
        ("form_down", errors.UnavailableError, "unavailable", "failed"),
        ("form_drop", errors.BrokenAnswerError, r"StackSpot at 127\.0\.0\.1:\d+ broke", "failed"),
        ("form_slow", errors.UpstreamTimeoutError, "did not answer in time", "failed"),
        ("form_web_page", errors.BrokenAnswerError, "without a form", "failed"),
        ("form_incomplete", errors.BrokenAnswerError, "without a form", "failed"),
        ("form_odd_address", errors.BrokenAnswerError, "not usable", "failed"),
        ("store_refused", errors.UpstreamError, r"file store refused 'a\.pdf' \(403, AccessDenied\)", "failed"),
        ("store_too_large", errors.RequestError, r"finds 'a\.pdf' too large \(400\)", "refused"),
        ("store_down", errors.UnavailableError, r"did not take 'a\.pdf' \(503, SlowDown\)", "failed"),
        ("store_drop", errors.BrokenAnswerError, r"The file store at 127\.0\.0\.1:\d+ broke", "failed"),
        ("store_slow", errors.UpstreamTimeoutError, "The file store at .* did not answer in time", "failed"),
    ],
)
async def test_every_fault_is_an_error_and_the_next_try_is_a_new_one(
    emulator: Emulator,
    start: Start,
    counted: Callable[[], dict[str, float]],
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    kind: type[errors.BridgeError],
    words: str,
    outcome: str,
) -> None:
    monkeypatch.setattr(stackspot_files, "_PATIENCE", 0.2 if fault.endswith("slow") else 5)
    emulator.script(Reply(fault=fault, seconds=3600))
    sender, file = start(emulator), attachment(PDF, "a.pdf")
    with pytest.raises(kind, match=words) as raised:
        await sender.ids([file])
    assert type(raised.value) is kind
    assert counted() == {outcome: 1}
    assert len(await sender.ids([file])) == 1


async def test_a_failure_is_the_failure_of_all_who_wait_and_of_nobody_later(emulator: Emulator, start: Start) -> None:
    emulator.script(Reply(fault="form_refused"))
    sender = start(emulator)
    together = await asyncio.gather(*(sender.ids([attachment()]) for _ in range(5)), return_exceptions=True)
    assert {type(each) for each in together} == {errors.RequestError}
    assert len(await sender.ids([attachment()])) == 1


async def test_a_token_that_was_revoked_is_renewed(emulator: Emulator, start: Start) -> None:
    sender = start(emulator)
    await sender.ids([attachment(PNG, "a.png")])
    emulator.revoke_tokens()
    assert len(await sender.ids([attachment(JPEG, "b.jpg")])) == 1
    assert len(emulator.token_requests) == 2


async def test_the_oldest_ids_are_forgotten_first(
    emulator: Emulator, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "_KEPT", 2)
    sender = start(emulator)
    one, two, three = (attachment(bytes([65 + n]) * 10, f"{n}.txt") for n in range(3))
    for file in (one, two, three, two, one):
        await sender.ids([file])
    assert [form.json["file_name"] for form in emulator.forms] == ["0.txt", "1.txt", "2.txt", "0.txt"]


@pytest.mark.parametrize(
    ("url", "service", "safe"),
    [
        ("https://store.example.com/x", "https://data.example.com", True),
        ("http://store.example.com/x", "http://127.0.0.1:4001", True),
        ("https://store.example.com/x", "http://127.0.0.1:4001", True),
        ("http://store.example.com/x", "https://data.example.com", False),
        ("file:///etc/passwd", "https://data.example.com", False),
        ("ftp://store.example.com", "https://data.example.com", False),
        ("https://user:password@store.example.com", "https://data.example.com", False),
        ("https:///x", "https://data.example.com", False),
        ("http://[", "http://data.example.com", False),
        ("", "https://data.example.com", False),
    ],
)
def test_a_file_goes_only_where_it_is_safe(url: str, service: str, safe: bool) -> None:
    assert stackspot_files._is_safe(url, service) == safe


async def test_workers_share_ids_through_redis(
    emulator: Emulator, start: Start, redis_server: RedisServer, counted: Callable[[], dict[str, float]]
) -> None:
    one, other = (start(emulator, redis=redis_server.url) for _ in range(2))
    first = await one.ids([attachment()])
    assert await other.ids([attachment()]) == first
    assert await other.ids([attachment(PDF, "b.pdf")]) != first
    assert counted() == {"sent": 2, "reused": 1}


async def test_what_one_worker_forgets_no_other_uses_again(
    emulator: Emulator, start: Start, redis_server: RedisServer
) -> None:
    one, other = (start(emulator, redis=redis_server.url) for _ in range(2))
    first = await one.ids([attachment()])
    await one.forget([attachment()])
    await one.forget([])
    assert await other.ids([attachment()]) != first


async def test_what_workers_share_ends_with_the_id_and_tells_nothing_of_the_file(
    emulator: Emulator, start: Start, redis_server: RedisServer
) -> None:
    (upload_id,) = await start(emulator, redis=redis_server.url).ids([attachment()])
    link = RedisLink(redis_server.url)
    (key,) = await link.run(lambda redis: redis.keys("*"))
    assert await link.run(lambda redis: redis.get(key)) == upload_id
    assert 0 < await link.run(lambda redis: redis.pttl(key)) <= 45_000
    await link.aclose()
    assert not any(word in key for word in ("relat", attachment().digest, "emulated"))


async def test_without_redis_each_sends_its_own(emulator: Emulator, start: Start, redis_server: RedisServer) -> None:
    redis_server.stop()
    one, other = (start(emulator, redis=redis_server.url) for _ in range(2))
    first = await one.ids([attachment()])
    assert await other.ids([attachment()]) != first
    assert await one.ids([attachment()]) == first
