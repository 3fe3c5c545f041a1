"""The HTTP client: whom it trusts, and what its errors are called."""

from __future__ import annotations

from pathlib import Path

import certifi
import httpx
import pytest

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


async def test_an_own_ca_bundle_is_added(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text(Path(certifi.where()).read_text().split("\n\n")[1])
    async with new_client(connection(bundle)):
        pass


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
