"""A server in the place of every vendor: whatever the proxy sends to the outside world arrives here."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


class Vendor:
    """Records requests and refuses them.

    Attributes:
        url: its address.
        requests: the request lines so far, such as `POST http://api.openai.com/v1/chat/completions` or
            `CONNECT api.replicate.com:443`.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """Settings that lead LiteLLM here: its HTTP proxy, vendors' addresses, and keys to start with."""
        addresses = ("OPENAI", "ANTHROPIC", "REPLICATE", "AZURE", "GROQ", "MISTRAL", "COHERE", "GEMINI")
        return {
            **{f"{vendor}_API_KEY": "secret-of-the-vendor" for vendor in (*addresses, "CLARIFAI")},
            **{f"{vendor}_API_BASE": self.url for vendor in addresses},
            **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), self.url),
            "AIOHTTP_TRUST_ENV": "True",
            "NO_PROXY": "",
        }

    def __enter__(self) -> Vendor:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def refuse(self) -> None:
                vendor.requests.append(f"{self.command} {self.path}")
                self.send_error(418)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_CONNECT = refuse  # noqa: N815 - names of the library

            def log_message(self, *_: object) -> None:
                """Keep the output of the tests clean."""

        return Handler
