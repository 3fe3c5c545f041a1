"""Results that a command writes into a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """The place in a document that a command writes anew.

    Attributes:
        begin, end: the lines before and behind it.
    """

    begin: str
    end: str

    @classmethod
    def of(cls, command: str) -> Place:
        """The place of `command`, such as `make corpus`."""
        return cls(f"<!-- results: {command} -->\n", "<!-- end of results -->\n")

    def published(self, document: str) -> str:
        """What stands at the place.

        Raises:
            ValueError: there is none, or more than one.
        """
        return self._parts(document)[1]

    def publish(self, document: str, results: str) -> str:
        """The document with `results` at the place.

        Raises:
            ValueError: there is none, or more than one.
        """
        before, _, after = self._parts(document)
        return "".join((before, self.begin, results, self.end, after))

    def _parts(self, document: str) -> tuple[str, str, str]:
        before, marked = document.split(self.begin)
        results, after = marked.split(self.end, 1)
        return before, results, after


def markdown_table(head: Sequence[str], *lines: Sequence[str]) -> str:
    """A table in Markdown, without a line end behind it."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *lines))
