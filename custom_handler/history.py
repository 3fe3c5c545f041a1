"""What was said so far → hashes by which it is known again when a client sends it back. Pure.

A client sends its whole history with every request, and seldom exactly what it was given: white space differs, the
arguments of calls were read and written again, ids are its own, one answer comes back as several messages, and some
leave out what was said beside a call. None of that makes another conversation; everything else does. System text at
the beginning does not belong to it: the agent is given that with every request.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any

from custom_handler.attachments import Attachment, File
from custom_handler.request import Message, PastCall


@dataclass(frozen=True, slots=True)
class Past:
    """A history up to an answer of the agent.

    Attributes:
        head: the hash of all of it, but for what that answer says beside its calls.
        beside: the hash of that; empty when it says nothing beside calls, or makes none.
    """

    head: str
    beside: str


def told(messages: Sequence[Message]) -> int | None:
    """How many of `messages` the agent may know: all up to its last answer. None when nothing follows, or none came."""
    end = next((end for end in range(len(messages), 0, -1) if messages[end - 1].role == "assistant"), 0)
    return end if 0 < end < len(messages) else None


def past(messages: Sequence[Message]) -> Past:
    """`messages`, the last of which is an answer of the agent, as hashes."""
    *earlier, (_, said, calls) = _turns(messages)
    head = hashlib.sha256()
    for turn in (*earlier, ("assistant", "" if calls else said, calls)):
        head.update(json.dumps(turn).encode() + b"\n")
    return Past(head.hexdigest(), hashlib.sha256(json.dumps(said).encode()).hexdigest() if calls and said else "")


def _turns(messages: Sequence[Message]) -> Iterator[tuple[str, str, Any]]:
    """Role, text, and calls; or what a result belongs to, and files."""
    first = next((index for index, message in enumerate(messages) if message.role != "system"), len(messages))
    numbers: dict[str, int] = {}
    for answered, group in groupby(messages[first:], lambda message: message.role == "assistant"):
        if answered:
            yield _answer(list(group), numbers)
        else:
            for message in group:
                belongs_to = numbers.get(message.tool_call_id or "", message.name) if message.role == "tool" else None
                yield message.role, message.text.strip(), (belongs_to, *map(_known_by, message.files))


def _answer(messages: Sequence[Message], numbers: dict[str, int]) -> tuple[str, str, list[tuple[str, str]]]:
    """One answer, which may have come back as several messages; its calls are counted on in `numbers`."""
    calls = list(chain.from_iterable(message.calls for message in messages))
    numbers.update((call.id, number) for number, call in enumerate(calls, start=len(numbers)))
    text = "".join(chain.from_iterable(message.text.split() for message in messages))
    return "assistant", text, list(map(_call, calls))


def _call(call: PastCall) -> tuple[str, str]:
    try:
        arguments = json.dumps(json.loads(call.arguments, parse_float=_number), sort_keys=True)
    except (ValueError, RecursionError):
        arguments = "".join(call.arguments.split())
    return call.name, arguments


def _known_by(file: File) -> str:
    return file.digest if isinstance(file, Attachment) else file.url


def _number(text: str) -> int | float:
    """JavaScript writes 1.0 as 1."""
    number = float(text)
    return int(number) if number.is_integer() else number
