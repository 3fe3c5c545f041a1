"""What is counted of one request, however it ends."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, suppress

import pytest
from prometheus_client import REGISTRY

from custom_handler import errors
from custom_handler.errors import BridgeError, RateLimitedError
from custom_handler.events import CallArguments, CallBegan, Event, Finish, Reasoning, Text, ToolCall, Usage
from custom_handler.measuring import measured
from tests.support.clock import Clock

Item = Event | BaseException | Callable[[], None]
ERRORS = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, BridgeError)]


@pytest.fixture
def model() -> Iterator[str]:
    """A label that no other test has."""
    yield f"model-{uuid.uuid4()}"
    assert REGISTRY.get_sample_value("agent_proxy_requests_in_flight") == 0


async def given(*items: Item) -> AsyncGenerator[Event, None]:
    for item in items:
        if isinstance(item, BaseException):
            raise item
        if callable(item):
            item()
        else:
            yield item


def figure(name: str, model: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"agent_proxy_{name}", {"model": model, **labels})


def ended(model: str) -> dict[str, float]:
    """How the requests have ended, and how often."""
    (requests,) = (family for family in REGISTRY.collect() if family.name == "agent_proxy_requests")
    of_model = (sample for sample in requests.samples if sample.labels.get("model") == model)
    return {sample.labels["outcome"]: sample.value for sample in of_model if sample.name.endswith("_total")}


async def test_an_answer_passes_as_it_is_and_is_counted_with_its_tokens_calls_and_times(
    model: str, clock: Clock
) -> None:
    answer: list[Event] = [
        Reasoning("hm"),
        Text("I look."),
        ToolCall("a", "{}"),
        CallBegan("b"),
        CallArguments("{}"),
        Usage(749, 5),
        Finish("tool_calls"),
    ]
    tick = clock.tick
    events = measured(given(tick, answer[0], tick, tick, *answer[1:5], tick, *answer[5:]), model, clock)
    assert [event async for event in events] == answer
    assert ended(model) == {"ok": 1}
    assert figure("time_to_first_token_seconds_sum", model, outcome="ok") == 3
    assert figure("request_duration_seconds_sum", model, outcome="ok") == 4
    assert figure("tokens_total", model, outcome="ok", direction="prompt") == 749
    assert figure("tokens_total", model, outcome="ok", direction="completion") == 5
    assert figure("tool_calls_total", model) == 2


@pytest.mark.parametrize("error", ERRORS)
async def test_an_error_is_counted_by_its_code(model: str, error: type[BridgeError]) -> None:
    with pytest.raises(error):
        [event async for event in measured(given(Text("a"), error("no")), model)]
    assert ended(model) == {error.code: 1}


async def test_what_nobody_has_foreseen_is_an_internal_error(model: str) -> None:
    with pytest.raises(ZeroDivisionError):
        [event async for event in measured(given(ZeroDivisionError()), model)]
    assert ended(model) == {"internal_error": 1}


async def test_where_nothing_came_there_is_no_time_to_the_first_token(model: str) -> None:
    with pytest.raises(RateLimitedError):
        [event async for event in measured(given(Reasoning("hm"), RateLimitedError("no")), model)]
    assert figure("time_to_first_token_seconds_count", model, outcome="rate_limit_exceeded") is None
    assert figure("request_duration_seconds_count", model, outcome="rate_limit_exceeded") == 1


ANSWER = (Text("a"), Usage(1, 1), Finish("stop"))


@pytest.mark.parametrize(("taken", "outcome"), [(1, "cancelled"), (2, "cancelled"), (3, "ok")])
async def test_who_leaves_before_the_end_has_cancelled_and_who_leaves_at_the_end_has_not(
    model: str, taken: int, outcome: str
) -> None:
    async with aclosing(measured(given(*ANSWER), model)) as events:
        for _ in range(taken):
            await anext(events)
        assert REGISTRY.get_sample_value("agent_proxy_requests_in_flight") == 1
    assert ended(model) == {outcome: 1}


async def test_a_request_that_is_cancelled_while_it_waits_is_counted_as_that(model: str) -> None:
    begun = asyncio.Event()

    async def never() -> AsyncGenerator[Event, None]:
        begun.set()
        await asyncio.Event().wait()
        yield Text("a")

    request = asyncio.ensure_future(anext(measured(never(), model)))
    await begun.wait()
    request.cancel()
    with suppress(asyncio.CancelledError):
        await request
    assert ended(model) == {"cancelled": 1}
