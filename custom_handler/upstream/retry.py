"""Asking again when a call failed before anything came of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from custom_handler import metrics, tracing
from custom_handler.errors import BridgeError
from custom_handler.upstream.base import Piece

log = logging.getLogger("custom_handler.upstream")

#: Seconds to wait before each new try.
DELAYS = (1.0, 2.0, 4.0)
#: Seconds after the first try when no further one is begun, however short the timeouts are.
TOO_LATE = 600.0


async def retrying(
    ask: Callable[[], AsyncGenerator[Piece, None]],
    delays: Sequence[float] = DELAYS,
    too_late: float = TOO_LATE,
) -> AsyncGenerator[Piece, None]:
    """The pieces of `ask()`, which is called again after a transient error, but never once a piece was passed on."""
    started = time.monotonic()
    for attempt, delay in enumerate((*delays, None), 1):
        passed_on = False
        try:
            async with aclosing(tracing.follow(ask(), "agent call", attempt=attempt)) as pieces:
                async for piece in pieces:
                    passed_on = True
                    yield piece
            return
        except BridgeError as exc:
            if passed_on or not exc.transient or delay is None or time.monotonic() - started > too_late:
                raise
            log.warning("Asking again in %g s: %s", delay, exc)
            metrics.RETRIES.labels(exc.code).inc()
        await asyncio.sleep(delay)
