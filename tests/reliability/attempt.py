"""One request to the proxy, with or without a fault behind it, and everything that can be said about it afterwards."""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass, replace
from typing import Any

import httpx

from emulator import FAULTS
from tests.reliability import exchange, leaks
from tests.reliability.answer import Answer
from tests.reliability.apis import CHAT, Api
from tests.reliability.apis.api import Question
from tests.reliability.client import ask
from tests.reliability.eventually import eventually
from tests.reliability.exchange import Exchange
from tests.reliability.outcome import Outcome, Verdict, classify, expected, hits_upload
from tests.reliability.service import Seen, Service
from tests.reliability.stage import Lane
from tests.support.services import Served

#: Replies lined up for one request: more than it may ever take.
_REPLIES = 10
#: Seconds. The pauses between four tries.
_PAUSES = 1 + 2 + 4
#: How much longer everything may take on a machine that is busy with all the others.
_BUSY = 1.5
#: Seconds in which a lane must be well again when its fault is over; a quota that is used up comes back in a minute.
_RECOVERY = 90.0
#: A PNG of one pixel.
_IMAGE = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, in seconds.

    Attributes:
        read_timeout: the proxy's STACKSPOT_READ_TIMEOUT, and FUSION_TIMEOUT.
    """

    read_timeout: float

    @property
    def settings(self) -> dict[str, str]:
        """The proxy's settings: these waits, and room for as many requests as there will be."""
        of_fusion = ("FUSION_TIMEOUT", "FUSION_MAX_WAIT")
        waits = ("STACKSPOT_CONNECT_TIMEOUT", "STACKSPOT_READ_TIMEOUT", "STACKSPOT_MAX_WAIT", *of_fusion)
        limits = {"MAX_RPM": "100000", "MAX_CONCURRENT": "1000"}
        room = {f"{service}_{name}": value for service in ("STACKSPOT", "FUSION") for name, value in limits.items()}
        return {**dict.fromkeys(waits, f"{self.read_timeout:g}"), **room}

    @property
    def slow(self) -> float:
        """What a slow fault takes: longer than the proxy waits."""
        return self.read_timeout + 2

    @property
    def limit(self) -> float:
        """What an answer may take at most: four tries, each up to the timeout. Whatever takes longer hangs."""
        return _BUSY * (4 * self.read_timeout + _PAUSES)


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
        return replace(self.exchange.question, image=_new_image() if hits_upload(self.fault) else "")

    @property
    def strikes(self) -> int:
        """How often the fault would strike at most."""
        return _REPLIES if self.stays else 1

    def script(self, slow: float) -> list[dict[str, Any]]:
        """What the service is to reply, try by try."""
        good, bad = self.exchange.reply(None, slow), self.exchange.reply(self.fault, slow)
        return [bad] * self.strikes + [good] * _REPLIES


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
class Visitor:
    """A client on a lane of its own, and its view of the service."""

    lane: Lane
    client: httpx.AsyncClient
    service: Service
    patience: Patience

    async def attempt(self, case: Case, leaves_after: float | None = None) -> Attempt:
        """Try `case`, and look at what is left of it; the client may leave after so many seconds."""
        script = case.script(self.patience.slow)
        await self.service.prepare(self.lane, *script, signed_out=_hits_token(case.fault))
        body = case.api.body(self.lane.model, case.question, stream=case.stream)
        answer = await ask(self.client, case.api, body, leaves_after or self.patience.limit)
        seen = await self.service.seen_in_the_end(self.lane)
        await self.service.prepare(self.lane)  # what waits still shall not answer whoever comes next
        left = leaves_after is not None and answer.given_up
        verdict = Verdict(Outcome.LEFT) if left else _verdict(case, answer, seen, self.lane.service)
        # A token is fetched for everybody, also when the first who wanted it has left.
        left_open = "open" in (seen.chats if left else [*seen.chats, *seen.tokens])
        broken = (*verdict.broken, *(("a call left open",) if left_open else ()))
        return Attempt(answer, replace(verdict, broken=broken), seen, leaks.in_answer(answer.received))

    async def recover(self) -> tuple[str, ...]:
        """Ask until an answer is whole at once: what is broken then, or that there was none in time.

        Until then, errors and repeated tries are what is left of the fault.
        """
        last: list[Attempt] = []

        async def is_well() -> bool:
            last[:] = [await self.attempt(Case(exchange.text(), CHAT, stream=True))]
            return last[0].verdict.outcome not in {Outcome.ERROR, Outcome.AGAIN}

        return last[0].verdict.broken if await eventually(is_well, _RECOVERY) else ("no answer afterwards",)


def _hits_token(fault: str | None) -> bool:
    return fault is not None and FAULTS[fault].hits == "token"


def _new_image() -> str:
    """An image that was never uploaded: what stands behind its end is not looked at."""
    return b64encode(_IMAGE + secrets.token_bytes(8)).decode()


def _verdict(case: Case, answer: Answer, seen: Seen, service: Served) -> Verdict:
    struck_last = case.stays or seen.tries == 1
    verdict = classify(answer, case.exchange.written(case.fault if struck_last else None), seen.tries)
    may_be = expected(case.fault, case.exchange.written(case.fault), stays=case.stays, service=service)
    waiting = seen.waiting.count(case.fault)
    unexpected = (
        *(() if verdict.outcome in may_be else (f"expected: {' or '.join(sorted(may_be))}",)),
        *(("the fault never struck",) if case.fault and waiting == case.strikes else ()),
    )
    return replace(verdict, broken=(*verdict.broken, *unexpected))
