"""A client of the emulator that hides nothing: it shows bytes, frames and errors as they come."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import httpx

from emulator import Emulator
from tests.conftest import AGENT

CREDENTIALS = {"grant_type": "client_credentials", "client_id": "client-a", "client_secret": "secret-a"}
FILE = {"file_name": "relatório.txt", "target_type": "CONTEXT", "expiration": 60}


class Client:
    """Signs in once, then chats. `http` is the httpx client below."""

    def __init__(self, emulator: Emulator, http: httpx.Client) -> None:
        self.emulator = emulator
        self.http = http
        self.token = ""

    def sign_in(self, realm: str = "acme", **fields: str) -> httpx.Response:
        """Ask for a token, and keep it when there is one."""
        response = self.http.post(f"/{realm}/oidc/oauth/token", data=CREDENTIALS | fields)
        if response.is_success:
            self.token = response.json()["access_token"]
        return response

    def headers(self) -> dict[str, str]:
        """The headers of a signed-in request."""
        if not self.token:
            self.sign_in()
        return {"Authorization": f"Bearer {self.token}", "Accept": "text/event-stream"}

    def chat(self, prompt: str = "hello", *, agent: str = AGENT, streaming: bool = True, **body: Any) -> httpx.Response:
        """One chat request, read to its end."""
        body = {"user_prompt": prompt, "streaming": streaming} | body
        return self.http.post(f"/v1/agent/{agent}/chat", json=body, headers=self.headers())

    def text(self, prompt: str = "hello", **body: Any) -> str:
        """The text of a streamed answer."""
        return text_of(self.chat(prompt, **body).content)

    @contextmanager
    def open_chat(self, prompt: str = "hello") -> Iterator[socket.socket]:
        """One streamed chat request on a bare socket, answer unread."""
        body = json.dumps({"user_prompt": prompt, "streaming": True}).encode()
        headers = self.headers() | {"Content-Type": "application/json"}
        with connected(self.emulator) as connection:
            connection.sendall(request_bytes(f"/v1/agent/{AGENT}/chat", headers, body))
            yield connection

    @contextmanager
    def open_sign_in(self) -> Iterator[socket.socket]:
        """One token request on a bare socket, answer unread."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        with connected(self.emulator) as connection:
            connection.sendall(request_bytes("/acme/oidc/oauth/token", headers, urlencode(CREDENTIALS).encode()))
            yield connection

    def raw_chat(self, prompt: str = "hello") -> bytes:
        """Every byte of the answer to one streamed chat request, as it is on the wire."""
        with self.open_chat(prompt) as connection:
            return read_all(connection)


def announce(client: Client, **fields: object) -> httpx.Response:
    """Ask for the form of an upload."""
    return client.http.post("/v2/file-upload/form", json=FILE | fields, headers=client.headers())


def post(form: dict[str, Any], parts: list[tuple[str, Any]] | None = None, **headers: str) -> httpx.Response:
    """Post every form field and then the file, or the given parts in their order."""
    fields = [(name, (None, value)) for name, value in form["form"].items()]
    file = ("file", ("relatório.txt", b"content"))
    return httpx.post(form["url"], files=[*fields, file] if parts is None else parts, headers=headers)


def request_bytes(path: str, headers: dict[str, str], body: bytes) -> bytes:
    """A POST request as it goes over the wire."""
    fields = {"Host": "emulator", "Connection": "close", **headers, "Content-Length": str(len(body))}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def connected(emulator: Emulator) -> socket.socket:
    """A bare connection to the emulator."""
    host, _, port = emulator.url.removeprefix("http://").rpartition(":")
    return socket.create_connection((host, int(port)), timeout=5)


def read_all(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    received = bytearray()
    while data := connection.recv(65536):
        received += data
    return bytes(received)


def read_until(connection: socket.socket, end: bytes) -> bytes:
    """Everything up to `end`, and what came along with it."""
    received = bytearray()
    while end not in received:
        received += connection.recv(65536)
    return bytes(received)


def read_chunks(connection: socket.socket, count: int) -> bytes:
    """What is inside the first `count` chunks of an answer that goes on."""
    received = read_until(connection, b"\r\n\r\n").partition(b"\r\n\r\n")[2]
    body = b""
    for _ in range(count):
        while b"\r\n" not in received:
            received += connection.recv(65536)
        size, _, received = received.partition(b"\r\n")
        while len(received) < int(size, 16) + 2:
            received += connection.recv(65536)
        body, received = body + received[: int(size, 16)], received[int(size, 16) + 2 :]
    return body


def body_of(raw: bytes) -> bytes:
    """The body inside the chunks of a raw answer; a chunk that is not whole counts as far as it came."""
    _, _, rest = raw.partition(b"\r\n\r\n")
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        body, rest = body + rest[:length], rest[length:].removeprefix(b"\r\n")
    return body


def data_of(body: bytes) -> list[str]:
    """The data of the events in a body. Strict: an event that no blank line ends does not count."""
    text = body.decode().replace("\r\n", "\n")
    events = text.split("\n\n")[:-1]
    return [line.removeprefix("data:").removeprefix(" ") for e in events for line in e.split("\n") if "data:" in line]


def frames_of(body: bytes) -> list[dict[str, Any]]:
    """The JSON of the events in a body."""
    return [json.loads(data) for data in data_of(body)]


def text_of(body: bytes) -> str:
    """The text that the frames of a body add up to."""
    return "".join(frame.get("message", "") for frame in frames_of(body))
