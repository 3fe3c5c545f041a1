"""What the tests read out of the documents: headings, tables, code blocks, links."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_CODE = re.compile(r"^```(\w*)\n(.*?)^```$|^((?: {4}.*\n)+)", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_TABLE = re.compile(r"^\|.*\|\n\|[-| ]+\|\n((?:\|.*\|\n)+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Document:
    """A Markdown document, or a section of one."""

    text: str

    @classmethod
    def read(cls, path: Path) -> Self:
        return cls(path.read_text("utf-8"))

    def section(self, heading: str) -> Document:
        """What stands under `heading`, up to the next one of any level."""
        _, _, rest = self.text.partition(f"# {heading}\n")
        assert rest, f"there is no heading {heading!r}"
        following = _HEADING.search(rest)
        return Document(rest[: following.start()] if following else rest)

    @property
    def code(self) -> Sequence[str]:
        """The code blocks."""
        return [match[2] or match[3] for match in _CODE.finditer(self.text)]

    @property
    def headings(self) -> Sequence[tuple[int, str]]:
        """Level and text of each heading."""
        return [(len(marks), text) for marks, text in _HEADING.findall(_CODE.sub("", self.text))]

    @property
    def anchors(self) -> frozenset[str]:
        """The names under which a link reaches a heading."""
        return frozenset(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for _, text in self.headings)

    @property
    def links(self) -> Sequence[str]:
        """The targets of all links."""
        return _LINK.findall(_CODE.sub("", self.text))

    @property
    def tables(self) -> Sequence[Sequence[Sequence[str]]]:
        """The rows of each table, without its head, as cells."""
        return [[_cells(row) for row in body.splitlines()] for body in _TABLE.findall(self.text)]


def _cells(row: str) -> Sequence[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


def quoted(text: str) -> Sequence[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", text)
