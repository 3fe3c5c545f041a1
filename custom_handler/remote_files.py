"""Files that a request names by their address, fetched: from listed hosts only, and never from a private address.

Clients choose the addresses, and the proxy stands inside a network. So a name is resolved here, every address that it
has must be a public one, and the connection goes to the address that was checked: who answers the question for a name
differently a moment later gains nothing. A redirect begins anew with all of that. For the same reason no HTTP proxy is
used: it would resolve the name itself.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import aclosing, suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeAlias

import httpx

from custom_handler.attachments import MAX_FILE, Attachment, RemoteFile, check_total, fetched
from custom_handler.errors import RequestError
from custom_handler.request import ChatRequest
from custom_handler.settings import FILE_HOSTS

Address: TypeAlias = IPv4Address | IPv6Address

_REDIRECTS = 3
#: Seconds for all files of a request, with all their redirects.
_PATIENCE = 20.0
_TIMEOUT = httpx.Timeout(_PATIENCE, connect=5)
_HTTPS = 443
#: Nothing packed: a few bytes of that could become many.
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity"}

_NAT64 = ip_network("64:ff9b::/96")
#: Public by their number, and yet inside: 6to4 and a second NAT64 may lead to any IPv4 address; services that clouds
#: have for their own machines (Azure's, and Oracle's, which only newer versions of Python know to be private).
_INSIDE = tuple(map(ip_network, ("2002::/16", "64:ff9b:1::/48", "168.63.129.16/32", "192.0.0.0/24")))


def is_public(address: Address) -> bool:
    """Whether `address` belongs to a machine of the internet, as far as its number tells."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address.is_site_local:
            return False
    special = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not special and not any(address in network for network in _INSIDE)


async def resolve(host: str, port: int) -> Sequence[Address]:
    """All addresses of `host`.

    Raises:
        OSError: it has none.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(each[4][0]) for each in found]


class RemoteFiles:
    """Fetches the files of requests.

    Args:
        hosts: from where; `host`, or `host:port` where the port is not 443.
        trust: checks their certificates; not needed where no host is listed.
        resolve, may_reach: as the functions of this module; a test brings its own.
    """

    def __init__(
        self,
        hosts: Collection[str] = (),
        trust: ssl.SSLContext | None = None,
        resolve: Callable[[str, int], Awaitable[Sequence[Address]]] = resolve,
        may_reach: Callable[[Address], bool] = is_public,
    ) -> None:
        self._hosts = hosts
        self._trust = trust or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which trusts nobody
        self._resolve = resolve
        self._may_reach = may_reach

    async def fetch(self, request: ChatRequest) -> ChatRequest:
        """`request` with all its files. They come one after the other, since few requests have more than one.

        Raises:
            RequestError: one may not be fetched, does not come, or is of a type that is not accepted.
        """
        files = request.remote_files
        if not files:
            return request
        here: dict[RemoteFile, Attachment] = {}
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        for file in files:
            try:
                async with asyncio.timeout_at(deadline):
                    here[file] = await self._fetched(file)
            except TimeoutError as exc:
                raise _refusal(file, f"did not come within {_PATIENCE:g} s") from exc
            except (httpx.HTTPError, OSError) as exc:
                raise _refusal(file, f"cannot be fetched ({type(exc).__name__})") from exc
            check_total(here.values(), file.path)
        return request.with_fetched(here)

    async def _fetched(self, file: RemoteFile) -> Attachment:
        url = _address(file, file.url)
        # A client for each file: no connection that was checked for one name serves another, and no cookie is kept.
        async with httpx.AsyncClient(verify=self._trust, trust_env=False, timeout=_TIMEOUT) as client:
            for _ in range(1 + _REDIRECTS):
                async with aclosing(await self._answer(client, url, file)) as response:
                    if not response.has_redirect_location:
                        return await _read(response, file)
                    url = _address(file, response.headers["location"], url)
        raise _refusal(file, f"is behind more than {_REDIRECTS} redirects")

    async def _answer(self, client: httpx.AsyncClient, url: httpx.URL, file: RemoteFile) -> httpx.Response:
        """The answer, unread, of the first machine at `url` that can be reached."""
        *others, last = await self._addresses(url, file)
        for address in others:
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await client.send(_request(client, url, address), stream=True)
        return await client.send(_request(client, url, last), stream=True)

    async def _addresses(self, url: httpx.URL, file: RemoteFile) -> Sequence[Address]:
        host, port = url.raw_host.decode("ascii"), url.port or _HTTPS
        listed = host if port == _HTTPS else f"{host}:{port}"
        if listed not in self._hosts:
            raise _refusal(
                file, f"is on {listed!r:.80}, which is not in {FILE_HOSTS.name}: send its bytes in a data: URL instead"
            )
        if url.scheme != "https" or url.userinfo:
            raise _refusal(file, "must be named by an address that begins with https:// and has no password")
        addresses = await self._resolve(host, port)
        if not addresses or not all(map(self._may_reach, addresses)):
            raise _refusal(file, f"is on {listed!r:.80}, which is not an address of the internet")
        return addresses


def _address(file: RemoteFile, address: str, base: httpx.URL | None = None) -> httpx.URL:
    try:
        return base.join(address) if base is not None else httpx.URL(address)
    except (httpx.InvalidURL, UnicodeError) as exc:
        raise _refusal(file, "has an address that cannot be read") from exc


def _request(client: httpx.AsyncClient, url: httpx.URL, address: Address) -> httpx.Request:
    """A request to `address` and no other, for what is at `url`; its certificate must be that of the name."""
    return client.build_request(
        "GET",
        url.copy_with(host=str(address)),
        headers={**_HEADERS, "Host": url.netloc.decode("ascii")},
        extensions={"sni_hostname": url.raw_host.decode("ascii")},
    )


async def _read(response: httpx.Response, file: RemoteFile) -> Attachment:
    declared = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if response.status_code != httpx.codes.OK or declared == "text/html":
        what = "a web page" if response.status_code == httpx.codes.OK else response.status_code
        raise _refusal(file, f"cannot be fetched: its host answered with {what}")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise _refusal(file, "cannot be fetched: its host sent it packed")
    data = bytearray()
    async for piece in response.aiter_raw():
        data += piece
        if len(data) > MAX_FILE:
            raise _refusal(file, f"has more than {MAX_FILE} bytes")
    return fetched(file, declared, bytes(data))


def _refusal(file: RemoteFile, clause: str) -> RequestError:
    return RequestError(f"The file in {file.path} {clause}.", param=file.path)
