"""The emulator as an ASGI application: the routes, and the recording around them."""

import json
import logging
from typing import Any, cast
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulator.chat_api import ChatApi
from emulator.control import ControlApi
from emulator.errors import RefusedError
from emulator.files_api import FilesApi
from emulator.fusion.api import fusion_routes
from emulator.player import Played
from emulator.recording import Recorded, Recorder
from emulator.reply import Reply
from emulator.replying import refuse
from emulator.service import Service
from emulator.token_api import TokenApi

logger = logging.getLogger("emulator")

CONTROL = "/_emulator/"


def build(service: Service) -> ASGIApp:
    """The application on this `service`. It needs `player.OpenProtocol` below it."""
    tokens, chat, files, control = TokenApi(service), ChatApi(service), FilesApi(service), ControlApi(service)
    routes = [
        fusion_routes(service),
        Route("/{realm}/oidc/oauth/token", tokens.token, methods=["POST"]),
        Route("/v1/agent/{agent_id}/chat", chat.chat, methods=["POST"]),
        Route("/v1/agents", chat.agents_v1),
        Route("/v4/agents", chat.agents_v4),
        Route("/v2/file-upload/form", files.form, methods=["POST"]),
        Route("/object-store/{upload_id}", files.store, methods=["POST"], name="store"),
        Route(CONTROL + "script", control.script, methods=["POST"]),
        Route(CONTROL + "requests", control.requests),
        Route(CONTROL + "reset", control.reset, methods=["POST"]),
        Route(CONTROL + "forget", control.forget, methods=["POST"]),
        Route(CONTROL + "release", control.release, methods=["POST"]),
        Route(CONTROL + "revoke", control.revoke, methods=["POST"]),
        Route(CONTROL + "realms/{realm}", control.seen),
        Route(CONTROL + "realms/{realm}", control.forget_realm, methods=["DELETE"]),
    ]

    async def refusal(request: Request, error: Exception) -> Played:
        refused = cast(RefusedError, error)
        reply, record = Reply(headers=refused.headers), request.state.record
        return Played(refuse(refused.refusal, reply, service.options, record), record)

    # Starlette calls any ASGI application that a handler returns, though its types ask for a Response.
    handlers = cast(Any, {RefusedError: refusal})
    return Recording(Starlette(routes=routes, exception_handlers=handlers), service.recorder)


class Recording:
    """Middleware that records every request but those to the control endpoints, and how each one ended."""

    def __init__(self, app: ASGIApp, recorder: Recorder) -> None:
        self._app = app
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(CONTROL):
            await self._app(scope, receive, send)
        else:
            await self._record(scope, receive, send)

    async def _record(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _whole_body(receive)
        if body is None:
            return
        record = self._recorder.add(
            scope["method"], scope["path"], scope["query_string"].decode("latin-1"), _headers(scope), body
        )
        _parse(record)
        scope["state"]["record"] = record

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.update(status=message["status"])
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                record.update(finished=True)

        await self._app(scope, _replayed(body, receive), watched)
        # Neither prompts nor credentials: they are for `/_emulator/requests`, if at all.
        logger.info("%s %s -> %s (%s)", record.method, record.path, record.status, record.outcome)


async def _whole_body(receive: Receive) -> bytes | None:
    """The body; None when the client went away before it was whole."""
    chunks = []
    while (message := await receive())["type"] == "http.request":
        chunks.append(message["body"])
        if not message["more_body"]:
            return b"".join(chunks)
    return None


def _replayed(body: bytes, receive: Receive) -> Receive:
    """`receive` that gives the body already read once more, and then what really comes."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _parse(record: Recorded) -> None:
    content_type = record.headers.get("content-type", "")
    if content_type.startswith("application/x-www-form-urlencoded"):
        record.update(form=dict(parse_qsl(record.body.decode("utf-8", "replace"), keep_blank_values=True)))
    elif content_type.startswith("application/json"):
        record.update(json=_json(record.body))


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
