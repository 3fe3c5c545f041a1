"""The gate around an app that stands for LiteLLM, for what LiteLLM rarely does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from custom_handler import answer
from custom_handler.errors import (
    BridgeError,
    KeyRefusedError,
    ModelNotAllowedError,
    NotAllowedError,
    RateLimitedError,
)
from custom_handler.gate import Gate, Rules
from custom_handler.hooks import ProxyHooks
from custom_handler.key_limits import KeyLimits
from custom_handler.key_list import Key, digest
from custom_handler.keys import KeysOfSettings
from custom_handler.litellm_errors import to_litellm
from tests.proxy import endpoints
from tests.proxy.conftest import KEY
from tests.support.figures import counted


async def no_obstacle() -> None:
    """An agent can be asked."""


RULES = Rules(
    models=lambda: ["stackspot-chat"],
    keys=KeysOfSettings(lambda: KEY, lambda: None),
    limits=KeyLimits(None),
    correlation_required=False,
    reserved=frozenset(),
    obstacle=no_obstacle,
)


class Inner:
    """An app that answers with `status` and `parts`, and keeps the scope it was called with."""

    def __init__(self, status: int = 200, *parts: bytes) -> None:
        self.scope: Mapping[str, Any] = {}
        self.headers: list[tuple[bytes, bytes]] = []
        self._status, self._parts = status, parts

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.scope = scope
        await send({"type": "http.response.start", "status": self._status, "headers": self.headers})
        for part in self._parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})


async def ask(inner: ASGIApp, path: str = endpoints.CHAT, root_path: str = "") -> httpx.Response:
    """One request through the gate."""
    transport = httpx.ASGITransport(Gate(inner, RULES), root_path=root_path)
    async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as client:
        headers = {"authorization": f"Bearer {KEY}"}
        if path in endpoints.ALL:
            return await client.post(root_path + path, json=endpoints.request(path), headers=headers)
        return await client.get(root_path + path, headers=headers)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (b'{"detail": "Not Found"}', "Not Found"),
        (b'{"error": "no"}', "no"),
        (b"Internal text", "Internal text"),
        (b"\xff", "\ufffd"),
        (b"{}", "The request could not be read."),
        (b'{"error": {"message": "litellm.BadRequestError: litellm.X: no"}}', "no"),
        (b'{"error": {"message": "no\\n\\nLiteLLM: model group \'x\' failed"}}', "no"),
        (b'{"error": {"message": "no\\nTraceback (most recent call last):\\n  File x.py"}}', "no"),
        (b'{"error": {"message": "no\\n\\nThis looks like a bug in LiteLLM"}}', "no"),
    ],
)
async def test_a_refusal_of_litellm_is_told_without_its_own_words(told: bytes, message: str) -> None:
    answered = await ask(Inner(422, told[:3], told[3:]))
    assert answered.status_code == 422
    assert answered.json()["error"] == {
        "message": message,
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_request",
    }


async def test_an_error_that_litellm_has_not_foreseen_is_told_without_it_whatever_its_status() -> None:
    told = b'{"error": {"message": "Invalid request format: litellm.APIConnectionError: \'int\' has no attribute"}}'
    answered = await ask(Inner(400, told))
    assert answered.status_code == 400
    assert answered.json()["error"]["message"].startswith("This request could not be read.")
    assert "attribute" not in answered.text


@pytest.mark.parametrize(("said", "kept"), [("None", "invalid_request_error"), ("no_such_thing", "no_such_thing")])
async def test_the_type_that_litellm_names_is_kept_and_its_none_is_not(said: str, kept: str) -> None:
    told = {"error": {"message": "no", "type": said, "param": "None"}}
    error = (await ask(Inner(422, json.dumps(told).encode()))).json()["error"]
    assert (error["type"], error["param"]) == (kept, None)


async def test_whether_the_app_is_ready_it_tells_itself_once_an_agent_can_be_asked() -> None:
    answered = await ask(Inner(200, b'{"status": "healthy"}'), "/health/readiness")
    assert (answered.status_code, answered.json()) == (200, {"status": "healthy"})


async def test_a_proxy_that_can_ask_no_agent_is_not_ready_and_says_why_but_is_alive() -> None:
    async def obstacle() -> str:
        return "No token."

    inner = Inner(200, b"{}")
    transport = httpx.ASGITransport(Gate(inner, replace(RULES, obstacle=obstacle)))
    async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as client:
        ready, alive = await client.get("/health/readiness"), await client.get("/health/liveness")
    assert (ready.status_code, ready.json()) == (503, {"status": "not ready", "reason": "No token."})
    assert "correlation-id" in ready.headers
    assert alive.status_code == 200


async def test_figures_come_from_the_gate_in_the_form_that_was_asked_for() -> None:
    inner = Inner()
    transport = httpx.ASGITransport(Gate(inner, RULES))
    async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as client:
        headers = {"authorization": f"Bearer {KEY}", "accept": "application/openmetrics-text; version=1.0.0"}
        answered = await client.get("/metrics", headers=headers)
    assert answered.headers["content-type"].startswith("application/openmetrics-text")
    assert answered.text.endswith("# EOF\n")
    assert "agent_proxy_requests_in_flight" in answered.text
    assert inner.scope == {}


async def test_a_request_that_the_gate_refuses_is_counted_by_its_code() -> None:
    transport = httpx.ASGITransport(Gate(Inner(), RULES))
    async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as client:
        with counted("agent_proxy_refusals_total", code="invalid_api_key") as keys:
            assert (await client.get("/v1/models")).status_code == 401
        with counted("agent_proxy_refusals_total", code="unknown_url") as addresses:
            assert (await client.get("/key/list")).status_code == 404
    assert (keys, addresses) == ([1], [1])


@pytest.mark.parametrize(
    ("status", "param", "error"),
    [
        (401, "key", KeyRefusedError),
        (403, None, NotAllowedError),
        (403, "model", ModelNotAllowedError),
        (429, None, RateLimitedError),
    ],
)
@pytest.mark.parametrize("path", [endpoints.CHAT, endpoints.MESSAGES, "/v1/models"])
async def test_what_litellm_says_about_a_key_of_its_own_has_the_type_and_code_of_ours(
    path: str, status: int, param: str | None, error: type[BridgeError]
) -> None:
    inner = Inner(status, json.dumps({"error": {"message": "no", "type": "auth_error", "param": param}}).encode())
    inner.headers = [(b"retry-after", b"7")]
    answered = await ask(inner, path)
    told = answered.json()["error"]
    assert (answered.status_code, told["type"], told["code"]) == (status, error.type, error.code)
    assert told["param"] == ("model" if param == "model" else None)
    assert answered.headers["retry-after"] == "7"


class Leaving:
    """An app that takes a piece of a provider's stream and drops it; with `waiting`, while a further one is awaited."""

    def __init__(self, *, waiting: bool) -> None:
        self.waiting = waiting
        self.pieces = self._write()
        self.ended = asyncio.Event()

    async def _write(self) -> AsyncGenerator[str, None]:
        try:
            yield "piece"
            await asyncio.Event().wait()
        finally:
            self.ended.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reply = answer.current.get()
        assert reply is not None
        reply.stream = self.pieces
        await anext(self.pieces)
        if self.waiting:
            self.next = asyncio.ensure_future(anext(self.pieces))
            await asyncio.sleep(0)
        await Inner(200, b"{}")(scope, receive, send)


