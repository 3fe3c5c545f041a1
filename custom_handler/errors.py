"""Everything that can go wrong, as one tree.

    BridgeError
    ├── SettingError            500  a setting is missing or malformed
    ├── RequestError            400  the client's request cannot be served as it is
    │   ├── UnknownModelError   404  no such model, and no agent id either
    │   ├── UnknownRouteError   404  no such address
    │   ├── TooLargeError       413  the body is larger than any prompt
    │   └── ContextWindowError  400  the prompt is longer than the agent's model accepts
    ├── KeyRefusedError         401  the client's key is missing, wrong or expired
    ├── KeysUnavailableError    503  the database with the clients' keys does not answer
    ├── NotAllowedError         403  the client's key may not do this
    │   └── ModelNotAllowedError 403  or not with this model
    ├── IdentityRefusedError    401  the identity service refused the account
    ├── AgentRefusedError       403  the agent id is wrong, or not shared with this account
    ├── UploadRefusedError      403  the account may not upload files
    ├── RateLimitedError        429  the account's quota, or that of the client's key, is used up
    │   └── ServiceQuotaError   429  the service says so; the question will be asked again
    └── UpstreamError           502  the service behind the proxy failed
        ├── NoCallError         502  the agent made no call, although the request wants one
        ├── BadOutputError      502  the agent wrote no JSON that response_format allows
        ├── UnreachableError    502  no connection
        ├── UnavailableError    503  the service answered 5xx
        ├── UpstreamTimeoutError 504 no answer in time
        └── BrokenAnswerError   502  the answer was cut, unreadable, or reported an error

Errors of httpx, json and others are turned into these where they happen (`raise … from exc`);
`provider` maps them once to LiteLLM's classes. Messages are read by clients and operators: they say what
happened, where, and what to do next, and never carry a secret or text of a prompt.
"""

from __future__ import annotations

from typing import ClassVar


class BridgeError(Exception):
    """An error with the HTTP status, and the OpenAI `type` and `code`, that a client gets.

    Args:
        message: one or two sentences for whoever reads the client's error.
        param: the field of the request that is at fault, as OpenAI's errors name it.
        retry_after: seconds after which a new try makes sense.
    """

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"
    code: ClassVar[str] = "internal_error"
    #: Whether the same call may succeed a moment later (it is repeated only before any output was sent).
    transient: ClassVar[bool] = False

    def __init__(self, message: str, *, param: str | None = None, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after = retry_after


class SettingError(BridgeError):
    """A setting is missing or malformed; the message names it and says what it is for."""

    code = "setting_error"


class RequestError(BridgeError):
    """The request is at fault; `param` names the field."""

    status = 400
    type = "invalid_request_error"
    code = "invalid_request"


class UnknownModelError(RequestError):
    """The model is neither configured nor an agent id."""

    status = 404
    code = "model_not_found"


class UnknownRouteError(RequestError):
    """No such address, or not with this method."""

    status = 404
    code = "unknown_url"


class TooLargeError(RequestError):
    """The body has more bytes than are accepted."""

    status = 413
    code = "request_too_large"


class ContextWindowError(RequestError):
    """The prompt has more tokens than the agent's model accepts."""

    code = "context_length_exceeded"


class KeyRefusedError(BridgeError):
    """The key that the client sent to the proxy is missing, wrong or expired."""

    status = 401
    type = "authentication_error"
    code = "invalid_api_key"


class KeysUnavailableError(BridgeError):
    """The database with the clients' keys does not answer, so that nobody can say whether a key is valid."""

    status = 503
    code = "keys_unavailable"


class NotAllowedError(BridgeError):
    """The client's key is valid, and may not do this."""

    status = 403
    type = "permission_error"
    code = "not_allowed"


class ModelNotAllowedError(NotAllowedError):
    """The client's key may not use this model."""

    code = "model_not_allowed"


class IdentityRefusedError(BridgeError):
    """The identity service refused the account's credentials, or the service refused its token twice."""

    status = 401
    type = "authentication_error"
    code = "identity_refused"


class AgentRefusedError(BridgeError):
    """The agent does not exist or is not shared with this account (upstream: 403 with an empty body)."""

    status = 403
    type = "permission_error"
    code = "agent_refused"


class UploadRefusedError(BridgeError):
    """The service does not let the account upload files."""

    status = 403
    type = "permission_error"
    code = "upload_refused"


class RateLimitedError(BridgeError):
    """The account's requests of this minute, or those of the client's key, are used up; `retry_after` is always set."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"


class ServiceQuotaError(RateLimitedError):
    """The service refused the question because the account has asked too many (upstream: 429)."""


class UpstreamError(BridgeError):
    """The service behind the proxy failed."""

    status = 502
    type = "upstream_error"
    code = "upstream_error"


class UnreachableError(UpstreamError):
    """No connection could be made: DNS, refused, TLS, a proxy."""

    code = "upstream_unreachable"
    transient = True


class UnavailableError(UpstreamError):
    """The service answered with a 5xx status."""

    status = 503
    code = "upstream_unavailable"
    transient = True


class UpstreamTimeoutError(UpstreamError):
    """Nothing came within the connect or read timeout."""

    status = 504
    code = "upstream_timeout"
    transient = True


class BrokenAnswerError(UpstreamError):
    """The answer was cut, could not be read, or carried an error of the service."""

    code = "upstream_broken_answer"
    transient = True


class NoCallError(UpstreamError):
    """The request wants a call (`tool_choice`), and the agent makes none."""

    code = "no_tool_call"


class BadOutputError(UpstreamError):
    """The request wants a JSON value (`response_format`), and the agent writes none, or not such a one."""

    code = "bad_output"
