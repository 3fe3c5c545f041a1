"""Who may use the proxy."""

from __future__ import annotations

import hashlib
import json
import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from custom_handler.errors import KeyRefusedError
from custom_handler.key_list import Key, digest
from custom_handler.keys import KeysOfSettings, presented
from tests.proxy import endpoints
from tests.proxy.conftest import KEY, Proxies
from tests.support.proxy import ProxyProcess

LOCAL = ("127.0.0.1", 4000)


def scope(client: Any = LOCAL, server: Any = LOCAL, **headers: str) -> dict[str, Any]:
    """An ASGI scope; `x_real_ip="…"` is the header `x-real-ip`."""
    named = {"host": "localhost:4000"} | {name.replace("_", "-"): value for name, value in headers.items()}
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
    return {"type": "http", "client": client, "server": server, "headers": encoded}


def keys(master_key: str | None) -> KeysOfSettings:
    """The keys of a proxy without a list."""
    return KeysOfSettings(lambda: master_key, lambda: None)


@pytest.mark.parametrize(
    "local",
    [
        scope(),
        scope(("::1", 1), ("::1", 2), host="[::1]:4000"),
        scope(("::ffff:127.0.0.1", 1), ("::ffff:127.0.0.1", 2), host="127.0.0.1"),
        scope(origin="http://localhost:3000", sec_fetch_site="same-site"),
        scope(authorization="Bearer any"),
    ],
)
async def test_without_a_key_the_own_machine_is_served(local: dict[str, Any]) -> None:
    assert (await keys(None).check("any", local)).admin


@pytest.mark.parametrize(
    "foreign",
    [
        scope(client=("203.0.113.9", 1)),
        scope(client=("::ffff:203.0.113.9", 1)),
        scope(server=("192.168.1.5", 4000)),  # a client that says it is 127.0.0.1, by way of X-Forwarded-For
        scope(client=None),
        scope(server=None),
        scope(client=("/run/proxy.sock", None)),
        scope(x_forwarded_for="127.0.0.1"),
        scope(forwarded="for=127.0.0.1"),
        scope(via="1.1 proxy"),
        scope(x_real_ip="127.0.0.1"),
        scope(host="evil.example"),  # DNS that answers 127.0.0.1
        scope(host="localhost.evil.example"),
        scope(host=""),
        scope(host="[::1"),
        scope(origin="https://evil.example"),
        scope(origin="null"),
        scope(sec_fetch_site="cross-site"),
    ],
)
@pytest.mark.parametrize("master_key", [None, ""])
async def test_without_a_key_nobody_else_is_served(foreign: dict[str, Any], master_key: str | None) -> None:
    with pytest.raises(KeyRefusedError, match="LITELLM_MASTER_KEY"):
        await keys(master_key).check("any", foreign)


@pytest.mark.parametrize("key", ["", "wrong", KEY[:-1], KEY + " ", "ключ", "\xff"])
async def test_with_a_key_nothing_else_passes_not_even_on_the_own_machine(key: str) -> None:
    with pytest.raises(KeyRefusedError, match="API key"):
        await keys(KEY).check(key, scope())


NOON = datetime(2027, 6, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sent", "at", "name"),
    [
        (KEY, NOON, "master key"),
        ("sk-ever", NOON, "ever"),
        ("sk-noon", NOON - timedelta(microseconds=1), "noon"),
        ("sk-noon", NOON, None),
        ("sk-noon", NOON + timedelta(days=1), None),
    ],
)
async def test_a_key_of_the_list_passes_until_it_expires(sent: str, at: datetime, name: str | None) -> None:
    listed = [Key("ever", digest("sk-ever")), Key("noon", digest("sk-noon"), expires=NOON)]
    check = KeysOfSettings(lambda: KEY, lambda: listed, lambda: at).check(sent, scope())
    if name is not None:
        assert (await check).name == name
    else:
        with pytest.raises(KeyRefusedError, match=r"This API key \(noon\) has expired, on 2027-06-30 12:00\+00:00"):
            await check


@pytest.mark.parametrize("listed", [[], [Key("a", digest("sk-a"))]])
@pytest.mark.parametrize("sent", ["", "any"])
async def test_with_a_list_even_an_empty_one_nobody_is_served_without_a_key(listed: list[Key], sent: str) -> None:
    with pytest.raises(KeyRefusedError, match="API key"):
        await KeysOfSettings(lambda: None, lambda: listed).check(sent, scope())


