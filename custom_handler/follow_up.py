"""The hidden question that follows an answer whose calls, or whose value, are broken or missing. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from custom_handler.calls import SetAside
from custom_handler.disarm import disarm
from custom_handler.markers import END, START
from custom_handler.output import OutputFormat, instruction
from custom_handler.prompt import tagged
from custom_handler.request import ChatRequest
from custom_handler.value_desk import BadValue

#: Why an agent is asked again, as Prometheus and traces tell it.
Reason: TypeAlias = Literal["broken_call", "no_call", "announcement", "empty_answer", "bad_value"]

_ONLY = f"Write nothing but the {START} … {END} block."


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with the calls of an answer: for us, and as it is said to the model."""

    reason: Reason
    text: str


def about_broken(calls: Sequence[SetAside]) -> Complaint:
    """What to say about calls that could not be carried out."""
    shown = "\n\n".join(f"{call.raw}\nProblem: {call.problem}" for call in calls)
    return Complaint(
        "broken_call",
        f"This could not be carried out:\n\n{shown}\n\n"
        f"Write it again, corrected, and nothing that was not asked for here. {_ONLY}",
    )


def about_missing(request: ChatRequest) -> Complaint:
    """What to say when the request wants a call and the answer has none."""
    wanted = f"of {request.tool_choice.name}" if request.tool_choice.name else "of one of the tools"
    text = f"Your answer must contain a call {wanted}, and it has none. Make the call now. {_ONLY}"
    return Complaint("no_call", text)


ABOUT_ANNOUNCED = Complaint(
    "announcement",
    f"You announced an action but made no call, so nothing happened. Make the call now. {_ONLY} "
    "If no tool can do it, write a full stop and nothing else.",
)


def render(prompt: str, answer: str, complaint: Complaint) -> str:
    """The prompt of the follow-up: everything so far, the answer, and what is wrong with it."""
    return "\n\n".join((prompt, tagged("assistant", answer), complaint.text))


def about_value(answer: str, bad: BadValue, output: OutputFormat) -> str:
    """What to ask when the value is bad or missing. It stands alone: a whole conversation would cost much more.

    Args:
        answer: all that the model wrote; shown when it wrote no value.
        bad: what it wrote as one, and what is wrong with it.
        output: what it was to write.
    """
    problems = "\n".join(f"- {disarm(problem)}" for problem in bad.problems or ["It contains no such JSON value."])
    return (
        f"{disarm(instruction(output))}\n\n"
        f"This answer was given, but breaks these rules:\n{tagged('answer', disarm(bad.text) or answer)}\n\n"
        f"What is wrong:\n{problems}\n\n"
        "Write the whole answer again as it should be. Change only what is wrong, and invent nothing."
    )