async def test_a_stream_that_is_left_behind_is_closed_with_the_request() -> None:
    app = Leaving(waiting=False)
    await ask(app)
    assert app.ended.is_set()


async def test_a_stream_that_somebody_waits_for_is_left_to_them() -> None:
    app = Leaving(waiting=True)
    assert (await ask(app)).status_code == 200
    assert not app.ended.is_set()
    app.next.cancel()
    await app.ended.wait()


async def test_a_failed_health_check_is_not_rewritten() -> None:
    answered = await ask(Inner(503, b'{"status": "unhealthy"}'), "/health/readiness")
    assert (answered.status_code, answered.json()) == (503, {"status": "unhealthy"})
    assert "correlation-id" in answered.headers


async def test_a_list_of_models_that_comes_in_parts_is_shortened_as_one() -> None:
    key = Key("a", digest(KEY), models=("b*",))
    rules = replace(RULES, keys=KeysOfSettings(lambda: None, lambda: [key]))
    parts = (b'{"data": [{"id": "a"}, {"id', b'": "b"}, {"model_name": "bc"}], "object": "list"}')
    transport = httpx.ASGITransport(Gate(Inner(200, *parts), rules))
    async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as client:
        answered = await client.get("/v1/models", headers={"x-api-key": KEY})
    assert answered.json() == {"data": [{"id": "b"}, {"model_name": "bc"}], "object": "list"}


