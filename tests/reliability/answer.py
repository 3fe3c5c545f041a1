"""One answer as its client read it, whatever the API and however it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Told:
    """What a client was told.

    Attributes:
        text: all of the answer's text.
        calls: name and arguments (JSON) of each call, as far as they came.
        complete: the API's sign that nothing is missing was given.
        error: the code of the error that was told in the API's own form; None where there was none.
    """

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    complete: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came over the wire.

    Attributes:
        status: of HTTP; None when not even that came.
        received: every byte, the headers first.
        told: what it means.
        seconds: from the request to the end.
        torn: the connection broke.
        given_up: it did not end in the time that it may take.
    """

    status: int | None
    received: str
    told: Told
    seconds: float
    torn: bool = False
    given_up: bool = False


@dataclass(slots=True)
class Calls:
    """Calls that come in pieces, by whatever the API tells them apart."""

    _names: dict[object, str] = field(default_factory=dict)
    _pieces: dict[object, list[str]] = field(default_factory=dict)

    def add(self, key: object, name: str | None, arguments: str | None) -> None:
        """A new call, or more of the one with this `key`."""
        self._names[key] = self._names.get(key, "") + (name or "")
        self._pieces.setdefault(key, []).append(arguments or "")

    def all(self) -> tuple[tuple[str, str], ...]:
        """Name and arguments of each."""
        return tuple((name, "".join(self._pieces[key])) for key, name in self._names.items())


def error_code(error: Any) -> str:
    """The code in an error object of OpenAI's form or Anthropic's; `formless` for anything else."""
    if not isinstance(error, dict) or not isinstance(error.get("message"), str) or not error["message"]:
        return "formless"
    return str(error.get("code") or error.get("type") or "formless")
