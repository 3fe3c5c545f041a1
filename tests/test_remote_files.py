"""Files that are fetched, from real servers: only from where they may come, and no more of them than may come."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import pytest
import trustme

from custom_handler import StackspotLLM, attachments, remote_files
from custom_handler.errors import RequestError
from custom_handler.remote_files import Address, RemoteFiles, is_public, resolve
from custom_handler.request import ChatRequest, parse
from emulator import Emulator
from tests.support.files import JPEG, PDF, PNG

HOST, OTHER = "files.example", "other.example"
LOOPBACK = ip_address("127.0.0.1")
PATH = "messages[0].content[0].image_url.url"
ENDLESS, SILENT = "/endless", "/silent"


def http(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """An answer as it goes over the wire."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in {"connection": "close", **headers}.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


def moved(location: str) -> bytes:
    return http(status="302 Found", location=location)


@dataclass
class Server:
    """A web server on the loopback address, with the certificate of `HOST`.

    Attributes:
        answers: path → what is sent for it.
        heads: of the requests, as they came.
        sent: bytes of an endless answer that were sent.
        names: asked for in TLS.
        asked, left: set when somebody has asked for something, and when a client has left.
    """

    port: int = 0
    answers: dict[str, bytes] = field(default_factory=dict)
    heads: list[str] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    sent: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def host(self) -> str:
        """As the setting lists it."""
        return f"{HOST}:{self.port}"

    def url(self, path: str = "/a.png", host: str = HOST) -> str:
        return f"https://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heads.append(head)
            self.asked.set()
            await self._answer(head.split()[1], reader, writer)
        writer.close()

    async def _answer(self, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if path == ENDLESS:
            writer.write(http(content_type="image/png"))
            while not self.left.is_set():
                writer.write(PNG * 1000)
                self.sent += len(PNG) * 1000
                await writer.drain()
        elif path == SILENT:
            await reader.read()
            self.left.set()
        else:
            writer.write(self.answers[path])
            await writer.drain()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def trust(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
async def server(authority: trustme.CA) -> AsyncIterator[Server]:
    running = Server(answers={"/a.png": http(PNG, content_type="image/png")})
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(HOST).configure_cert(context)
    context.sni_callback = lambda _socket, name, _context: running.names.append(name)
    listening = await asyncio.start_server(running.serve, "127.0.0.1", 0, ssl=context)
    running.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield running
        running.left.set()


class Names:
    """Resolves every name to the addresses it was given, one list a question; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = [list(map(ip_address, addresses)) for addresses in answers]
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def is_here_or_public(address: Address) -> bool:
    """What may be reached, and the server of the test."""
    return address == LOOPBACK or is_public(address)


def asking(*urls: str) -> ChatRequest:
    """A request that names files by these addresses."""
    content = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return parse([{"role": "user", "content": content}], {})


Fetch = Callable[..., Awaitable[ChatRequest]]


@pytest.fixture
def fetch(server: Server, trust: ssl.SSLContext) -> Fetch:
    """Fetches the files of a request with these addresses."""

    async def fetched(*urls: str, names: Names | None = None, hosts: Sequence[str] = ()) -> ChatRequest:
        listed = frozenset(hosts or [server.host])
        remote = RemoteFiles(listed, trust, names or Names(["127.0.0.1"]), is_here_or_public)
        return await remote.fetch(asking(*urls))

    return fetched


async def refused(fetching: Awaitable[ChatRequest]) -> str:
    with pytest.raises(RequestError) as refusal:
        await fetching
    assert refusal.value.param == PATH
    return refusal.value.message


async def test_a_listed_host_is_asked_by_its_name_at_the_address_that_was_checked(server: Server, fetch: Fetch) -> None:
    names = Names(["127.0.0.1"])
    asked = await fetch(server.url(), names=names)
    assert [(file.name, file.media_type, file.data) for file in asked.attachments] == [("a.png", "image/png", PNG)]
    assert asked.remote_files == ()
    assert names.asked == [(HOST, server.port)]
    assert server.names == [HOST]
    (head,) = server.heads
    assert f"host: {server.host}\r\n" in head.lower()
    assert not any(word in head.lower() for word in ("authorization", "cookie", "gzip"))


async def test_a_request_without_addresses_asks_nobody(server: Server, fetch: Fetch) -> None:
    names = Names([])
    await fetch("data:text/plain,hello", names=names)
    assert not names.asked
    assert not server.heads


async def test_one_address_is_fetched_once_and_several_in_their_order(server: Server, fetch: Fetch) -> None:
    server.answers |= {"/b": http(JPEG, content_type="image/png"), "/c": http(PDF)}
    asked = await fetch(server.url(), server.url("/b"), server.url("/c"), server.url())
    assert [file.name for file in asked.attachments] == ["a.png", "b.jpg", "c.pdf"]
    assert len(server.heads) == 3


async def test_without_the_setting_nothing_is_fetched_and_the_setting_is_named() -> None:
    with pytest.raises(RequestError, match=r"'a\.example', which is not in STACKSPOT_FILE_HOSTS.*data: URL"):
        await RemoteFiles().fetch(asking("https://a.example/b.png"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://other.example/a.png", "'other.example', which is not in STACKSPOT_FILE_HOSTS"),
        ("https://files.example.evil.example/a.png", "not in STACKSPOT_FILE_HOSTS"),
        ("https://sub.files.example/a.png", "not in STACKSPOT_FILE_HOSTS"),
        ("https://files.example:8443/a.png", "'files.example:8443', which is not in STACKSPOT_FILE_HOSTS"),
        ("https://127.0.0.1/a.png", "not in STACKSPOT_FILE_HOSTS"),
        ("https://[::1]/a.png", "not in STACKSPOT_FILE_HOSTS"),
        ("https:///a.png", "not in STACKSPOT_FILE_HOSTS"),
        ("http://files.example/a.png", "begins with https://"),
        ("https://user:password@files.example/a.png", "has no password"),
        ("https://files.example\\@other.example/a.png", "not in STACKSPOT_FILE_HOSTS"),
        ("https://[files.example/a.png", "an address that cannot be read"),
        ("https://files.example:port/a.png", "an address that cannot be read"),
        ("https://files.example/\ud800.png", "an address that cannot be read"),
    ],
)
async def test_an_address_that_may_not_be_fetched_is_refused_before_anybody_is_asked(
    server: Server, fetch: Fetch, url: str, words: str
) -> None:
    names = Names(["127.0.0.1"])
    assert words in await refused(fetch(url, names=names, hosts=[HOST]))
    assert not names.asked
    assert not server.heads


PRIVATE = [
    *("127.0.0.2", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
    *("240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1", "192.0.0.192", "168.63.129.16"),
    *("::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "2001::1"),
    *("::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:a00:1::", "::a00:1"),
]


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_of_a_private_address_is_refused_before_it_is_connected_to(
    server: Server, fetch: Fetch, address: str
) -> None:
    assert not is_public(ip_address(address))
    for addresses in ([address], ["127.0.0.1", address], [address, "127.0.0.1"]):
        assert "not an address of the internet" in await refused(fetch(server.url(), names=Names(addresses)))
    assert not server.heads


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(ip_address(address))


async def test_a_name_that_means_another_address_the_next_time_leads_nowhere_else(server: Server, fetch: Fetch) -> None:
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    assert len((await fetch(server.url(), names=names)).attachments) == 1
    assert len(names.asked) == 1, "the connection is made to the address that was checked, not to the name"


async def test_the_next_address_of_a_name_is_tried_when_one_does_not_answer(
    server: Server, trust: ssl.SSLContext
) -> None:
    names = Names(["127.0.0.9", "127.0.0.1"])
    remote = RemoteFiles([server.host], trust, names, lambda address: address.is_loopback)
    assert len((await remote.fetch(asking(server.url()))).attachments) == 1
    nobody = RemoteFiles([server.host], trust, Names(["127.0.0.9"]), lambda address: address.is_loopback)
    assert "cannot be fetched (ConnectError)" in await refused(nobody.fetch(asking(server.url())))


async def test_a_certificate_of_another_name_is_refused(server: Server, fetch: Fetch) -> None:
    hosts = [f"{OTHER}:{server.port}"]
    assert "cannot be fetched (ConnectError)" in await refused(fetch(server.url(host=OTHER), hosts=hosts))
    assert not server.heads


async def test_nobody_is_trusted_unless_told(server: Server) -> None:
    remote = RemoteFiles([server.host], None, Names(["127.0.0.1"]), is_here_or_public)
    assert "cannot be fetched (ConnectError)" in await refused(remote.fetch(asking(server.url())))


async def test_redirects_are_followed_three_times(server: Server, fetch: Fetch) -> None:
    server.answers |= {f"/{n}": moved(f"/{n - 1}" if n > 1 else "/a.png") for n in range(1, 5)}
    assert (await fetch(server.url("/3"))).attachments[0].data == PNG
    assert "more than 3 redirects" in await refused(fetch(server.url("/4")))


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("https://other.example/a.png", "not in STACKSPOT_FILE_HOSTS"),
        ("https://169.254.169.254/latest/meta-data", "not in STACKSPOT_FILE_HOSTS"),
        ("//127.0.0.1/a.png", "not in STACKSPOT_FILE_HOSTS"),
        ("file:///etc/passwd", "not in STACKSPOT_FILE_HOSTS"),
        ("https://files.example:port/", "cannot be fetched"),
    ],
)
async def test_a_redirect_is_checked_as_the_first_address_was(
    server: Server, fetch: Fetch, location: str, words: str
) -> None:
    server.answers["/moved"] = moved(location)
    assert words in await refused(fetch(server.url("/moved")))
    assert len(server.heads) == 1


async def test_a_redirect_to_a_listed_host_at_a_private_address_is_refused(server: Server, fetch: Fetch) -> None:
    server.answers["/moved"] = moved(server.url())
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    assert "not an address of the internet" in await refused(fetch(server.url("/moved"), names=names))
    assert len(names.asked) == 2


async def test_a_redirect_to_plain_http_is_refused(server: Server, fetch: Fetch) -> None:
    server.answers["/moved"] = moved(server.url().replace("https", "http"))
    assert "begins with https://" in await refused(fetch(server.url("/moved")))


async def test_an_endless_file_is_left_when_it_is_too_large(
    server: Server, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_files, "MAX_FILE", 100_000)
    assert "has more than 100000 bytes" in await refused(fetch(server.url(ENDLESS)))
    assert server.sent < 20_000_000, "what buffers on the way hold, and no more"


async def test_files_that_are_too_large_together_are_refused(
    server: Server, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "MAX_TOTAL", len(PNG) + 1)
    server.answers["/b"] = http(JPEG)
    with pytest.raises(RequestError, match="bytes of files"):
        await fetch(server.url(), server.url("/b"), server.url("/c"))
    assert len(server.heads) == 2


async def test_a_file_that_does_not_come_is_given_up(
    server: Server, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_files, "_PATIENCE", 0.3)
    assert "did not come within 0.3 s" in await refused(fetch(server.url(SILENT)))
    await asyncio.wait_for(server.left.wait(), 5)


async def test_a_request_that_is_cancelled_closes_the_connection(server: Server, fetch: Fetch) -> None:
    fetching = asyncio.ensure_future(fetch(server.url(SILENT)))
    await server.asked.wait()
    fetching.cancel()
    await asyncio.wait_for(server.left.wait(), 5)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (http(b"<html>", content_type="text/html; charset=utf-8"), "a web page"),
        (http(status="404 Not Found"), "its host answered with 404"),
        (http(status="304 Not Modified"), "its host answered with 304"),
        (http(status="500 Oops"), "its host answered with 500"),
        (http(b"hello", content_type="image/png"), "first bytes"),
        (http(b"MZ\x00", content_type="application/x-msdownload"), "not accepted"),
        (http(b"MZ\x00"), "none is told"),
        (http(PNG, content_type="image/png", content_encoding="gzip"), "sent it packed"),
        (http(b"", content_type="image/png"), "empty"),
        (http(PNG[:20], content_type="image/png", content_length="500"), "cannot be fetched (RemoteProtocolError)"),
        (b"SSH-2.0-OpenSSH_9\r\n", "cannot be fetched (RemoteProtocolError)"),
    ],
)
async def test_an_answer_that_is_no_such_file_is_refused(
    server: Server, fetch: Fetch, answer: bytes, words: str
) -> None:
    server.answers["/x"] = answer
    assert words in await refused(fetch(server.url("/x")))


async def test_a_host_that_nobody_knows_is_refused() -> None:
    fetching = RemoteFiles(["no.invalid"]).fetch(asking("https://no.invalid/a.png"))
    assert "cannot be fetched (gaierror)" in await refused(fetching)


async def test_names_are_resolved_to_all_of_their_addresses() -> None:
    assert LOOPBACK in await resolve("localhost", 443)


async def test_no_proxy_is_used_since_it_would_resolve_the_name_itself(
    server: Server, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert len((await fetch(server.url())).attachments) == 1


#: A provider lives as long as its program; one that is dropped before its event loop would leave connections open.
_KEPT: list[StackspotLLM] = []


@pytest.mark.usefixtures("settings_set")
async def test_what_was_fetched_is_sent_to_the_agent(
    server: Server, authority: trustme.CA, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("STACKSPOT_CA_BUNDLE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("STACKSPOT_FILE_HOSTS", server.host)
    here = partial(RemoteFiles, resolve=Names(["127.0.0.1"]), may_reach=is_here_or_public)
    monkeypatch.setattr("custom_handler.upstream.pool.RemoteFiles", here)
    _KEPT.append(StackspotLLM())
    image = {"type": "image_url", "image_url": {"url": server.url()}}
    answer = await _KEPT[-1].acompletion(model="chat", messages=[{"role": "user", "content": [image]}])
    assert [(file.file_name, file.content) for file in emulator.files] == [("a.png", PNG)]
    assert "a.png" in (answer.choices[0].message.content or "")
