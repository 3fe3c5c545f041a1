"""The HTTP client, and what its errors mean to whoever runs the proxy."""

from __future__ import annotations

import ssl

import certifi
import httpx

from custom_handler.errors import (
    BrokenAnswerError,
    SettingError,
    UnreachableError,
    UpstreamError,
    UpstreamTimeoutError,
)
from custom_handler.settings import CA_BUNDLE, CONNECT_TIMEOUT, READ_TIMEOUT, Network, Setting


def new_client(connection: Network) -> httpx.AsyncClient:
    """One pooled client for identity and agent calls; proxies come from HTTPS_PROXY and NO_PROXY.

    Raises:
        SettingError: the CA bundle cannot be read.
    """
    return httpx.AsyncClient(
        verify=trust(connection),
        timeout=timeouts(connection),
        # Who waits for whom is decided by quotas, not by the pool.
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=30),
    )


def timeouts(connection: Network) -> httpx.Timeout:
    """How long httpx waits for a connection, and for each next piece in either direction."""
    return httpx.Timeout(connection.read_timeout, connect=connection.connect_timeout)


def trust(connection: Network) -> ssl.SSLContext:
    """The system's authorities, those of certifi (some systems have none), and the operator's own.

    Raises:
        SettingError: the CA bundle cannot be read.
    """
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    if connection.ca_bundle is not None:
        try:
            context.load_verify_locations(connection.ca_bundle)
        except (ssl.SSLError, OSError) as exc:
            raise SettingError(
                f"{CA_BUNDLE.name} is not a file of PEM certificates ({type(exc).__name__}). It is {CA_BUNDLE.purpose}."
            ) from exc
    return context


def as_upstream_error(
    error: httpx.HTTPError, request_to: str, read_timeout: Setting[float] = READ_TIMEOUT
) -> UpstreamError:
    """What `error` means for a call to the service `request_to`, such as `StackSpot at host`.

    Args:
        read_timeout: the setting that says how long the service may take.
    """
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return UpstreamTimeoutError(
                f"{request_to} did not accept a connection in time. Check the network, and {CONNECT_TIMEOUT.name}."
            )
        case httpx.TimeoutException():
            return UpstreamTimeoutError(
                f"{request_to} did not answer in time. {read_timeout.name} sets how long it may take."
            )
        case httpx.ProxyError():
            return UnreachableError(
                f"The HTTP proxy on the way to {request_to} refused the connection. Check HTTPS_PROXY and NO_PROXY."
            )
        case httpx.ConnectError():
            return UnreachableError(f"No connection to {request_to}: {_cause(error)}.")
        case httpx.UnsupportedProtocol() | httpx.LocalProtocolError():
            return UnreachableError(f"No connection to {request_to}: its address in the settings is not usable.")
        case _:
            return BrokenAnswerError(f"The connection to {request_to} broke before the answer was complete.")


def _cause(error: httpx.ConnectError) -> str:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return f"its certificate is not trusted. Behind a proxy with its own CA, set {CA_BUNDLE.name}"
    if "Name or service not known" in text or "nodename nor servname" in text or "resolution" in text:
        return "its name cannot be resolved. Check the address, DNS, and HTTPS_PROXY"
    return "it was refused or lost. Check the address, the network, and HTTPS_PROXY"
