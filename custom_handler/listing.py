"""Lists of models, without those that a client may not use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send


class Listing:
    """The ASGI `send` of an answer that lists models: `{"data": [{"id" or "model_name": …}, …]}`.

    Args:
        send: gets the answer when it is complete.
        allows: whether the client may use a model.
    """

    def __init__(self, send: Send, allows: Callable[[str], bool]) -> None:
        self._send = send
        self._allows = allows
        self._start: Message = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        """Take a part of the answer."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            body = self._shortened() if self._start["status"] == 200 else self._body
            MutableHeaders(scope=self._start)["content-length"] = str(len(body))
            await self._send(self._start)
            await self._send({"type": "http.response.body", "body": body})

    def _shortened(self) -> bytes:
        told = orjson.loads(self._body)
        return orjson.dumps(told | {"data": [model for model in told["data"] if self._allows(_name(model))]})


def _name(model: Mapping[str, Any]) -> str:
    return str(model.get("model_name") or model.get("id"))