async def test_the_master_key_is_no_less_for_being_in_the_list() -> None:
    listed = [Key("a", digest(KEY), models=())]
    assert (await KeysOfSettings(lambda: KEY, lambda: listed).check(KEY, scope())).admin


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"authorization": "Bearer a"}, "a"),
        ({"authorization": "bearer  a "}, "a"),
        ({"x-api-key": "a"}, "a"),
        ({"authorization": "Bearer a", "x-api-key": "b"}, "a"),
        ({"authorization": "Basic a", "x-api-key": "b"}, "b"),
        ({"authorization": "Basic a"}, ""),
        ({"api-key": "a", "x-litellm-api-key": "a", "x-goog-api-key": "a"}, ""),
        ({}, ""),
    ],
)
def test_the_key_is_read_where_openais_and_anthropics_clients_put_it(headers: dict[str, str], key: str) -> None:
    assert presented(headers) == key


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"x-api-key": "wrong"}])
@pytest.mark.parametrize("path", endpoints.ALL)
def test_a_refused_key_is_a_401_in_openais_form(
    proxy: ProxyProcess, stranger: httpx.Client, headers: dict[str, str], path: str
) -> None:
    answer = stranger.post(f"{proxy.url}{path}", content=b"not even JSON", headers=headers)
    error = answer.json()["error"]
    assert answer.status_code == 401
    assert (error["type"], error["code"], error["param"]) == ("authentication_error", "invalid_api_key", None)
    assert "Authorization: Bearer <key>" in error["message"]
    assert KEY not in answer.text


@pytest.mark.parametrize("headers", [{"authorization": f"bearer {KEY}"}, {"x-api-key": KEY}])
@pytest.mark.parametrize("path", endpoints.ALL)
def test_the_right_key_passes(proxy: ProxyProcess, stranger: httpx.Client, headers: dict[str, str], path: str) -> None:
    body = endpoints.request(path)
    assert stranger.post(f"{proxy.url}{path}", json=body, headers=headers).status_code == 200


def test_litellm_knows_the_key_by_its_hash_only(client: httpx.Client) -> None:
    answer = client.post(endpoints.CHAT, json=endpoints.request(endpoints.CHAT))
    reached = json.loads(answer.json()["choices"][0]["message"]["content"])
    assert reached["key_hash"] == hashlib.sha256(KEY.encode()).hexdigest()


def test_require_key_refuses_on_its_own_too(proxies: Proxies, stranger: httpx.Client) -> None:
    answer = stranger.get(f"{proxies.bare.url}/v1/models", headers={"x-api-key": "wrong"})
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "authentication_error"
    assert "This API key is wrong" in answer.json()["error"]["message"]


def _ask(stranger: httpx.Client, url: str, **headers: str) -> httpx.Response:
    named = {"correlation-id": "c", "authorization": "Bearer any", **headers}
    body = endpoints.request(endpoints.CHAT)
    return stranger.post(f"{url}{endpoints.CHAT}", json=body, headers=named)


def test_a_proxy_without_a_key_serves_this_machine(proxies: Proxies, stranger: httpx.Client) -> None:
    assert _ask(stranger, proxies.keyless.url).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-for": "203.0.113.9"},
        {"x-forwarded-for": "127.0.0.1"},
        {"host": "evil.example"},
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_a_proxy_without_a_key_refuses_what_looks_remote(
    proxies: Proxies, stranger: httpx.Client, headers: dict[str, str]
) -> None:
    answer = _ask(stranger, proxies.keyless.url, **headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert "Set LITELLM_MASTER_KEY" in answer.json()["error"]["message"]


def _addresses_in_the_network() -> list[str]:
    """This machine's address as others see it; none when it is in no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))  # sends nothing: it only chooses the interface
        except OSError:
            return []
        return [probe.getsockname()[0]]


def test_a_proxy_without_a_key_refuses_connections_from_the_network(proxies: Proxies, stranger: httpx.Client) -> None:
    """It listens on every address, so this is how another machine would come in."""
    for address in _addresses_in_the_network():
        assert _ask(stranger, proxies.keyless.url.replace("127.0.0.1", address), host="localhost").status_code == 401
