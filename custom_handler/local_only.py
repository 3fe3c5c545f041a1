"""Whether a request comes from a program of this machine: only those are served where there is no key.

The connection must be local on both ends, and neither another proxy nor a web page of another site may stand behind it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers

#: Headers that say another proxy passed the request on: the connection's address is then not the client's.
_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def is_local(scope: MutableMapping[str, Any]) -> bool:
    """Whether the request with this ASGI scope does."""
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
