"""What goes wrong outside → our errors: the one place where httpx's errors and HTTP statuses are told apart. Pure.

No body of an error of Fusion is known (inferred). Read are `{"error": {"code", "message"}}`, `{"error": "…"}`,
`{"detail": "…"}`, `{"detail": [{"msg"}]}`, `{"code", "message"}`, and text; any other is only kept in `details`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from fusion_client.errors import (
    AgentNotFoundError,
    AuthenticationError,
    ChatNotFoundError,
    FusionError,
    NetworkError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    TimeoutError,
    UnsupportedError,
    ValidationError,
)
from fusion_client.retry_after import seconds_to_wait
from fusion_client.surrogates import mended

_LONGEST_DETAIL = 300  # characters of the service's prose in a message

#: Status, or its first digit → what it means.
_MEANINGS: Mapping[int, tuple[type[FusionError], str]] = {
    401: (AuthenticationError, "refused the credentials; check the API key"),
    403: (PermissionDeniedError, "does not let these credentials do this"),
    404: (NotFoundError, "knows no such thing"),
    405: (UnsupportedError, "does not have this call"),
    408: (TimeoutError, "took too long"),
    429: (RateLimitError, "has had too many requests"),
    501: (UnsupportedError, "does not have this call"),
    504: (TimeoutError, "took too long"),
    3: (NetworkError, "is not at this address; check the base URL"),
    4: (ValidationError, "did not accept the request"),
    5: (ServerError, "failed"),
}


#: What is missing, where the service says so: a file may be, when an agent is asked.
_MISSING: Mapping[str, type[NotFoundError]] = {
    "agent_not_found": AgentNotFoundError,
    "chat_not_found": ChatNotFoundError,
    "file_not_found": NotFoundError,
}


@dataclass(frozen=True, slots=True)
class Told:
    """What the body of an error tells. details: all of it."""

    code: str | None
    prose: str | None
    details: Any


def as_failure(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    secret: str = "",
    missing: type[NotFoundError] = NotFoundError,
) -> FusionError:
    """The error that an answer with `status` (none of success) stands for.

    Args:
        headers: with lower-case lookup, as httpx gives them.
        secret: what was sent as credentials; a service may quote it.
        missing: what a 404 means that does not say itself.
    """
    told = read_body(body.decode("utf-8", "replace"), secret)
    kind, text = _MEANINGS.get(status) or _MEANINGS.get(status // 100) or _MEANINGS[5]
    return (_MISSING.get(told.code or "", missing) if status == 404 else kind)(
        _sentence(text, status, told),
        status=status,
        code=told.code,
        request_id=headers.get("x-request-id"),
        details=told.details,
        retry_after=seconds_to_wait(headers),
    )


def _sentence(text: str, status: int, told: Told) -> str:
    reason = f"{status}, {told.code}" if told.code else str(status)
    prose = f": {told.prose[:_LONGEST_DETAIL]}" if told.prose else "."
    return f"Fusion {text} ({reason}){prose}"


def read_body(text: str, secret: str = "") -> Told:
    """What the body of an error tells, without `secret`."""
    text = text.replace(secret, "***") if secret else text
    try:
        details = json.loads(text)
    except (ValueError, RecursionError):
        return Told(None, None if text.lstrip().startswith("<") else text.strip() or None, text or None)
    if not isinstance(details, dict):
        return Told(None, None, details)
    return Told(*_told_by(details), details)


def _told_by(fields: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The code and the prose of an error object."""
    inner = fields.get("error")
    about: Mapping[str, Any] = inner if isinstance(inner, dict) else fields
    code = about.get("code", fields.get("code"))
    prose = inner if isinstance(inner, str) else about.get("message") or _detail(about.get("detail"))
    return (
        mended(str(code))[:100] if isinstance(code, str | int) else None,
        mended(prose) if isinstance(prose, str) else None,
    )


def _detail(detail: Any) -> Any:
    if isinstance(detail, list):
        return "; ".join(str(one.get("msg", one)) if isinstance(one, dict) else str(one) for one in detail)
    return detail


def as_network_failure(error: httpx.HTTPError, host: str, request_id: str | None = None) -> FusionError:
    """What `error` of httpx means for a call to `host`. Its own text is not repeated: it may quote a header.

    request_id: of the answer that had begun.
    """
    failure = _network_failure(error, host)
    failure.request_id = request_id
    return failure


def _network_failure(error: httpx.HTTPError, host: str) -> FusionError:
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return TimeoutError(f"Fusion at {host} did not accept a connection in time.", sent=False)
        case httpx.TimeoutException():
            return TimeoutError(f"Fusion at {host} did not answer in time; `timeout` sets how long it may take.")
        case httpx.ProxyError():
            text = f"The HTTP proxy on the way to Fusion at {host} refused. Check HTTPS_PROXY and NO_PROXY."
            return NetworkError(text, sent=False)
        case httpx.ConnectError():
            return NetworkError(f"No connection to Fusion at {host}: {_cause(error)}.", sent=False)
        case httpx.UnsupportedProtocol() | httpx.LocalProtocolError():
            return NetworkError(f"Nothing was sent to Fusion at {host}: the request cannot be written.", sent=False)
        case _:
            return NetworkError(f"The connection to Fusion at {host} broke before the answer was complete.")


def _cause(error: httpx.ConnectError) -> str:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "its certificate is not trusted. Behind a proxy with its own CA, set SSL_CERT_FILE"
    if "Name or service not known" in text or "nodename nor servname" in text or "resolution" in text:
        return "its name cannot be resolved. Check the base URL, DNS, and HTTPS_PROXY"
    return "it was refused or lost. Check the base URL, the network, and HTTPS_PROXY"
