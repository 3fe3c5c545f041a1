"""Spans of what a request does, for OpenTelemetry: below LiteLLM's span, or in a library below the current one.

Nothing of a prompt, an answer, a key or a header is put into them. Where nobody wants spans, all of this does next to
nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias, TypeVar

from opentelemetry import context, trace
from opentelemetry.trace import Span, StatusCode, Tracer, TracerProvider

from custom_handler.errors import BridgeError
from custom_handler.stepping import stepping

T = TypeVar("T")
Value: TypeAlias = str | int | float | bool

_NAME = "custom_handler"
#: Attributes that have a name in OpenTelemetry's conventions.
_KEYS = {
    "status": "http.response.status_code",
    "prompt_tokens": "gen_ai.usage.input_tokens",
    "completion_tokens": "gen_ai.usage.output_tokens",
    "error": "error.type",
}


@dataclass(slots=True)
class _Home:
    """Where spans go: to what the host program has set up, until `start`."""

    tracer: Tracer = field(default_factory=partial(trace.get_tracer, _NAME))


_home = _Home()


@contextmanager
def span(name: str, **attributes: Value | None) -> Iterator[None]:
    """A span around a block without a `yield`; around a generator, see `follow`.

    Args:
        name: one of a few fixed words.
        attributes: none of them may have text of a prompt or an answer, or a secret.
    """
    begun = _begin(name, attributes)
    with _ending(begun), _current(begun):
        yield


def follow(items: AsyncGenerator[T, None], name: str, **attributes: Value | None) -> AsyncGenerator[T, None]:
    """`items` with a span around them, which begins now, and is current inside each step and only there."""
    begun = _begin(name, attributes)
    return _followed(items, begun) if begun.is_recording() else items


def under(items: AsyncGenerator[T, None], parent: object) -> AsyncGenerator[T, None]:
    """`items` with the spans of their steps below `parent`, if that is a span."""
    return stepping(items, partial(_current, parent)) if isinstance(parent, Span) else items


def note(**attributes: Value | None) -> None:
    """Add to the span that is current."""
    trace.get_current_span().set_attributes(_named(attributes))


def start(provider: TracerProvider) -> None:
    """Give all spans to `provider` from now on."""
    _home.tracer = provider.get_tracer(_NAME)


async def _followed(items: AsyncGenerator[T, None], begun: Span) -> AsyncGenerator[T, None]:
    with _ending(begun):
        async with aclosing(stepping(items, partial(_current, begun))) as steps:
            async for item in steps:
                yield item


def _begin(name: str, attributes: dict[str, Value | None]) -> Span:
    return _home.tracer.start_span(name, attributes=_named(attributes))


def _named(attributes: dict[str, Value | None]) -> dict[str, Value]:
    return {_KEYS.get(name, f"agent_proxy.{name}"): value for name, value in attributes.items() if value is not None}


@contextmanager
def _current(begun: Span) -> Iterator[None]:
    token = context.attach(trace.set_span_in_context(begun))
    try:
        yield
    finally:
        context.detach(token)


@contextmanager
def _ending(begun: Span) -> Iterator[None]:
    """End the span with the block. Of an error its code is told, never its message, which may quote the service."""
    try:
        yield
    except Exception as exc:
        begun.set_status(StatusCode.ERROR)
        begun.set_attributes(_named({"error": exc.code if isinstance(exc, BridgeError) else type(exc).__name__}))
        raise
    finally:
        begun.end()
