"""An HTTP proxy that lets nothing through: whoever is sent to it by HTTPS_PROXY cannot reach the internet unseen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socketserver import StreamRequestHandler, ThreadingTCPServer

_LONGEST_LINE = 65536


class _Refusal(StreamRequestHandler):
    """Notes where a request wants to go, and refuses it."""

    def handle(self) -> None:
        line = self.rfile.readline(_LONGEST_LINE)
        assert isinstance(self.server, _Server)
        self.server.asked.append(line.decode("latin-1").strip())
        self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


class _Server(ThreadingTCPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Refusal)
        self.asked: list[str] = []


@dataclass(frozen=True, slots=True)
class Outside:
    """The proxy, listening on a loopback port.

    Attributes:
        environment: what sends a program's requests there, except for those to this machine.
        asked: the first lines of the requests, such as `CONNECT example.com:443 HTTP/1.1`.
    """

    environment: dict[str, str]
    asked: list[str]


@contextmanager
def outside() -> Iterator[Outside]:
    """Start it, and end it."""
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        names = [f"{kind}_proxy" for kind in ("http", "https", "all")]
        senders = dict.fromkeys([*names, *map(str.upper, names)], f"http://127.0.0.1:{server.server_address[1]}")
        spared = dict.fromkeys(["no_proxy", "NO_PROXY"], "127.0.0.1,localhost")
        yield Outside(senders | spared, server.asked)
        server.shutdown()
        thread.join()
