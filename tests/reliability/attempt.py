"""One request to the proxy, with or without a fault behind it, and everything that can be said about it afterwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import httpx

from tests.reliability import exchange, leaks
from tests.reliability.answer import Answer
from tests.reliability.apis import CHAT, Api
from tests.reliability.apis.api import Question
from tests.reliability.client import ask
from tests.reliability.eventually import eventually
from tests.reliability.exchange import Exchange
from tests.reliability.outcome import Outcome, Verdict, classify, expected
from tests.reliability.service import Seen, Service
from tests.reliability.stage import Lane
from tests.reliability.targets import target

#: Replies lined up for one request: more than it may ever take.
_REPLIES = 10
#: Seconds. The pauses between four tries, and some for the machine.
_PAUSES, _SLACK = 1 + 2 + 4, 8.0
#: Seconds in which a lane must be well again when its fault is over; a quota that is used up comes back in a minute.
_RECOVERY = 90.0
#: A PNG of one pixel.
_IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, in seconds.

    Attributes:
        read_timeout: the proxy's STACKSPOT_READ_TIMEOUT.
    """

    read_timeout: float

    @property
    def settings(self) -> dict[str, str]:
        """The proxy's settings: these waits, and room for as many requests as there will be."""
        names = ("STACKSPOT_CONNECT_TIMEOUT", "STACKSPOT_READ_TIMEOUT", "STACKSPOT_MAX_WAIT")
        room = {"STACKSPOT_MAX_RPM": "100000", "STACKSPOT_MAX_CONCURRENT": "1000"}
        return {**dict.fromkeys(names, f"{self.read_timeout:g}"), **room}

    @property
    def slow(self) -> float:
        """What a slow fault takes: longer than the proxy waits."""
        return self.read_timeout + 2

    @property
    def limit(self) -> float:
        """What an answer may take at most: four tries, each up to the timeout. Whatever takes longer hangs."""
        return 4 * self.read_timeout + _PAUSES + _SLACK


@dataclass(frozen=True, slots=True)
class Case:
    """What is tried.

    Attributes:
        fault: a name of `FAULTS`; None for none.
        stays: it strikes every try, and not only the first.
    """

    exchange: Exchange
    api: Api
    stream: bool
    fault: str | None = None
    stays: bool = False

    @property
    def question(self) -> Question:
        """What is asked: with an image, where a fault is to hit its upload."""
        image = _IMAGE if target(self.fault) == "upload" else ""
        return replace(self.exchange.question, image=image)

    def script(self, slow: float) -> list[dict[str, Any]]:
        """What the service is to reply, try by try."""
        struck = [self.exchange.reply(self.fault, slow)] * (_REPLIES if self.stays else 1)
        return struck + [self.exchange.reply(None, slow)] * _REPLIES


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of a case.

    Attributes:
        leaked: what its client read that it must not.
    """

    answer: Answer
    verdict: Verdict
    seen: Seen
    leaked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tester:
    """A client on a lane of its own, and its view of the service."""

    lane: Lane
    client: httpx.AsyncClient
    service: Service
    patience: Patience

    async def attempt(self, case: Case, leaves_after: float | None = None) -> Attempt:
        """Try `case`, and look at what is left of it; the client may leave after so many seconds."""
        script = case.script(self.patience.slow)
        await self.service.prepare(self.lane, *script, signed_out=target(case.fault) == "token")
        body = case.api.body(self.lane.model, case.question, stream=case.stream)
        answer = await ask(self.client, case.api, body, leaves_after or self.patience.limit)
        seen = await self.service.seen_in_the_end(self.lane)
        if answer.given_up and leaves_after:
            verdict = Verdict(Outcome.LEFT)
        else:
            verdict = _verdict(case, answer, seen, len(script))
        verdict = replace(verdict, broken=(*verdict.broken, *(("a call left open",) if seen.open else ())))
        return Attempt(answer, verdict, seen, leaks.in_answer(answer.received))

    async def recover(self) -> tuple[str, ...]:
        """Nothing, once an answer is whole again, at the latest when quota and sign-in have had time to come back."""

        async def is_well() -> bool:
            return not (await self.attempt(Case(exchange.text(), CHAT, stream=True))).verdict.broken

        return () if await eventually(is_well, _RECOVERY) else ("no answer afterwards",)


def _verdict(case: Case, answer: Answer, seen: Seen, scripted: int) -> Verdict:
    struck_last = case.stays or seen.tries == 1
    verdict = classify(answer, case.exchange.written(case.fault if struck_last else None), seen.tries)
    may_be = expected(case.fault, case.exchange.written(case.fault), stays=case.stays)
    unexpected = (
        *(() if verdict.outcome in may_be else (f"expected: {' or '.join(sorted(may_be))}",)),
        *(("the service was never asked",) if seen.waiting == scripted else ()),
    )
    return replace(verdict, broken=(*verdict.broken, *unexpected))
