"""The correlation id: one per request, on every log line and every answer.

The client's `correlation-id` header names it; without one it is made. It lives in a context variable, so that whatever
runs for a request, log lines included, sees it without passing it along.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TypeVar

from custom_handler.errors import RequestError
from custom_handler.stepping import stepping

T = TypeVar("T")

HEADER = "correlation-id"
#: Stands beside an id that the gate made, and no client can send it through the gate.
MADE_HEADER = "correlation-id-made"
_VALID = re.compile(r"[\x21-\x7e]{1,200}")
_current: ContextVar[str] = ContextVar("correlation_id", default="-")


def current() -> str:
    """The correlation id of the running request, `-` outside of one."""
    return _current.get()


def new() -> str:
    """A correlation id for a request that brought none."""
    return str(uuid.uuid4())


def from_headers(headers: Mapping[str, str]) -> str | None:
    """The client's correlation id, or None.

    Raises:
        RequestError: it is longer than 200 characters or has characters that a header or a log line cannot carry.
    """
    value = next((text for name, text in headers.items() if name.lower() == HEADER), "").strip()
    if not value:
        return None
    if not _VALID.fullmatch(value):
        raise RequestError(
            f"The {HEADER} header must have 1 to 200 printable ASCII characters and no spaces.", param=HEADER
        )
    return value


def as_headers(correlation_id: str, *, named: bool) -> Mapping[str, str]:
    """What tells the provider the id, and whether the client chose it."""
    return {HEADER: correlation_id} if named else {HEADER: correlation_id, MADE_HEADER: "yes"}


def is_named(headers: Mapping[str, str]) -> bool:
    """Whether the client chose the correlation id, so that requests with the same one belong together."""
    return from_headers(headers) is not None and MADE_HEADER not in map(str.lower, headers)


@contextmanager
def use(correlation_id: str) -> Iterator[None]:
    """Make `correlation_id` the current one inside the block."""
    token = _current.set(correlation_id)
    try:
        yield
    finally:
        _current.reset(token)


def follow(correlation_id: str, items: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Iterate `items` with `correlation_id` current inside each step, and only there."""
    return stepping(items, partial(use, correlation_id))
