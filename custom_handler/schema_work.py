"""A bound on the work of one check, and the one way in which a check gives up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from referencing.exceptions import Unresolvable

#: Keywords that one check may evaluate: some 1,000 objects of ten properties each.
MOST_WORK = 100_000

#: What a schema that was found valid may still make jsonschema raise: circles, a decimal that is too large to divide,
#: an `$id` that is no address.
_AT_WORK = (Unresolvable, RecursionError, ArithmeticError, ValueError)


class UncheckedError(Exception):
    """The schema cannot be used: it is no JSON Schema, refers to what is not there, recurses, or is too much work."""


class _Work:
    def __init__(self) -> None:
        self._left = float(MOST_WORK)

    def spend(self, amount: float) -> None:
        self._left -= amount
        if self._left < 0:
            raise UncheckedError(f"more than {MOST_WORK} keywords to evaluate")


# jsonschema hands its keyword functions nothing in which a counter of ours could travel.
_work: ContextVar[_Work] = ContextVar("_work")


@contextmanager
def limited_work() -> Iterator[None]:
    """Inside, at most `MOST_WORK` is done, and what jsonschema raises over the schema is `UncheckedError`.

    Raises:
        UncheckedError: see there.
    """
    token = _work.set(_Work())
    try:
        yield
    except _AT_WORK as exc:
        raise UncheckedError(f"the schema cannot be used: {type(exc).__name__}") from exc
    finally:
        _work.reset(token)


def spend(amount: float = 1) -> None:
    """Count `amount` of work.

    Raises:
        UncheckedError: the limit is reached.
    """
    _work.get().spend(amount)
