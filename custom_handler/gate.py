"""The gate around LiteLLM: the first to see a request, and the last to see its answer.

An ASGI middleware, so that nothing goes past it: neither an address that LiteLLM serves without asking for a key, nor
an error that LiteLLM answers before it calls any hook. LiteLLM is shown a request made anew: a known address without
its query, the few headers it needs, and of the body what `body` lets pass.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from custom_handler import answer, body, correlation, keys, metrics, routes
from custom_handler.answer import Answer
from custom_handler.errors import BridgeError, NotAllowedError, RequestError, TooLargeError
from custom_handler.key_limits import KeyLimits
from custom_handler.key_list import Key
from custom_handler.keys import Keys
from custom_handler.listing import Listing
from custom_handler.routes import Route

log = logging.getLogger("custom_handler.gate")

#: Bytes. The longest prompt that an agent reads is about 1 MB of text; images take the rest.
MAX_BODY = 32 * 1024 * 1024
#: LiteLLM obeys many headers (other models, tags, timeouts, callbacks switched off); these do not steer it.
_PASSED_HEADERS = ("host", "user-agent", "accept", "traceparent", "tracestate")


class _ClientGoneError(Exception):
    """The client left while it was sending its request."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the gate goes by.

    Attributes:
        models: gives the names of the model list, which may change while the proxy runs.
        keys: who may use the proxy.
        limits: how many requests each key may send.
        correlation_required: whether a request to a model must bring a correlation id.
        reserved: fields of a body that LiteLLM takes for parameters of its own.
        obstacle: tells why no agent could be asked now, in words that anybody may read; None when one could.
    """

    models: Callable[[], Collection[str]]
    keys: Keys
    limits: KeyLimits
    correlation_required: bool
    reserved: frozenset[str]
    obstacle: Callable[[], Awaitable[str | None]]


class Gate:
    """LiteLLM's app behind the rules."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self.app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # nothing here is served over one
        else:
            await self.app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        reply = Answer(send, anthropic=path.startswith("/v1/messages"))
        headers = Headers(scope=scope)
        try:
            named = correlation.from_headers(headers)
            reply.correlation_id = named or reply.correlation_id
            route = routes.find(scope["method"], path, with_database=self._rules.keys.in_database)
            key = None if route.public else await self._check_key(scope, route, headers)
            self._check_correlation(route, named)
            content = await self._content(receive, route, key)
        except BridgeError as error:
            metrics.REFUSALS.labels(error.code).inc()
            with correlation.use(reply.correlation_id):
                log.info("Refused with %d: %s", error.status, error)
            await reply.refuse(error)
        except _ClientGoneError:
            return
        else:
            identity = correlation.as_headers(reply.correlation_id, named=bool(named))
            renewed = {**_renewed(scope, headers, identity, content), keys.SCOPE: key}
            if route.untouched:
                renewed["query_string"] = scope["query_string"]
            await self._pass_on(path, route, renewed, _replay(content, receive), reply)

    async def _check_key(self, scope: Scope, route: Route, headers: Headers) -> Key:
        key = await self._rules.keys.check(keys.presented(headers), scope)
        if route.admin and not key.admin:
            raise NotAllowedError(f"This key ({key.name}) may not use this address: it is for administrators.")
        return key

    def _check_correlation(self, route: Route, named: str | None) -> None:
        if route.fields is not None and named is None and self._rules.correlation_required:
            raise RequestError(
                f"The {correlation.HEADER} header is missing: this proxy requires one on every request.",
                param=correlation.HEADER,
            )

    async def _content(self, receive: Receive, route: Route, key: Key | None) -> bytes:
        """The body that is passed on. A request to a model counts when it has turned out to be one that may pass."""
        if route.untouched:
            return await _read(receive)
        if route.fields is None or key is None:
            return b""
        policy = body.Policy(self._rules.models(), self._rules.reserved, key)
        content = body.clean(await _read(receive), route.fields, policy)
        await self._rules.limits.count(key)
        return content

    async def _pass_on(self, path: str, route: Route, scope: Scope, receive: Receive, reply: Answer) -> None:
        send: Send = reply.unchanged if route.reports else reply
        key: Key | None = scope[keys.SCOPE]
        if route.lists_models and key is not None and key.models is not None:
            send = Listing(send, key.allows)
        with correlation.use(reply.correlation_id), answer.use(reply):
            app = await self._own_answer(path, scope) or self.app
            try:
                await app(scope, receive, send)
            finally:
                await reply.close()

    async def _own_answer(self, path: str, scope: Scope) -> Response | None:
        """What is answered without LiteLLM. Whether that is ready, too, it tells itself once an agent can be asked."""
        if path == routes.HOME:
            return JSONResponse({"status": "ok"})
        if path in routes.METRICS:
            accept = Headers(scope=scope).get("accept", "")
            content_type, text = await asyncio.to_thread(metrics.exposition, accept)
            return Response(text, headers={"content-type": content_type})
        if path == routes.READINESS and (reason := await self._rules.obstacle()):
            return JSONResponse({"status": "not ready", "reason": reason}, 503)
        return None


async def _read(receive: Receive) -> bytes:
    """The body; read to its end even when it is too large, since clients read no answer before they have sent it."""
    content, size, more = bytearray(), 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _ClientGoneError
        size += len(message.get("body", b""))
        content += message.get("body", b"") if size <= MAX_BODY else b""
        more = message.get("more_body", False)
    if size > MAX_BODY:
        raise TooLargeError(f"The body has {size} bytes; at most {MAX_BODY} are accepted.")
    return bytes(content)


def _renewed(scope: Scope, headers: Headers, correlation_id: Mapping[str, str], content: bytes) -> Scope:
    passed = {name: headers[name] for name in _PASSED_HEADERS if name in headers}
    passed |= {**correlation_id, "authorization": f"Bearer {keys.presented(headers)}"}
    passed |= {"content-type": "application/json", "content-length": str(len(content))}
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in passed.items()]
    return {**scope, "query_string": b"", "headers": encoded}


def _replay(content: bytes, receive: Receive) -> Receive:
    """A `receive` that gives `content` first and then whatever follows: in the end, that the client has left."""
    pending: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