async def test_the_app_may_live_under_a_prefix() -> None:
    inner = Inner(200, b"{}")
    assert (await ask(inner, "/v1/models", root_path="/llm")).status_code == 200
    assert inner.scope["path"] == "/llm/v1/models"


async def test_only_what_it_needs_of_a_request_reaches_the_app() -> None:
    inner = Inner(200, b"{}")
    transport = httpx.ASGITransport(Gate(inner, RULES))
    async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as client:
        headers = {"x-api-key": KEY, "cookie": "a=b", "x-litellm-tags": "a", "traceparent": "00-1-2-03"}
        await client.request("GET", "/v1/models?model=x", content=b"[1]", headers=headers)
    names = {name.decode() for name, _ in inner.scope["headers"]}
    assert inner.scope["query_string"] == b""
    assert "traceparent" in names
    assert names.isdisjoint({"x-api-key", "cookie", "x-litellm-tags"})
    assert (b"authorization", f"Bearer {KEY}".encode()) in inner.scope["headers"]
    assert (b"content-length", b"0") in inner.scope["headers"]


async def test_the_apps_own_start_and_end_pass() -> None:
    seen = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    async def never(*_: Any) -> Any:
        await asyncio.Event().wait()

    await Gate(app, RULES)({"type": "lifespan"}, never, never)
    assert seen == ["lifespan"]


async def test_hooks_outside_of_a_request_of_a_client_are_harmless() -> None:
    """LiteLLM calls them for health checks in the background too, and outside of a proxy."""
    hooks = ProxyHooks()
    await hooks.async_post_call_failure_hook(original_exception=KeyError())
    await hooks.async_post_call_success_deployment_hook({}, object(), None)

    async def chunks() -> Any:
        yield "a"
        raise KeyError

    stream = hooks.async_post_call_streaming_iterator_hook(response=chunks(), request_data={"model": "x"})
    assert await anext(stream) == "a"
    with pytest.raises(Exception, match="The proxy failed on this request"):
        await anext(stream)


async def test_an_error_of_ours_passes_the_stream_hook_as_it_is() -> None:
    error = to_litellm(RateLimitedError("much"), "x")

    async def chunks() -> Any:
        raise error
        yield

    stream = ProxyHooks().async_post_call_streaming_iterator_hook(response=chunks(), request_data={})
    with pytest.raises(type(error)) as raised:
        await anext(stream)
    assert raised.value is error


async def test_two_requests_at_once_do_not_share_their_failure() -> None:
    both = asyncio.Barrier(2)

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        mine = answer.current.get()
        assert mine is not None
        await both.wait()
        await ProxyHooks().async_post_call_failure_hook(
            original_exception=to_litellm(RateLimitedError(mine.correlation_id), "x")
        )
        await both.wait()
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body"})

    transport = httpx.ASGITransport(Gate(app, RULES))
    async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as client:
        headers = {"authorization": f"Bearer {KEY}"}
        body = endpoints.request(endpoints.CHAT)
        one, other = await asyncio.gather(
            *(client.post(endpoints.CHAT, json=body, headers={**headers, "correlation-id": each}) for each in "ab")
        )
    assert (one.json()["error"]["message"], other.json()["error"]["message"]) == ("a", "b")
