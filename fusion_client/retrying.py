"""When a call is made again, and after how long."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import stamina

from fusion_client.errors import NetworkError, RateLimitError, ServerError, TimeoutError

Answer = TypeVar("Answer")

_FIRST_PAUSE = 0.5  # seconds; each next one is twice as long, and as much as a second of chance is added
_LONGEST_PAUSE = 8.0  # seconds
_LONGEST_WAIT = 60.0  # seconds of Retry-After that are waited for; a longer pause is for the caller to plan


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a call is made again. most: 0 never does."""

    most: int

    async def run(self, attempt: Callable[[], Awaitable[Answer]], *, reads: bool) -> Answer:
        """What the first good `attempt` returns. reads: it may be made again whatever became of it.

        Raises:
            FusionError: of the last attempt.
        """
        if self.most == 0:
            return await attempt()
        again = stamina.AsyncRetryingCaller(
            attempts=self.most + 1, timeout=None, wait_initial=_FIRST_PAUSE, wait_max=_LONGEST_PAUSE
        )
        return await again(partial(pause_after, reads=reads), attempt)


def pause_after(error: Exception, *, reads: bool) -> bool | float:
    """Seconds to wait, True for the usual time, False for no new try."""
    if isinstance(error, ServerError) and error.status is None:
        return False  # it would be as unreadable again
    if isinstance(error, NetworkError) and error.status is not None:
        return False  # it would be sent elsewhere again
    if isinstance(error, RateLimitError):
        return _wait(error.retry_after)
    if isinstance(error, NetworkError | ServerError | TimeoutError) and (reads or not error.sent):
        return _wait(error.retry_after)
    return False


def _wait(retry_after: float | None) -> bool | float:
    """No client comes back at the same moment as all others."""
    if retry_after is None:
        return True
    return retry_after <= _LONGEST_WAIT and retry_after + random.uniform(0, 1)  # noqa: S311  # no secret
