"""Streams through a real proxy: the form of usage, and clients that leave."""

from __future__ import annotations

import json
import uuid
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.proxy import endpoints
from tests.proxy.conftest import KEY
from tests.support.proxy import ProxyProcess

#: Far more than it takes; the tests wait for the event and not for the time.
_PATIENCE = 10


def chunks_of(client: httpx.Client, path: str, **fields: Any) -> list[dict[str, Any]]:
    """The chunks of a streamed answer."""
    answer = client.post(path, json=endpoints.request(path, stream=True, **fields))
    *lines, done = [line.removeprefix("data: ") for line in answer.text.splitlines() if line]
    assert done == "[DONE]"
    return [json.loads(line) for line in lines]


def test_usage_comes_last_and_without_choices(client: httpx.Client) -> None:
    *answer, last = chunks_of(client, endpoints.CHAT, stream_options={"include_usage": True})
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == 5
    assert [chunk for chunk in answer if not chunk["choices"] or chunk.get("usage")] == []
    assert answer[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("options", [{}, {"stream_options": {}}, {"stream_options": {"include_usage": False}}])
def test_usage_stays_away_from_those_who_did_not_ask(client: httpx.Client, options: dict[str, Any]) -> None:
    chunks = chunks_of(client, endpoints.CHAT, **options)
    assert all(chunk["choices"] and "usage" not in chunk for chunk in chunks)


def test_no_text_of_a_text_completion_is_lost(client: httpx.Client) -> None:
    chunks = chunks_of(client, endpoints.COMPLETIONS, stream_options={"include_usage": True})
    assert "headers" in "".join(choice.get("text") or "" for chunk in chunks for choice in chunk["choices"])


def _open(proxy: ProxyProcess, path: str, model: str, *, stream: bool) -> tuple[HTTPConnection, str]:
    """A connection on which `model` was asked and has begun; and the id of the request."""
    connection, asked = HTTPConnection(urlsplit(proxy.url).netloc), str(uuid.uuid4())
    headers = {"authorization": f"Bearer {KEY}", "correlation-id": asked}
    connection.request("POST", path, json.dumps(endpoints.request(path, model, stream=stream)), headers)
    proxy.wait_for_log(f"scripted: asked {asked}", _PATIENCE)
    return connection, asked


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", endpoints.STREAMING)
def test_a_client_that_leaves_before_the_answer_cancels_the_provider(
    proxy: ProxyProcess, path: str, stream: bool
) -> None:
    connection, asked = _open(proxy, path, "stackspot/hang", stream=stream)
    assert f"scripted: left {asked}" not in proxy.log_text()
    connection.close()
    proxy.wait_for_log(f"scripted: left {asked}", _PATIENCE)


@pytest.mark.parametrize("path", endpoints.STREAMING)
def test_a_client_that_leaves_in_mid_stream_closes_the_provider(proxy: ProxyProcess, path: str) -> None:
    connection, asked = _open(proxy, path, "stackspot/hang-midway", stream=True)
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.read(1)
    answer.close()
    connection.close()
    proxy.wait_for_log(f"scripted: left {asked}", _PATIENCE)


def test_a_client_that_leaves_while_it_sends_does_no_harm(proxy: ProxyProcess, client: httpx.Client) -> None:
    connection = HTTPConnection(urlsplit(proxy.url).netloc)
    connection.putrequest("POST", endpoints.CHAT)
    connection.putheader("authorization", f"Bearer {KEY}")
    connection.putheader("content-length", "1000")
    connection.endheaders(b"{")
    connection.close()
    assert client.post(endpoints.CHAT, json=endpoints.request(endpoints.CHAT)).status_code == 200
