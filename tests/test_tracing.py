"""Spans: what is below what, what they tell, and that nobody else gets to see them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from custom_handler import tracing
from custom_handler.errors import RateLimitedError
from custom_handler.quota.account import AccountQuota
from custom_handler.quota.tickets import Limits
from custom_handler.quota.turns import Turns


class Exported:
    """A provider that keeps what ends."""

    def __init__(self) -> None:
        self._memory = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._memory))

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self._memory.get_finished_spans()}

    def parent_of(self, name: str) -> str | None:
        parent = self.spans[name].parent
        ids = {span.context.span_id: other for other, span in self.spans.items() if span.context}
        return ids.get(parent.span_id) if parent else None

    def attributes_of(self, name: str) -> dict[str, object]:
        return dict(self.spans[name].attributes or {})


@pytest.fixture
def exported() -> Iterator[Exported]:
    exported = Exported()
    tracing.start(exported.provider)
    yield exported
    tracing.start(trace.get_tracer_provider())
    exported.provider.shutdown()


@pytest.fixture(autouse=True)
def _no_trouble(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """OpenTelemetry logs what it is used wrongly for, such as a context that is left in another one."""
    yield
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def letters() -> AsyncGenerator[str, None]:
    for letter in "abc":
        with tracing.span(f"step {letter}"):
            tracing.note(letter=letter)
        yield letter


async def test_what_happens_in_the_steps_of_a_generator_is_below_its_span(exported: Exported) -> None:
    async def call() -> AsyncGenerator[str, None]:
        async for letter in tracing.follow(letters(), "call", attempt=2):
            yield letter

    assert [letter async for letter in tracing.follow(call(), "question")] == ["a", "b", "c"]
    assert [exported.parent_of(name) for name in ("question", "call", "step a", "step c")] == [
        None,
        "question",
        "call",
        "call",
    ]
    assert exported.attributes_of("call") == {"agent_proxy.attempt": 2}
    assert exported.attributes_of("step b") == {"agent_proxy.letter": "b"}


async def test_two_that_are_read_in_turn_see_their_own_span_and_the_reader_sees_none(exported: Exported) -> None:
    async def noting(number: int) -> AsyncGenerator[int, None]:
        for step in range(3):
            tracing.note(**{f"step_{step}": number})
            yield step

    first, second = (tracing.follow(noting(number), f"number {number}") for number in (1, 2))
    async with aclosing(first), aclosing(second):
        for _ in range(3):
            for one in (first, second):
                await anext(one)
                assert trace.get_current_span() is trace.INVALID_SPAN
    for number in (1, 2):
        assert set(exported.attributes_of(f"number {number}").values()) == {number}


async def test_spans_are_below_the_span_that_litellm_has_made(exported: Exported) -> None:
    litellms = exported.provider.get_tracer("litellm").start_span("request")
    assert [letter async for letter in tracing.under(letters(), litellms)] == ["a", "b", "c"]
    litellms.end()
    assert exported.parent_of("step a") == "request"


async def test_without_a_span_of_litellm_they_are_below_what_is_current(exported: Exported) -> None:
    with exported.provider.get_tracer("host").start_as_current_span("host"):
        assert [letter async for letter in tracing.under(letters(), None)] == ["a", "b", "c"]
    assert exported.parent_of("step a") == "host"


class Foreign(Exception):  # noqa: N818 - as such names are elsewhere
    """An exception of somebody else."""


@pytest.mark.parametrize(
    ("error", "told"), [(RateLimitedError("the prompt says"), "rate_limit_exceeded"), (Foreign("prompt"), "Foreign")]
)
async def test_of_an_error_the_code_is_told_and_nothing_of_its_message(
    exported: Exported, error: Exception, told: str
) -> None:
    async def failing() -> AsyncGenerator[str, None]:
        yield "a"
        raise error

    with pytest.raises(type(error)):
        [item async for item in tracing.follow(failing(), "call")]
    with pytest.raises(type(error)), tracing.span("wait"):
        raise error
    for name in ("call", "wait"):
        span = exported.spans[name]
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
        assert exported.attributes_of(name) == {"error.type": told}
        assert span.events == ()


async def test_who_has_read_enough_ends_the_span_without_an_error(exported: Exported) -> None:
    async with aclosing(tracing.follow(letters(), "call")) as items:
        await anext(items)
        assert "call" not in exported.spans
    assert exported.spans["call"].status.status_code is StatusCode.UNSET


def test_attributes_have_the_names_of_the_conventions_where_there_is_one(exported: Exported) -> None:
    with tracing.span("call", status=200, agent_id="a", conversation=None):
        tracing.note(prompt_tokens=749, completion_tokens=None)
    assert exported.attributes_of("call") == {
        "http.response.status_code": 200,
        "agent_proxy.agent_id": "a",
        "gen_ai.usage.input_tokens": 749,
    }


async def test_where_nobody_wants_spans_nothing_is_put_around_anything() -> None:
    items = letters()
    assert tracing.under(tracing.follow(items, "call"), None) is items
    with tracing.span("wait", account="a"):
        assert not trace.get_current_span().is_recording()
    await items.aclose()


async def test_waiting_for_the_quota_is_a_span_and_going_at_once_is_none(exported: Exported) -> None:
    turns = Turns(AccountQuota("emulated", Limits(at_once=1)))

    async def go() -> None:
        async with turns.turn(turns.ticket()):
            pass

    async with turns.turn(turns.ticket()):
        waiting = asyncio.create_task(go())
        await asyncio.sleep(0)
        assert not exported.spans
    await waiting
    assert exported.attributes_of("queue") == {"agent_proxy.account": "emulated"}
