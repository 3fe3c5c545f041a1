"""The correlation id: on every answer, and in the provider's hands."""

from __future__ import annotations

import json
import uuid

import httpx
import pytest

from custom_handler.correlation import HEADER, MADE_HEADER, is_named
from tests.proxy import endpoints
from tests.proxy.conftest import Proxies

OURS = {HEADER: "from-the-client"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", endpoints.STREAMING)
@pytest.mark.parametrize("model", ["stackspot-chat", "stackspot/raise-RateLimitedError", "stackspot/break-fault"])
def test_every_answer_of_a_model_carries_the_clients_id(
    client: httpx.Client, path: str, model: str, stream: bool
) -> None:
    answer = client.post(path, json=endpoints.request(path, model, stream=stream), headers=OURS)
    assert answer.headers.get_list(HEADER) == ["from-the-client"]


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/", None, 200),
        ("GET", "/health/liveliness", None, 200),
        ("GET", "/v1/models", None, 200),
        ("GET", "/key/list", None, 404),
        ("POST", endpoints.CHAT, b"{", 400),
        ("POST", endpoints.CHAT, b'{"model": "gpt-4o", "messages": [{"role": "user"}]}', 404),
        ("POST", endpoints.CHAT, b'{"model": "stackspot-chat", "messages": [], "api_base": "x"}', 400),
    ],
)
def test_every_other_answer_carries_it_too(
    client: httpx.Client, method: str, path: str, content: bytes | None, status: int
) -> None:
    answer = client.request(method, path, content=content, headers=OURS)
    assert (answer.status_code, answer.headers[HEADER]) == (status, "from-the-client")


def test_a_refused_key_is_answered_with_it(client: httpx.Client) -> None:
    answer = client.get("/v1/models", headers={**OURS, "authorization": "Bearer wrong"})
    assert (answer.status_code, answer.headers[HEADER]) == (401, "from-the-client")


def test_one_is_made_where_none_came_and_the_provider_has_the_same(client: httpx.Client) -> None:
    answer = client.post(endpoints.CHAT, json=endpoints.request(endpoints.CHAT))
    made = answer.headers[HEADER]
    assert str(uuid.UUID(made)) == made
    reached = json.loads(answer.json()["choices"][0]["message"]["content"])["headers"]
    assert reached[HEADER] == made
    assert not is_named(reached)


def test_the_provider_knows_that_the_client_chose_it(client: httpx.Client) -> None:
    sent = {**OURS, MADE_HEADER: "yes"}
    answer = client.post(endpoints.CHAT, json=endpoints.request(endpoints.CHAT), headers=sent)
    assert is_named(json.loads(answer.json()["choices"][0]["message"]["content"])["headers"])


def test_one_that_a_log_line_cannot_carry_is_refused_and_not_echoed(client: httpx.Client) -> None:
    answer = client.get("/v1/models", headers={HEADER: "two words"})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == HEADER
    assert answer.headers[HEADER] != "two words"


def test_where_one_is_required_a_request_without_is_refused(proxies: Proxies, stranger: httpx.Client) -> None:
    url, body = f"{proxies.keyless.url}{endpoints.CHAT}", endpoints.request(endpoints.CHAT)
    without, brought = stranger.post(url, json=body), stranger.post(url, json=body, headers=OURS)
    assert without.status_code == 400
    assert without.json()["error"]["param"] == HEADER
    assert "requires one" in without.json()["error"]["message"]
    assert brought.status_code == 200
