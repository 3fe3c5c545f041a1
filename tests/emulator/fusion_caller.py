"""A client of the emulator's Fusion that hides nothing: it shows bytes, events and errors as they come."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket
from typing import Any

import httpx

from emulator import Emulator
from tests.emulator.emulator_client import connected, data_of, read_all, request_bytes

AGENT = "7b0c1d8e-53a5-4a31-9a3c-0b1f2f4f6a10"
OTHER_AGENT = "0d3a6f0e-2a44-4d0e-8f63-0f0c7c3c9b11"
UNKNOWN = "99999999-9999-4999-8999-999999999999"


class Fusion:
    """Whoever has `key`. `http` is the httpx client below."""

    def __init__(self, emulator: Emulator, http: httpx.Client, key: str = "key-a") -> None:
        self.emulator = emulator
        self.http = http
        self.headers = {"Authorization": f"Bearer {key}"}

    def by(self, key: str) -> "Fusion":
        """Somebody else, who has another key."""
        return Fusion(self.emulator, self.http, key)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request."""
        options["headers"] = self.headers | options.get("headers", {})
        return self.http.request(method, self.emulator.fusion_url + path, **options)

    def get(self, path: str, **query: str | int) -> Any:
        """What a good answer to a GET says."""
        return self.ask("GET", path, params=query or None).raise_for_status().json()

    def chat(self, message: str = "hello", chat_id: str = "", **fields: Any) -> httpx.Response:
        """A message to a chat, or the first one of a new chat."""
        path = f"/chat/{chat_id}/message" if chat_id else "/chat"
        return self.ask("POST", path, json=({} if chat_id else {"agent_id": AGENT}) | {"message": message} | fields)

    def begun(self, message: str = "hello", **fields: Any) -> str:
        """The id of a new chat."""
        return str(self.chat(message, **fields).raise_for_status().json()["chat"]["id"])

    def answer(self, message: str = "hello", chat_id: str = "", **fields: Any) -> str:
        """The text of an answer that is not streamed."""
        answered = self.chat(message, chat_id, **fields).raise_for_status().json()
        return str(answered["messages"][-1]["message"])

    def stream(self, message: str = "hello", chat_id: str = "", **fields: Any) -> list[str]:
        """The data of a streamed answer."""
        return data_of(self.chat(message, chat_id, stream=True, **fields).content)

    @contextmanager
    def open_chat(self, message: str = "hello") -> Iterator[socket]:
        """One streamed chat request on a bare socket, answer unread."""
        body = json.dumps({"agent_id": AGENT, "message": message, "stream": True}).encode()
        headers = self.headers | {"Content-Type": "application/json"}
        with connected(self.emulator) as connection:
            connection.sendall(request_bytes("/fusion/v1/chat", headers, body))
            yield connection

    def raw_chat(self) -> bytes:
        """Every byte of the answer to one streamed chat request, as it is on the wire."""
        with self.open_chat() as connection:
            return read_all(connection)

    def upload(self, name: str = "notas.txt", content: bytes = b"content", chat_id: str = "") -> httpx.Response:
        """Send a file, for a chat or for one that will be."""
        path = f"/chat/{chat_id}/files" if chat_id else "/files"
        return self.ask("POST", path, files={"file": (name, content)})


def tokens_of(data: list[str]) -> str:
    """The text that the events of a stream add up to."""
    events = (json.loads(one) for one in data if one != "[DONE]")
    return "".join(event.get("token", "") for event in events)
