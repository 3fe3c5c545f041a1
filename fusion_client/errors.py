"""Everything that can go wrong, as one tree.

    FusionError
    ├── AuthenticationError    the key or token is missing, wrong or expired (401)
    ├── PermissionDeniedError  the key is valid and may not do this (403)
    ├── NotFoundError          there is no such thing (404)
    │   ├── AgentNotFoundError
    │   └── ChatNotFoundError
    ├── ValidationError        the request is at fault (400, 413, 422), or an argument is, before anything was sent
    ├── RateLimitError         too many requests (429)
    ├── UnsupportedError       the service does not have this call (405, 501)
    ├── ServerError            the service failed (5xx), or its answer cannot be read
    ├── NetworkError           there is no connection, or it broke
    ├── TimeoutError           nothing came in time
    └── StreamConsumedError    a stream is read a second time

Errors of httpx, json and pydantic become these where they happen (`raise … from exc`). No text carries the key.
"""

from __future__ import annotations

import builtins
from typing import Any


class FusionError(Exception):
    """An error of the client or the service.

    Args:
        message: what happened, where, and what to do next.
        status: HTTP status of the answer; None where there was none.
        code: the service's own word for it, such as `agent_not_found`.
        request_id: the service's name for the request (`x-request-id`), for its support.
        details: the body of the answer: parsed JSON, else text.
        retry_after: seconds after which a new try makes sense; None where the service does not tell.
        sent: False when the request surely never reached the service, so that repeating it repeats nothing.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        details: Any = None,
        retry_after: float | None = None,
        sent: bool = True,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.request_id = request_id
        self.details = details
        self.retry_after = retry_after
        self.sent = sent


class AuthenticationError(FusionError):
    """The key or token is missing, wrong or expired."""


class PermissionDeniedError(FusionError):
    """The key is valid, and may not do this."""


class NotFoundError(FusionError):
    """There is no such thing."""


class AgentNotFoundError(NotFoundError):
    """There is no such agent, or not for this key."""


class ChatNotFoundError(NotFoundError):
    """There is no such chat, or not for this key."""


class ValidationError(FusionError, ValueError):
    """The request or an argument is at fault; the message names it."""


class RateLimitError(FusionError):
    """Too many requests; `retry_after` tells when to come back."""


class UnsupportedError(FusionError):
    """The service does not have this call."""


class ServerError(FusionError):
    """The service failed, or its answer cannot be read."""


class NetworkError(FusionError):
    """There is no connection to the service, or it broke."""


class TimeoutError(FusionError, builtins.TimeoutError):
    """Nothing came in time."""


class StreamConsumedError(FusionError, RuntimeError):
    """A stream of tokens can be read once."""
