"""Errors of Fusion's client library → ours.

No body of an error of Fusion is known, so statuses decide. Its prose may quote the prompt, and is not repeated, but for
one that says that the prompt is too long: how long it may be is in it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import httpx

import fusion_client
from custom_handler import tracing
from custom_handler.errors import (
    AgentRefusedError,
    BridgeError,
    BrokenAnswerError,
    ContextWindowError,
    IdentityRefusedError,
    RateLimitedError,
    RequestError,
    ServiceQuotaError,
    UnavailableError,
    UnreachableError,
    UploadRefusedError,
    UpstreamError,
    UpstreamTimeoutError,
)
from custom_handler.settings import FUSION_BASE_URL, FUSION_TIMEOUT
from custom_handler.transport import as_upstream_error
from custom_handler.upstream.telling import pause, told
from fusion_client import FusionError

#: How services say that a prompt is too long; how this one does is not known.
_TOO_LONG = re.compile(
    r"context.?(length|window)|too long|tokens?\b.{0,80}\b(exceed|limit|maximum)|exceed.{0,40}tokens", re.I
)

_Meanings: TypeAlias = Mapping[type[FusionError], tuple[type[BridgeError], str]]

#: What an error means, whatever was asked. `{key}` stands for the setting with the key.
_ANY: _Meanings = {
    fusion_client.AuthenticationError: (IdentityRefusedError, "Fusion refused the key; check {key}"),
    fusion_client.UnsupportedError: (
        UnreachableError,
        f"Fusion does not have this call at this address; check {FUSION_BASE_URL.name}",
    ),
    fusion_client.TimeoutError: (UpstreamTimeoutError, "Fusion took too long"),
    fusion_client.NetworkError: (
        UnreachableError,
        f"Fusion gave no answer at this address; check {FUSION_BASE_URL.name}",
    ),
    fusion_client.ServerError: (UnavailableError, "Fusion is unavailable"),
    FusionError: (UpstreamError, "Fusion did not answer as expected"),
}
#: The same for a question; `{subject}` stands for the agent's id.
OF_AGENT: _Meanings = {
    **_ANY,
    fusion_client.PermissionDeniedError: (AgentRefusedError, "Fusion refused agent {subject}: {key} may not ask it"),
    fusion_client.ChatNotFoundError: (RequestError, "Fusion does not know the chat any more"),
    fusion_client.AgentNotFoundError: (
        RequestError,
        f"Fusion does not know agent {{subject}}; check its id, and {FUSION_BASE_URL.name}",
    ),
    # Transient: the file is uploaded again with the next try.
    fusion_client.NotFoundError: (UnavailableError, "Fusion does not know a file of the question any more"),
    fusion_client.ValidationError: (RequestError, "Fusion did not accept the request for agent {subject}"),
}
#: The same for an upload; `{subject}` stands for the file's name.
OF_FILE: _Meanings = {
    **_ANY,
    fusion_client.PermissionDeniedError: (UploadRefusedError, "Fusion does not let {key} upload {subject}"),
    fusion_client.NotFoundError: (
        UpstreamError,
        f"Fusion does not take files such as {{subject}} at this address; check {FUSION_BASE_URL.name}",
    ),
    fusion_client.ValidationError: (RequestError, "Fusion did not accept the file {subject}"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an error happened, for its message.

    Attributes:
        service: such as `Fusion at api.fusion.com`.
        subject: the id of the agent, or the name of the file.
        key: the setting with the key that was used.
    """

    service: str
    subject: str
    key: str
    meanings: _Meanings


@contextmanager
def as_ours(place: Place) -> Iterator[None]:
    """Errors of the library that come out of the block become ours, and the current span tells their status."""
    try:
        yield
    except FusionError as exc:
        tracing.note(status=exc.status)
        raise as_bridge_error(exc, place) from exc


def as_bridge_error(error: FusionError, place: Place) -> BridgeError:
    """What `error` means for what was asked at `place`."""
    if isinstance(error.__cause__, httpx.HTTPError):
        return as_upstream_error(error.__cause__, place.service, FUSION_TIMEOUT)
    if isinstance(error, fusion_client.RateLimitError):
        return _limited(error, place)
    if error.status is None:
        return _without_status(error, place)
    prose = error.message.partition(": ")[2]
    if place.meanings is OF_AGENT and (error.status == 413 or _is_too_long(error, prose)):
        return ContextWindowError(prose[:400] or "The prompt is too long for the agent's model.")
    kind, text = next(place.meanings[each] for each in type(error).__mro__ if each in place.meanings)
    return kind(f"{text.format(subject=repr(place.subject), key=place.key)} {told(error.status, error.code)}.")


def _is_too_long(error: FusionError, prose: str) -> bool:
    return isinstance(error, fusion_client.ValidationError) and _TOO_LONG.search(f"{error.code} {prose}") is not None


def _limited(error: fusion_client.RateLimitError, place: Place) -> RateLimitedError:
    wait = pause(None if error.retry_after is None else math.ceil(error.retry_after))
    if place.meanings is OF_AGENT:
        return ServiceQuotaError(
            f"Fusion takes no more requests of this key for now {told(error.status, error.code)}.", retry_after=wait
        )
    return RateLimitedError(f"Fusion takes no more files for now {told(error.status, error.code)}.", retry_after=wait)


def _without_status(error: FusionError, place: Place) -> BridgeError:
    """An answer that was accepted and went wrong, or a request that the library did not even send."""
    match error:
        case fusion_client.TimeoutError():
            return UpstreamTimeoutError(
                f"{place.service} sent only empty events for too long. {FUSION_TIMEOUT.name} sets how long it may take."
            )
        case fusion_client.ValidationError():
            return RequestError(f"Fusion cannot be asked that: {error.message}")
        case _:
            return BrokenAnswerError(f"{error.message.partition(': ')[0].rstrip('.')}.")
