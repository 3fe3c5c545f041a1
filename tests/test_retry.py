"""Asking again: only after transient errors, and never once anything was passed on."""

from collections.abc import AsyncGenerator, Sequence

import pytest

from custom_handler.errors import AgentRefusedError, BridgeError, UnavailableError
from custom_handler.upstream.base import Delta, Piece, Report
from custom_handler.upstream.retry import DELAYS, retrying
from tests.support.figures import counted

ANSWER: tuple[Piece, ...] = (Delta("a"), Delta("b"), Report(1, 1))


class Service:
    """Answers with the lists it was given, one a call; an exception in a list is raised at its place."""

    def __init__(self, *answers: Sequence[Piece | BridgeError]) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.closed = 0

    async def ask(self) -> AsyncGenerator[Piece, None]:
        self.asked += 1
        try:
            for piece in self.answers.pop(0):
                if isinstance(piece, BridgeError):
                    raise piece
                yield piece
        finally:
            self.closed += 1


async def collect(service: Service) -> list[Piece]:
    return [piece async for piece in retrying(service.ask, delays=(0, 0, 0))]


async def test_a_good_answer_is_asked_for_once() -> None:
    service = Service(ANSWER)
    assert await collect(service) == list(ANSWER)
    assert service.asked == 1


@pytest.mark.parametrize("failures", [1, 2, 3])
async def test_transient_errors_before_the_first_piece_are_asked_again(failures: int) -> None:
    service = Service(*[[UnavailableError("down")] for _ in range(failures)], ANSWER)
    with counted("agent_proxy_retries_total", code="upstream_unavailable") as retries:
        assert await collect(service) == list(ANSWER)
    assert service.asked == service.closed == failures + 1
    assert retries == [failures]


async def test_the_fourth_failure_is_final() -> None:
    service = Service(*[[UnavailableError(f"down {number}")] for number in range(5)])
    with pytest.raises(UnavailableError, match="down 3"):
        await collect(service)
    assert service.asked == 4


async def test_nothing_is_asked_again_after_the_first_piece() -> None:
    service = Service([Delta("a"), UnavailableError("down")], ANSWER)
    with pytest.raises(UnavailableError):
        await collect(service)
    assert service.asked == 1


async def test_errors_that_stay_are_not_asked_again() -> None:
    service = Service([AgentRefusedError("no")], ANSWER)
    with pytest.raises(AgentRefusedError):
        await collect(service)
    assert service.asked == 1


async def test_closing_the_answer_closes_the_call() -> None:
    service = Service(ANSWER)
    pieces = retrying(service.ask)
    await anext(pieces)
    await pieces.aclose()
    assert service.closed == 1


def test_the_waits_are_one_two_and_four_seconds() -> None:
    assert DELAYS == (1, 2, 4)
