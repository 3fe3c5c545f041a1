"""Only the table of routes is open."""

from __future__ import annotations

import re

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from custom_handler.errors import UnknownRouteError
from custom_handler.routes import ROUTES, find
from tests.proxy import litellm_routes
from tests.proxy.conftest import KEY, Proxies
from tests.support.proxy import ProxyProcess

Address = tuple[str, str]


@pytest.fixture(scope="session")
def litellm_addresses(proxies: Proxies) -> list[Address]:
    """Every method and path of LiteLLM's app, parameters filled in."""
    return [(method, re.sub(r"{[^}]*}", "x", path)) for method, path in litellm_routes.read(proxies.bare.log_text())]


def test_every_other_address_of_litellm_is_closed_even_with_the_master_key(
    client: httpx.Client, litellm_addresses: list[Address]
) -> None:
    asked = [
        (method.replace("MOUNT", "GET"), f"{path}/x" if method == "MOUNT" else path)
        for method, path in litellm_addresses
        if method != "WEBSOCKET" and (method, path) not in ROUTES
    ]
    answers = {(method, path): client.request(method, path, json={}) for method, path in asked}
    assert len(answers) > 1000
    assert {address: answer for address, answer in answers.items() if answer.status_code != 404} == {}
    unexplained = [address for address, answer in answers.items() if address[0] != "HEAD" and not _is_ours(answer)]
    assert unexplained == []


def _is_ours(answer: httpx.Response) -> bool:
    """A 404 of LiteLLM would mean that the request had reached it."""
    return bool(answer.json()["error"]["code"] == "unknown_url")


def test_every_address_in_the_table_is_one_of_litellms(litellm_addresses: list[Address]) -> None:
    answered_by_the_gate = {("GET", "/"), ("HEAD", "/"), ("GET", "/metrics"), ("GET", "/metrics/")}
    assert set(ROUTES) - answered_by_the_gate <= set(litellm_addresses)


def test_websockets_are_closed(proxy: ProxyProcess, litellm_addresses: list[Address]) -> None:
    for path in {path for method, path in litellm_addresses if method == "WEBSOCKET"} | {"/v1/responses"}:
        address = f"{proxy.url.replace('http', 'ws')}{path}?model=stackspot-chat"
        with pytest.raises(InvalidStatus, match="403"):
            connect(address, additional_headers={"authorization": f"Bearer {KEY}"}, proxy=None)


@pytest.mark.parametrize(
    "path",
    ["/v1/chat/completions/", "//v1/chat/completions", "/V1/chat/completions", "/v1/%63hat/completions/../../key/list"],
)
def test_no_spelling_of_a_path_opens_another(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_a_known_path_with_another_method_is_closed(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/v1/chat/completions")
    assert answer.status_code == 404
    assert "POST /v1/chat/completions" in answer.json()["error"]["message"]


def test_the_pages_and_the_schema_are_closed_without_a_key_too(proxy: ProxyProcess, stranger: httpx.Client) -> None:
    for path in ("/openapi.json", "/docs", "/redoc", "/ui", "/ui/", "/swagger", "/_next/x", "/sso/key/generate"):
        assert stranger.get(f"{proxy.url}{path}").status_code == 404


def test_home_says_that_the_proxy_is_there(proxy: ProxyProcess, stranger: httpx.Client) -> None:
    assert stranger.get(proxy.url).json() == {"status": "ok"}
    assert stranger.head(proxy.url).status_code == 200


def test_health_answers_without_a_key_and_says_little(proxy: ProxyProcess, stranger: httpx.Client) -> None:
    assert stranger.get(f"{proxy.url}/health/liveliness").json() == "I'm alive!"
    ready = stranger.get(f"{proxy.url}/health/readiness")
    assert ready.status_code == 503, "these proxies have no credentials"
    assert ready.json() == {
        "status": "not ready",
        "reason": "STACKSPOT_REALM or REALM is not set: the account slug shown beside the access key. Set it in the "
        "environment or in .env.",
    }


def test_figures_of_litellm_are_beside_ours_once_its_callback_is_on(client: httpx.Client) -> None:
    client.post(
        "/v1/chat/completions", json={"model": "stackspot-chat", "messages": [{"role": "user", "content": "a"}]}
    )
    figures = client.get("/metrics").text
    assert "agent_proxy_requests_in_flight" in figures
    assert "litellm_proxy_total_requests_metric" in figures


@pytest.mark.parametrize("path", ["/health", "/metrics/", "/v1/models", "/v1/model/info"])
def test_what_tells_more_needs_the_key(
    proxy: ProxyProcess, client: httpx.Client, stranger: httpx.Client, path: str
) -> None:
    assert stranger.get(f"{proxy.url}{path}").status_code == 401
    assert client.get(path).status_code == 200


@given(method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "get"]), path=st.text().map(lambda text: f"/{text}"))
def test_whatever_is_not_in_the_table_does_not_exist(method: str, path: str) -> None:
    if (method, path) not in ROUTES:
        with pytest.raises(UnknownRouteError):
            find(method, path)
