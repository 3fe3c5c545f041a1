"""Whoever watches calls: what a tracer or a counter is told of them. Never a message, never a key."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Protocol


class Observation(Protocol):
    """One call that is watched."""

    def attempt(self) -> None:
        """It is tried, for the first time or once more. Not called where the answer was kept in the cache."""
        ...

    def token(self) -> None:
        """A token of a stream came."""
        ...

    def end(self, error: BaseException | None) -> None:
        """It is over; `error` is None where it went well, or where a stream was closed before its end."""
        ...


class Observer(Protocol):
    """Watches all calls of a client."""

    def begin(self, operation: str, about: Mapping[str, str]) -> Observation:
        """A call begins.

        Args:
            operation: the client's method, such as `send_message`.
            about: what it is about, where it is known: `agent_id`, `chat_id`, and `stream` ("true") for a stream.
        """
        ...


class Unobserved:
    """An observer and an observation that look away."""

    def begin(self, operation: str, about: Mapping[str, str]) -> Observation:  # noqa: ARG002  # as in the protocol
        """Itself."""
        return self

    def attempt(self) -> None:
        """Nothing."""

    def token(self) -> None:
        """Nothing."""

    def end(self, error: BaseException | None) -> None:
        """Nothing."""


@contextmanager
def ending(observation: Observation) -> Generator[None]:
    """Tells `observation` how what is done inside ends."""
    try:
        yield
    except GeneratorExit:
        observation.end(None)
        raise
    except BaseException as error:
        observation.end(error)
        raise
    observation.end(None)
