"""What became of a request, in a word, and which promises it broke."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from emulator import FAULTS, Fault
from tests.reliability.answer import Answer, Told
from tests.reliability.exchange import Written
from tests.support.services import STACKSPOT, Served


class Outcome(StrEnum):
    """The classes of outcome."""

    WHOLE = "whole"
    AGAIN = "whole, asked again"
    ERROR = "error"
    CUT = "beginning, then error"
    LEFT = "client left"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One outcome.

    Attributes:
        status, code: of the error, where there was one; the status 200 stands for an event in a stream.
        broken: the promises that were broken; none when all is well.
    """

    outcome: Outcome
    status: int | None = None
    code: str = ""
    broken: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.code:
            return str(self.outcome)
        if self.outcome is Outcome.CUT:
            return f"beginning, then `{self.code}`"
        return f"{'event' if self.status == 200 else self.status} `{self.code}`"


def hits_upload(name: str | None) -> bool:
    """Whether the fault of this name hits one of the requests of an upload."""
    return name is not None and FAULTS[name].hits in {"form", "store"}


def expected(name: str | None, written: Written, *, stays: bool, service: Served = STACKSPOT) -> frozenset[Outcome]:
    """The outcomes that may come of a fault.

    Args:
        name: of the fault in `FAULTS`; None for none.
        written: what the service writes meanwhile.
        stays: it strikes every try, and not only the first.
        service: whose fault it is. A token is renewed where it is refused; Fusion's key is not.
    """
    fault = FAULTS[name] if name else Fault("none")
    status = fault.refusal.status if fault.refusal else None
    if hits_upload(name):
        refused, unnoticed = status is not None and 400 <= status < 500, name == "form_unknown_id"
        return frozenset({Outcome.ERROR if refused or (stays and not unnoticed) else Outcome.WHOLE})
    if status == 429:  # the quota: waited for, unless it never comes back
        return frozenset({Outcome.ERROR} if stays else {Outcome.AGAIN, Outcome.ERROR})
    renewed = status == 401 and fault.hits == "chat" and service is STACKSPOT
    if fault.slow or fault.drop or (status and status >= 500) or renewed:
        return frozenset({Outcome.ERROR if stays else Outcome.AGAIN})
    if status:
        return frozenset({Outcome.ERROR})
    if not written.cut:
        return frozenset({Outcome.WHOLE})
    # Asked again where nothing of the answer had come yet: a reset may take along what came before it.
    return frozenset({Outcome.CUT, Outcome.ERROR} | (set() if stays else {Outcome.AGAIN}))


def classify(answer: Answer, written: Written, tries: int) -> Verdict:
    """What became of a request.

    Args:
        answer: what the client got.
        written: what the service wrote in the end.
        tries: how often it was asked.
    """
    told, broken = answer.told, _broken_form(answer)
    if told.error is None:
        whole = Outcome.AGAIN if tries > 1 else Outcome.WHOLE
        return Verdict(whole, broken=(*broken, *_differences(told, written)))
    begun = Outcome.CUT if told.text or told.calls else Outcome.ERROR
    return Verdict(begun, answer.status, told.error, (*broken, *_not_a_beginning(told, written)))


def _broken_form(answer: Answer) -> tuple[str, ...]:
    told = answer.told
    found = {
        "hangs": answer.given_up,
        "connection torn": answer.torn,
        "error without form": told.error == "formless",
        "neither whole nor an error": told.error is None and not told.complete,
        "an error that looks complete": told.error is not None and told.complete,
        "an error with status 200": told.error is not None and answer.status == 200 and not _is_stream(answer),
    }
    return tuple(name for name, is_so in found.items() if is_so)


def _is_stream(answer: Answer) -> bool:
    return "text/event-stream" in answer.received.partition("\n\n")[0]


def _differences(told: Told, written: Written) -> tuple[str, ...]:
    """What is wrong with an answer that passes for a whole one."""
    if written.arguments:
        arguments = [_loaded(text) for _, text in told.calls]
        right = [name for name, _ in told.calls] == ["save"] and arguments == [written.arguments]
        return () if right and not told.text.strip() else ("another call than was written",)
    if told.calls:
        return ("a call that was not written",)
    if told.text == written.text:
        return ()
    if written.text.startswith(told.text):
        return ("text lost",)
    return ("text doubled",) if told.text.startswith(written.text) else ("other text than was written",)


def _not_a_beginning(told: Told, written: Written) -> tuple[str, ...]:
    arguments = written.text.partition("arguments: ")[2]
    begun = [text for _, text in told.calls]
    fits = written.text.startswith(told.text) and len(begun) < 2 and all(map(arguments.startswith, begun))
    return () if fits else ("other text than was written",)


def _loaded(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None
