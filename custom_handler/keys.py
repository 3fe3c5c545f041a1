"""Who may use the proxy.

With a master key (LITELLM_MASTER_KEY), every request needs it. Without one, the proxy serves its own machine only: the
connection must be local on both ends, and neither another proxy nor a web page of another site may stand behind it.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from custom_handler.errors import KeyRefusedError

if TYPE_CHECKING:
    from fastapi import Request
    from litellm.proxy._types import UserAPIKeyAuth

#: Headers that say another proxy passed the request on: the connection's address is then not the client's.
_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
_HOW = "as 'Authorization: Bearer <key>' or 'x-api-key: <key>'"


def presented(headers: Mapping[str, str]) -> str:
    """The key that a request brought, or an empty string; OpenAI's header goes before Anthropic's."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()


def check(key: str, scope: MutableMapping[str, Any], master_key: str | None) -> None:
    """Let a request pass, or not.

    Args:
        key: what `presented` found.
        scope: the ASGI scope of the request.
        master_key: the proxy's key; None or empty when it has none.

    Raises:
        KeyRefusedError: the key is missing or wrong, or there is none to check and the client is not local.
    """
    if not master_key:
        if not _is_local(scope):
            raise KeyRefusedError(
                "This proxy has no key and therefore serves programs on its own machine only. Set LITELLM_MASTER_KEY "
                f"where it runs, then send that key {_HOW}."
            )
    elif not key:
        raise KeyRefusedError(f"There is no API key in this request. Send the proxy's key {_HOW}.")
    elif not hmac.compare_digest(key.encode(), master_key.encode()):
        raise KeyRefusedError(f"This API key is wrong. Send the proxy's key (its LITELLM_MASTER_KEY) {_HOW}.")


async def require_key(request: Request, api_key: str) -> UserAPIKeyAuth:
    """LiteLLM's `custom_auth`: the identity behind a request. The gate has let it pass already.

    Raises:
        litellm.proxy._types.ProxyException: the request may not pass, with status 401.
    """
    from litellm.proxy import proxy_server  # LiteLLM takes seconds to import, and the gate needs `check` alone
    from litellm.proxy._types import LitellmUserRoles, ProxyException, UserAPIKeyAuth

    try:
        check(api_key or "", request.scope, proxy_server.master_key)
    except KeyRefusedError as exc:
        raise ProxyException(exc.message, type=exc.type, param=None, code=exc.status) from exc
    identity = hashlib.sha256((api_key or "").encode()).hexdigest()  # LiteLLM prints this field in errors and logs
    # LiteLLM begins its span before it asks here, and would lose it.
    span = getattr(request.state, "parent_otel_span", None)
    return UserAPIKeyAuth(api_key=identity, user_role=LitellmUserRoles.INTERNAL_USER, parent_otel_span=span)


def _is_local(scope: MutableMapping[str, Any]) -> bool:
    headers = Headers(scope=scope)
    ends = (scope.get("client"), scope.get("server"))
    return (
        all(end is not None and _is_loopback(end[0]) for end in ends)
        and not any(name in headers for name in _FORWARDED)
        and _is_local_name(f"//{headers.get('host', '')}")  # a foreign name that resolves to 127.0.0.1
        and _is_local_name(headers.get("origin", "//localhost"))  # a page of another site in a local browser
        and headers.get("sec-fetch-site") != "cross-site"  # the same without an Origin: an image, a link
    )


def _is_local_name(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return host == "localhost" or _is_loopback(host)


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
