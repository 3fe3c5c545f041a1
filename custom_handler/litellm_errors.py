"""Our errors as LiteLLM's, mapped once.

LiteLLM decides by the class of an exception: whether a fallback is tried, and for which reason. What the client reads
comes from its attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus

import httpx
from litellm import exceptions as litellm

from custom_handler import errors
from custom_handler.errors import BridgeError

#: Every class of `errors` → the class of LiteLLM that has its meaning.
CLASSES: Mapping[type[BridgeError], Callable[..., Exception]] = {
    errors.BridgeError: litellm.InternalServerError,
    errors.SettingError: litellm.InternalServerError,
    errors.RequestError: litellm.BadRequestError,
    errors.UnknownModelError: litellm.NotFoundError,
    errors.UnknownRouteError: litellm.NotFoundError,
    errors.TooLargeError: litellm.BadRequestError,
    errors.ContextWindowError: litellm.ContextWindowExceededError,
    errors.KeyRefusedError: litellm.AuthenticationError,
    errors.KeysUnavailableError: litellm.ServiceUnavailableError,
    errors.NotAllowedError: litellm.PermissionDeniedError,
    errors.ModelNotAllowedError: litellm.PermissionDeniedError,
    errors.IdentityRefusedError: litellm.AuthenticationError,
    errors.AgentRefusedError: litellm.PermissionDeniedError,
    errors.UploadRefusedError: litellm.PermissionDeniedError,
    errors.RateLimitedError: litellm.RateLimitError,
    errors.ServiceQuotaError: litellm.RateLimitError,
    errors.UpstreamError: litellm.BadGatewayError,
    errors.UnreachableError: litellm.BadGatewayError,
    errors.UnavailableError: litellm.ServiceUnavailableError,
    errors.UpstreamTimeoutError: litellm.Timeout,
    errors.BrokenAnswerError: litellm.BadGatewayError,
    errors.NoCallError: litellm.BadGatewayError,
    errors.BadOutputError: litellm.BadGatewayError,
}


def to_litellm(error: BridgeError, model: str, provider: str = "stackspot") -> Exception:
    """The exception to raise into LiteLLM for `error`.

    Args:
        error: what went wrong.
        model, provider: their names, for LiteLLM's logs.
    """
    response = httpx.Response(error.status, request=httpx.Request("POST", f"https://{provider}.invalid"))
    mapped = CLASSES[type(error)](message=error.message, model=model, llm_provider=provider, response=response)
    mapped.__dict__.update(
        message=error.message,  # LiteLLM puts the class's name before it
        status_code=error.status,  # its Timeout is a 408
        type=error.type,  # without these three, a streamed error says null or "None"
        param=error.param,
        code=error.code,
        headers=None if error.retry_after is None else {"retry-after": str(error.retry_after)},
        bridge_error=error,
    )
    return mapped


def in_stream(error: Exception, model: str, provider: str, *, begun: bool, routed: bool) -> Exception:
    """`error` of `to_litellm` as a stream raises it: a fallback is tried where nothing was sent, and only there.

    By itself LiteLLM's router tries none for a 401 or 403 of a stream, though it does for a whole answer; and when a
    part of the answer was sent, it lets another model go on (on /v1/responses), unless the request is at fault.

    Args:
        begun: something of the answer was passed on.
        routed: the router has called, which takes off what is put around the error.
    """
    if begun:
        error.__dict__["status_code"] = HTTPStatus.FAILED_DEPENDENCY
    elif routed:
        return litellm.MidStreamFallbackError(
            str(error), model, provider, original_exception=error, is_pre_first_chunk=True
        )
    return error


def origin(exception: BaseException | None) -> BridgeError | None:
    """The error of ours behind an exception that LiteLLM has wrapped, perhaps more than once."""
    for _ in range(10):  # a chain may close on itself
        if exception is None:
            break
        error = getattr(exception, "bridge_error", None)
        if isinstance(error, BridgeError):
            return error
        exception = getattr(exception, "original_exception", None) or exception.__cause__ or exception.__context__
    return None
