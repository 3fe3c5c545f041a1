"""The HTTP client: whom it trusts, and what its errors are called."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
import trustme

from custom_handler import errors
from custom_handler.settings import Connection
from custom_handler.transport import as_upstream_error, new_client

SERVICE = "StackSpot at example.com"


def connection(ca_bundle: Path | None = None) -> Connection:
    url = "https://example.com"
    return Connection(url, url, url, ca_bundle, connect_timeout=20, read_timeout=600)


async def test_the_timeouts_are_those_of_the_settings() -> None:
    async with new_client(connection()) as client:
        assert client.timeout == httpx.Timeout(600, connect=20)


class Hello(BaseHTTPRequestHandler):
    """Answers every request with 204."""

    def do_GET(self) -> None:  # http.server's name
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def own_ca() -> trustme.CA:
    """A certificate authority that no system knows, like that of a bank's proxy."""
    return trustme.CA()


@pytest.fixture
def https_url(own_ca: trustme.CA) -> Iterator[str]:
    """A server whose certificate is from `own_ca`."""
    with HTTPServer(("127.0.0.1", 0), Hello) as server:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        own_ca.issue_cert("localhost").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield f"https://localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


async def test_a_certificate_of_an_own_authority_is_trusted_when_its_bundle_is_set(
    own_ca: trustme.CA, https_url: str, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    own_ca.cert_pem.write_to_path(str(bundle))
    async with new_client(connection(bundle)) as client:
        assert (await client.get(https_url)).status_code == 204


async def test_a_certificate_of_an_unknown_authority_is_refused_with_the_setting_that_helps(https_url: str) -> None:
    async with new_client(connection()) as client:
        with pytest.raises(httpx.ConnectError) as error:
            await client.get(https_url)
    assert "STACKSPOT_CA_BUNDLE" in as_upstream_error(error.value, SERVICE).message


def test_a_ca_bundle_that_is_none_is_named(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("not a certificate")
    with pytest.raises(errors.SettingError, match="STACKSPOT_CA_BUNDLE"):
        new_client(connection(bundle))


def http_errors(kind: type[Exception] = httpx.HTTPError) -> list[type[Exception]]:
    own = (child for child in kind.__subclasses__() if child.__module__ == "httpx")
    return [kind, *(leaf for child in own for leaf in http_errors(child))]


@pytest.mark.parametrize("kind", http_errors())
def test_every_error_of_httpx_has_a_meaning(kind: type[httpx.HTTPError]) -> None:
    if kind is httpx.HTTPStatusError:
        request = httpx.Request("GET", "http://x")
        error: httpx.HTTPError = httpx.HTTPStatusError("x", request=request, response=httpx.Response(500))
    else:
        error = kind("x")
    meaning = as_upstream_error(error, SERVICE)
    assert isinstance(meaning, errors.UpstreamError)
    assert SERVICE in meaning.message


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (httpx.ConnectTimeout(""), errors.UpstreamTimeoutError, "did not accept a connection"),
        (httpx.ReadTimeout(""), errors.UpstreamTimeoutError, "did not answer"),
        (httpx.ProxyError("403"), errors.UnreachableError, "HTTPS_PROXY"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] x"), errors.UnreachableError, "STACKSPOT_CA_BUNDLE"),
        (httpx.ConnectError("[Errno -2] Name or service not known"), errors.UnreachableError, "cannot be resolved"),
        (httpx.ConnectError("All connection attempts failed"), errors.UnreachableError, "refused or lost"),
        (httpx.RemoteProtocolError("x"), errors.BrokenAnswerError, "broke"),
    ],
)
def test_errors_say_what_to_check(error: httpx.HTTPError, kind: type[Exception], words: str) -> None:
    meaning = as_upstream_error(error, SERVICE)
    assert type(meaning) is kind
    assert words in meaning.message
