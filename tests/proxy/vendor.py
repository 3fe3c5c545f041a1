"""A server in the place of every vendor: whatever the proxy sends to the outside world arrives here."""

from __future__ import annotations

from tests.support.local_server import LocalServer, QuietHandler


class Vendor(LocalServer):
    """Records requests and refuses them.

    Attributes:
        url: its address.
        requests: the request lines so far, such as `POST http://api.openai.com/v1/chat/completions` or
            `CONNECT api.replicate.com:443`.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        vendor = self

        class Handler(QuietHandler):
            def refuse(self) -> None:
                vendor.requests.append(f"{self.command} {self.path}")
                self.send_error(418)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_CONNECT = refuse  # noqa: N815 - names of the library

        super().__init__(Handler)

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
