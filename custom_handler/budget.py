"""A conversation that is too long for the model → one that fits. Pure.

First the oldest turns are left out, and a note tells the model so; when that is not enough, the largest tool results
among what is left are cut in the middle. System text, tools, the last user message and all that follows it stay; a
call and its results stay or go together.

Counting tokens of a long text takes a while, so nothing is counted where the estimate is far enough from the limit,
and otherwise each count tells, by proportion, where to try next: two or three counts are usual.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate

from custom_handler.prompt import render
from custom_handler.request import ChatRequest, Message

#: Tokens of a long prompt, when `model_info` does not say otherwise. Source: StackSpot's INFERENCE_6001.
DEFAULT_LIMIT = 272_000

#: UTF-8 bytes a token. Prose and code have three to five; less than this only digits, hashes and base64.
_FEWEST_BYTES = 2
#: The next try aims this much below the limit, since tokens are not spread evenly.
_AIM = 0.98
#: Characters, about, that the prompt has around a message or a call.
_MARKUP = 30
#: Characters, marker included. A tool result is never cut to less.
_SHORTEST_RESULT = 400

_NOTE = "[{} earlier message{} {} left out to fit the model's limit]"
_CUT = "\n[… {:,} characters were cut out here to fit the model's limit …]\n"

_TOLD_LIMIT = re.compile(r"limit of ([\d.,]*\d)")
_TOLD_SIZE = re.compile(r"resulted in ([\d.,]*\d)")
#: A second refusal costs more than a few turns: aim lower, and much lower where the service gave no numbers.
_AFTER_REFUSAL = 0.95
_WITHOUT_NUMBERS = 0.75


@dataclass(frozen=True, slots=True)
class Fitted:
    """What became of a request.

    Attributes:
        request: the very same object when nothing had to be done.
        prompt: its prompt.
        dropped_turns: messages that were left out.
        cut_results: tool results that were cut in the middle.
        cut_characters: how many characters they lost.
        tokens: of the rendered prompt, as counted; None when the estimate was enough.
        fits: False when everything that may go has gone and the prompt is still too long.
    """

    request: ChatRequest
    prompt: str
    dropped_turns: int = 0
    cut_results: int = 0
    cut_characters: int = 0
    tokens: int | None = None
    fits: bool = True

    @property
    def summary(self) -> str:
        """For the log, in numbers only; empty when nothing was done."""
        if self.fits and not (self.dropped_turns or self.cut_results):
            return ""
        return (
            f"Prompt budget: {self.dropped_turns} of the oldest messages left out, {self.cut_results} tool results cut "
            f"by {self.cut_characters} characters; {self.tokens} tokens"
            f"{'' if self.fits else ', still above the limit'}"
        )


def certainly_fits(prompt: str, limit_tokens: int) -> bool:
    """Whether `prompt` has so few bytes that its tokens need not be counted."""
    return len(prompt.encode("utf-8", "surrogatepass")) <= limit_tokens * _FEWEST_BYTES


def fit(
    request: ChatRequest,
    limit_tokens: int,
    count: Callable[[str], int],
    *,
    render: Callable[[ChatRequest], str] = render,
) -> Fitted:
    """`request`, made to fit.

    Args:
        request: as the client sent it. (Not one that was fitted before: it would get a second note.)
        limit_tokens: what its prompt may have.
        count: tokens of a text.
        render: the prompt of a request.
    """
    fitting = _Fitting(limit_tokens, count, render)
    tried = fitting.weigh(Fitted(request, render(request)))
    for step in (fitting.drop_turns, fitting.cut_results):
        if not tried.fitted.fits:
            tried = step(tried)
    return tried.fitted


def smaller(counted: int, told_by_service: str) -> int:
    """The limit, in tokens of our own count, for a second try with a prompt that the service refused.

    Args:
        counted: tokens of the refused prompt by our own count, which differs from the service's.
        told_by_service: the message of its `ContextWindowError`, such as "Input tokens exceed the configured limit
            of 272000 tokens. Your messages resulted in 300000 tokens."
    """
    limit, size = _number(_TOLD_LIMIT, told_by_service), _number(_TOLD_SIZE, told_by_service)
    known = 0 < limit < size
    return max(1, int(counted * limit / size * _AFTER_REFUSAL if known else counted * _WITHOUT_NUMBERS))


def _number(pattern: re.Pattern[str], text: str) -> int:
    match = pattern.search(text)
    return int(re.sub("[.,]", "", match[1])) if match else 0


@dataclass(frozen=True, slots=True)
class _Tried:
    """A request with the size of its prompt, in characters, and how many of those are too many (about)."""

    fitted: Fitted
    characters: int
    excess: int


@dataclass(frozen=True, slots=True)
class _Fitting:
    limit: int
    count: Callable[[str], int]
    render: Callable[[ChatRequest], str]

    def weigh(self, fitted: Fitted) -> _Tried:
        """Count the tokens of `fitted`, and see whether they are few enough."""
        tokens, size = self.count(fitted.prompt), len(fitted.prompt)
        excess = math.ceil(size * (1 - _AIM * self.limit / max(1, tokens)))
        return _Tried(replace(fitted, tokens=tokens, fits=tokens <= self.limit), size, excess)

    def render_anew(self, fitted: Fitted) -> Fitted:
        """`fitted` with the prompt of its request."""
        return replace(fitted, prompt=self.render(fitted.request))

    def drop_turns(self, tried: _Tried) -> _Tried:
        """Leave out the oldest turns: no more than needed, or all that may go."""
        whole, messages, end = tried.fitted, tried.fitted.request.messages, 0
        gone = [0, *accumulate(map(characters, messages))]
        ends = list(_ends_of_droppable(messages))
        while ends and not tried.fitted.fits:
            needed = gone[end] + tried.excess
            end = next((end for end in ends if gone[end] >= needed), ends[-1])
            ends = [later for later in ends if later > end]
            tried = self.weigh(self.render_anew(_without_oldest(whole, end)))
        return tried

    def cut_results(self, tried: _Tried) -> _Tried:
        """Cut the largest tool results in the middle, all to the same size."""
        before = tried
        sizes = [len(message.text) for message in before.fitted.request.messages if message.role == "tool"]
        size = max(sizes, default=0)
        while size > _SHORTEST_RESULT and not tried.fitted.fits:
            level = _level(sizes, before.characters - tried.characters + tried.excess)
            size = max(_SHORTEST_RESULT, min(level, size - 1))  # always smaller, whatever the rendering makes of it
            tried = self.weigh(self.render_anew(_with_results_cut(before.fitted, size)))
        return tried


def characters(message: Message) -> int:
    """Characters, about, that `message` takes in a prompt, system text aside."""
    if message.role == "system":
        return 0
    return _MARKUP + len(message.text) + sum(_MARKUP + len(call.name) + len(call.arguments) for call in message.calls)


def _ends_of_droppable(messages: Sequence[Message]) -> Iterator[int]:
    """The places before which everything but system text may go, in ascending order.

    None is between a call and its result, or behind the last user message.
    """
    owners = _owners(messages)
    earliest_needed = list(accumulate(reversed(owners), min))[::-1]
    for end in range(1, _last_question(messages) + 1):
        if messages[end - 1].role != "system" and earliest_needed[end] >= end:
            yield end


def _last_question(messages: Sequence[Message]) -> int:
    """The index of the last user message; of the last turn when the user said nothing."""
    for roles in (("user",), ("assistant", "tool")):
        found = [index for index, message in enumerate(messages) if message.role in roles]
        if found:
            return found[-1]
    return 0


def _owners(messages: Sequence[Message]) -> list[int]:
    """For each message the one that it must not be parted from: for a result, the turn with its call; else itself."""
    callers: dict[str | None, int] = {}
    latest = None
    owners = []
    for index, message in enumerate(messages):
        if message.calls:
            latest = index
            callers |= {call.id: index for call in message.calls}
        owner = callers.get(message.tool_call_id, latest) if message.role == "tool" else index
        owners.append(index if owner is None else owner)
    return owners


def _without_oldest(fitted: Fitted, end: int) -> Fitted:
    messages = fitted.request.messages
    first = next(index for index, message in enumerate(messages) if message.role != "system")
    system = [message for message in messages[first:end] if message.role == "system"]
    dropped = end - first - len(system)
    note = Message("system", _NOTE.format(dropped, "" if dropped == 1 else "s", "was" if dropped == 1 else "were"))
    kept = (*messages[:first], note, *system, *messages[end:])
    return replace(fitted, request=replace(fitted.request, messages=kept), dropped_turns=dropped)


def _level(sizes: Sequence[int], excess: int) -> int:
    """The size to which the largest of `sizes` must be cut so that together they lose `excess`."""
    total, ordered = 0, sorted(sizes, reverse=True)
    for number, (size, following) in enumerate(zip(ordered, (*ordered[1:], 0), strict=True), start=1):
        total += size
        level = (total - excess) // number
        if level >= following:
            return level
    return 0


def _with_results_cut(fitted: Fitted, size: int) -> Fitted:
    messages = tuple(map(partial(_with_result_cut, size=size), fitted.request.messages))
    lost = [
        len(old.text) - len(new.text)
        for old, new in zip(fitted.request.messages, messages, strict=True)
        if new is not old
    ]
    request = replace(fitted.request, messages=messages)
    return replace(fitted, request=request, cut_results=len(lost), cut_characters=sum(lost))


def _with_result_cut(message: Message, size: int) -> Message:
    if message.role != "tool" or len(message.text) <= size:
        return message
    return replace(message, text=_cut_in_the_middle(message.text, size))


def _cut_in_the_middle(text: str, size: int) -> str:
    """Head and tail of `text`, with a line between them that says how much is missing; at most `size` in all."""
    kept = size - len(_CUT.format(len(text)))
    tail = kept // 2
    return text[: kept - tail] + _CUT.format(len(text) - kept) + text[len(text) - tail :]
