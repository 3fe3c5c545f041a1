"""From what the parser reads to what the client gets: calls are held, checked, and sent, or set aside as broken.

A call is checked against its tool's schema before it is sent. One whose arguments grow beyond a limit is sent as it is
written from there on, so that nobody waits for a long file: it can no longer be taken back, nor checked.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from custom_handler import metrics, schema
from custom_handler.disarm import disarm
from custom_handler.events import (
    CallArguments,
    CallBegan,
    CallBroken,
    CallEnded,
    Content,
    Event,
    Reasoning,
    Text,
    ToolCall,
)
from custom_handler.markers import render_call
from custom_handler.members import WithoutMembers
from custom_handler.request import Tool

log = logging.getLogger("custom_handler.calls")


@dataclass(frozen=True, slots=True)
class SetAside:
    """A call that was not sent.

    Attributes:
        raw: what the model wrote, in the form of the prompt: quoted markers are disarmed in it.
        problem: what is wrong with it, for the model.
        call: the call itself, when it is one and only does not fit its schema.
    """

    raw: str
    problem: str
    call: ToolCall | None = None


class CallDesk:
    """Handles the calls of one answer.

    Args:
        tools: those that may be called.
        check_chars: characters of arguments up to which a call is checked.
        at_most_one: whether only the first call is sent.

    Attributes:
        set_aside: calls that were not sent because they are broken.
        dropped: calls were not sent because only one is wanted.
        cut: the answer ended inside a call.
        cut_on_the_way: the same, and the beginning of that call was sent.
    """

    def __init__(self, tools: Sequence[Tool], check_chars: int, *, at_most_one: bool = False) -> None:
        self._sent: set[bytes] = set()  # the calls, by their fingerprints
        self._any_sent = False
        self.set_aside: list[SetAside] = []
        self.dropped = False
        self.cut = False
        self.cut_on_the_way = False
        self._schemas: Mapping[str, Mapping[str, object]] = {tool.name: tool.parameters for tool in tools}
        self._check_chars = check_chars
        self._at_most_one = at_most_one
        self._name = ""
        self._held: list[str] | None = []  # arguments not sent yet; None when the call is being sent as it comes
        self._length = 0
        self._members = WithoutMembers(())
        self._fingerprint = _Fingerprint("")
        self.begin()

    def begin(self) -> None:
        """Another answer of the agent comes; a call that was sent before is not sent again."""
        self._sent_before = frozenset(self._sent)

    def take(self, content: Iterable[Content]) -> Iterator[Event]:
        """The events that `content` leads to."""
        for item in content:
            match item:
                case Text() | Reasoning():
                    yield item
                case CallBegan(name):
                    self._name, self._held, self._length = name, [], 0
                case CallArguments(text):
                    yield from self._take_arguments(text)
                case CallEnded(mended):
                    if mended:
                        metrics.REPAIRS.labels("call", "syntax").inc()
                    yield from self._end()
                case CallBroken():
                    self._break(item)

    @property
    def on_the_way(self) -> bool:
        """Whether the beginning of a call was sent, and its end was not."""
        return self._held is None

    @property
    def _full(self) -> bool:
        return self._at_most_one and self._any_sent

    def _take_arguments(self, text: str) -> Iterator[Event]:
        self._length += len(text)
        if self._held is not None:
            self._held.append(text)
            if self._length <= self._check_chars or self._full or self._sent_before:
                return
            text, self._held = "".join(self._held), None
            self._members = WithoutMembers(schema.noise(self._schemas[self._name]))
            self._fingerprint = _Fingerprint(self._name)
            self._count()
            yield CallBegan(self._name)
        if ready := self._members.feed(text):
            self._fingerprint.feed(ready)
            yield CallArguments(ready)

    def _end(self) -> Iterator[Event]:
        held, self._held = self._held, []
        if held is None:
            self._sent.add(self._fingerprint.digest)
            return
        if self._full:
            self.dropped = True
            return
        written = "".join(held)
        text, problems = schema.check_text(written, self._schemas[self._name])
        call = ToolCall(self._name, text)
        if problems:
            log.info("A call of %s does not fit its schema", self._name)
            raw = render_call(disarm(self._name), disarm(text))
            self.set_aside.append(SetAside(raw, " ".join(problems), call))
            return
        if (fingerprint := _Fingerprint(self._name, text).digest) not in self._sent_before:
            self._sent.add(fingerprint)
            self._count()
            if text != written:
                metrics.REPAIRS.labels("call", "schema").inc()
            yield call

    def _count(self) -> None:
        self._any_sent = True
        log.info("Tool call found: %s", self._name)

    def _break(self, broken: CallBroken) -> None:
        on_the_way, self._held = self.on_the_way, []
        if broken.cut or on_the_way:
            self.cut, self.cut_on_the_way = True, on_the_way
            log.warning("The answer ended inside a tool call%s", "" if on_the_way else ", which was dropped")
        elif self._full:
            self.dropped = True
        else:
            self.set_aside.append(SetAside(broken.raw, broken.problem))


class _Fingerprint:
    """Tells a call from another, but for the white space in its arguments."""

    def __init__(self, name: str, arguments: str = "") -> None:
        self._hash = hashlib.sha256(f"{name}\n".encode())
        self.feed(arguments)

    def feed(self, arguments: str) -> None:
        self._hash.update("".join(arguments.split()).encode("utf-8", "surrogatepass"))

    @property
    def digest(self) -> bytes:
        return self._hash.digest()
