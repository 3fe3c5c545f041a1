"""What Prometheus reads of requests to the running product."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest

from custom_handler.markers import render_call
from emulator import Emulator, Reply
from tests.support.figures import Figures
from tests.support.services import FUSION, SERVICES, STACKSPOT, Served

TOOLS = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}]


@pytest.fixture
def read(http: httpx.Client) -> Callable[[], Figures]:
    return lambda: Figures(http.get("/metrics").text)


def ask(http: httpx.Client, model: str, **given: Any) -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], **given}
    return http.post("/v1/chat/completions", json=body)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("model", "label"),
    [
        (STACKSPOT.model, STACKSPOT.model),
        (STACKSPOT.named(STACKSPOT.other_agent), "stackspot/*"),
        ("reviewer", "reviewer"),
        (FUSION.model, FUSION.model),
        (FUSION.named(FUSION.other_agent), "fusion/*"),
        ("archivist", "archivist"),
    ],
)
def test_a_request_is_counted_by_the_name_of_its_entry_and_never_by_an_id_that_a_client_chose(
    http: httpx.Client, emulator: Emulator, read: Callable[[], Figures], model: str, label: str, stream: bool
) -> None:
    before = read()
    emulator.script(Reply(f"ok {render_call('add', '{}')}"))
    assert ask(http, model, tools=TOOLS, stream=stream).status_code == 200
    after = read()

    def growth(name: str, **labels: str) -> float:
        return after.of(f"agent_proxy_{name}", **labels) - before.of(f"agent_proxy_{name}", **labels)

    ok = {"model": label, "outcome": "ok"}
    assert growth("requests_total", **ok) == growth("requests_total") == 1
    assert growth("tokens_total", **ok, direction="prompt") > 0
    assert growth("tokens_total", **ok, direction="completion") > 0
    assert growth("request_duration_seconds_count", **ok) == growth("time_to_first_token_seconds_count", **ok) == 1
    assert growth("tool_calls_total", model=label) == 1
    assert growth("request_duration_seconds_sum") >= growth("time_to_first_token_seconds_sum") > 0
    told = http.get("/metrics").text
    assert not any(service.other_agent in told for service in SERVICES)


@pytest.mark.parametrize("stream", [False, True])
def test_usage_is_what_the_service_counts(
    http: httpx.Client, emulator: Emulator, read: Callable[[], Figures], service: Served, stream: bool
) -> None:
    before = read()
    emulator.script(Reply("ok", tokens=(749, 5)))
    assert ask(http, service.model, stream=stream).status_code == 200
    after = read()
    for direction, tokens in (("prompt", 749), ("completion", 5)):
        labels = {"model": service.model, "direction": direction}
        assert (
            after.of("agent_proxy_tokens_total", **labels) - before.of("agent_proxy_tokens_total", **labels) == tokens
        )


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/messages"])
def test_translated_requests_are_counted_the_same(
    http: httpx.Client, emulator: Emulator, read: Callable[[], Figures], path: str, service: Served
) -> None:
    del emulator
    before = read()
    messages = [{"role": "user", "content": "Hi"}]
    body = {"input": "Hi"} if path == "/v1/responses" else {"messages": messages, "max_tokens": 9}
    assert http.post(path, json={"model": service.model, **body}).status_code == 200
    labels = {"model": service.model, "outcome": "ok"}
    assert read().of("agent_proxy_requests_total", **labels) - before.of("agent_proxy_requests_total", **labels) == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(fault="forbidden"), "agent_refused"),
        (Reply("Hello, world", fault="drop_in_stream", after=6, chunk=2), "upstream_broken_answer"),
    ],
)
def test_a_failure_is_counted_by_its_code(
    http: httpx.Client,
    emulator: Emulator,
    read: Callable[[], Figures],
    reply: Reply,
    outcome: str,
    stream: bool,
    service: Served,
) -> None:
    labels = {"model": service.model, "outcome": outcome}
    before = read().of("agent_proxy_requests_total", **labels)
    emulator.script(reply)
    ask(http, service.model, stream=stream)
    assert read().of("agent_proxy_requests_total", **labels) - before == 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_is_counted_as_that_and_is_in_flight_until_then(
    http: httpx.Client, emulator: Emulator, read: Callable[[], Figures], stream: bool, service: Served
) -> None:
    labels = {"model": service.model, "outcome": "cancelled"}
    before = read().of("agent_proxy_requests_total", **labels)
    emulator.script(Reply("Hello, world", hold_after=5) if stream else Reply("Hello", hold=True))
    body = {"model": service.model, "messages": [{"role": "user", "content": "Hi"}], "stream": stream}
    with (
        suppress(httpx.TimeoutException),
        http.stream("POST", "/v1/chat/completions", json=body, timeout=0.5) as answer,
    ):
        lines = answer.iter_lines()  # which closes the connection once nobody holds it
        next(lines)
        assert read().of("agent_proxy_requests_in_flight") == 1
    emulator.wait_for(lambda e: e.chats[0].disconnected)
    deadline = time.monotonic() + 5  # it is counted right behind the closing of the connection
    while (after := read()).of("agent_proxy_requests_in_flight") and time.monotonic() < deadline:
        pass
    assert after.of("agent_proxy_requests_in_flight") == 0
    assert after.of("agent_proxy_requests_total", **labels) - before == 1


def test_what_the_gate_refuses_is_counted_apart(http: httpx.Client, read: Callable[[], Figures]) -> None:
    before = read()
    assert ask(http, "made-up-by-a-client").status_code == 404
    after = read()
    assert after.of("agent_proxy_requests_total") == before.of("agent_proxy_requests_total")
    refused = [figures.of("agent_proxy_refusals_total", code="model_not_found") for figures in (before, after)]
    assert refused[1] - refused[0] == 1
    assert "made-up" not in http.get("/metrics").text
