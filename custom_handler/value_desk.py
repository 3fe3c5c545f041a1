"""The JSON value that an answer must be, on its way to the client: held, checked, and given out, or set aside.

As with calls, a value is held up to so many characters and checked when it is whole; a longer one is given out as it is
written from there on, and can no longer be taken back. Where any object will do there is nothing to check, and it is
given out from its first character on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from custom_handler import metrics, schema
from custom_handler.events import Event, Text
from custom_handler.json_text import JsonText
from custom_handler.output import OutputFormat, validate


@dataclass(frozen=True, slots=True)
class BadValue:
    """A value that was not given out.

    Attributes:
        text: what the model wrote, as JSON; empty when it wrote none.
        problems: what is wrong with it, for the model.
    """

    text: str = ""
    problems: tuple[str, ...] = ()


class ValueDesk:
    """Handles the value of one answer; `begin` each of the agent's.

    Args:
        output: what the client asked for.
        check_chars: characters up to which a value is checked.

    Attributes:
        given: some of a value was given out.
        cut: it was given out only in part.
        bad: the first value that was set aside.
        strict: a bad value is worth nothing to the client.
    """

    def __init__(self, output: OutputFormat, check_chars: int) -> None:
        self.given = False
        self.cut = False
        self.bad = BadValue()
        self.strict = output.strict
        self._output = output
        self._check_chars = 0 if output.any_object else check_chars

    def begin(self) -> None:
        """Another answer of the agent comes."""
        self._json = JsonText(self._output)
        self._held = ""

    def take(self, events: Iterable[Event]) -> Iterator[Event]:
        """`events` with the value in place of the text around it."""
        for event in events:
            if not isinstance(event, Text):
                yield event
            elif ready := self._hold(self._json.feed(event.text)):
                yield Text(ready)

    def end(self) -> Iterator[Event]:
        """The agent has answered: the rest of the value."""
        ready = self._hold(self._json.flush())
        if self._json.mended:
            metrics.REPAIRS.labels("value", "syntax").inc()
        if self.given:
            self.cut = not self._json.complete
        else:
            ready = self._check(self._held)
        if ready:
            yield Text(ready)

    def give_bad(self) -> Iterator[Event]:
        """The value that was set aside, as it is."""
        if self.bad.text:
            self.given = True
            yield Text(self.bad.text)

    def _hold(self, text: str) -> str:
        """What can be given out now."""
        if self.given:
            return text
        self._held += text
        if len(self._held) <= self._check_chars:
            return ""
        self.given = True
        return self._held

    def _check(self, text: str) -> str:
        """The value, if it is good, with harmless differences put right as its schema says, such as "5" for 5."""
        fitted, _ = schema.check_text(text, self._output.schema)
        problems = validate(fitted, self._output) if text else ()
        if problems or not text:
            self.bad = self.bad if self.bad.text else BadValue(text, problems)
            return ""
        self.given = True
        if fitted != text:
            metrics.REPAIRS.labels("value", "schema").inc()
        return fitted
