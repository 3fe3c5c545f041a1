"""The correlation id: where it comes from, and that requests never see each other's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from custom_handler import correlation
from custom_handler.errors import RequestError


@pytest.mark.parametrize("name", ["correlation-id", "Correlation-ID"])
def test_it_is_read_from_the_header_in_any_case(name: str) -> None:
    assert correlation.from_headers({"x": "y", name: " abc-123 "}) == "abc-123"


@pytest.mark.parametrize("headers", [{}, {"correlation-id": ""}, {"correlation-id": " "}])
def test_none_is_found_where_none_is(headers: dict[str, str]) -> None:
    assert correlation.from_headers(headers) is None


@pytest.mark.parametrize("value", ["a b", "a\nb", "é", "x" * 201, "\x00"])
def test_one_that_headers_or_logs_cannot_carry_is_refused(value: str) -> None:
    with pytest.raises(RequestError) as error:
        correlation.from_headers({"correlation-id": value})
    assert error.value.param == "correlation-id"


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({"Correlation-Id": "bank-1"}, True),
        ({"correlation-id": "bank-1", correlation.MADE_HEADER: "yes"}, False),
        ({"correlation-id": " "}, False),
        ({}, False),
    ],
)
def test_it_is_known_whether_the_client_chose_it(headers: dict[str, str], named: bool) -> None:
    assert correlation.is_named(headers) == named


def test_new_ones_differ() -> None:
    assert correlation.new() != correlation.new()


def test_it_is_current_only_inside_its_block() -> None:
    with correlation.use("outer"):
        with correlation.use("inner"):
            assert correlation.current() == "inner"
        assert correlation.current() == "outer"
    assert correlation.current() == "-"


async def seen_ids(count: int) -> AsyncGenerator[str, None]:
    for _ in range(count):
        yield correlation.current()
        await asyncio.sleep(0)


async def test_two_streams_read_in_turn_keep_their_own() -> None:
    first, second = correlation.follow("first", seen_ids(2)), correlation.follow("second", seen_ids(2))
    seen = [(one, await anext(second), correlation.current()) async for one in first]
    assert seen == [("first", "second", "-")] * 2


async def test_closing_the_outer_stream_closes_the_inner() -> None:
    inner = seen_ids(3)
    outer = correlation.follow("id", inner)
    await anext(outer)
    await outer.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(inner)
