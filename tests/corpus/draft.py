"""What a row makes its cases from: seeded choices, a format, and a deck of calls that is dealt from evenly."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

from custom_handler.request import Tool
from tests.corpus.case import Call, Case, Item
from tests.corpus.formats import Format
from tests.corpus.tools import TOOLS
from tests.corpus.uses import USES, Use
from tests.corpus.writer import PLAIN, Style, write

_OTHER_TOOLS = 4
#: Characters of arguments: a reader may give out a part of long ones, and what is given out cannot be held back.
_SHORT, _LONG = 600, 1000
_LONG_USES = [use for use in USES if len(write(use.arguments)) > _LONG]


def short(use: Use) -> bool:
    """Short enough that a reader checks the whole call before it gives out any of it."""
    return len(write(use.arguments)) < _SHORT


class Draft:
    """The choices for the cases of one row and format.

    Args:
        row: the name of the row.
        form: the format of the calls.
        seed: what all choices depend on, beside row and format.
    """

    def __init__(self, row: str, form: Format, seed: int) -> None:
        self.form = form
        self.random = Random(f"{seed} {row} {form.name}")  # noqa: S311 - a corpus needs a seed, not secrecy
        self._row = row
        first = self.random.choice(_LONG_USES)
        self._deck = deque([*self.random.sample(USES, len(USES)), first])  # dealt from the end

    def use(self, fits: Callable[[Use], bool] = lambda _: True) -> Use:
        """The next meant call of the deck that fits.

        Raises:
            LookupError: no call of the corpus fits.
        """
        for _ in range(len(self._deck)):
            self._deck.rotate(1)
            if fits(self._deck[0]):
                return self._deck[0]
        raise LookupError(f"no call fits the row {self._row!r}")

    def json(self, use: Use, style: Style = PLAIN) -> str:
        """The JSON of the call in this format."""
        return self.form.json(use.tool.name, use.arguments, style)

    def block(self, use: Use, json: str | None = None) -> str:
        """The whole call; strict JSON with or without `\\u` escapes, unless its JSON is given."""
        if json is None:
            json = self.json(use, Style(ascii=self.random.random() < 0.25))
        on_one_line = self.form.name_key is not None and self.random.random() < 0.25
        return self.form.block(use.tool.name, json, gap="" if on_one_line else "\n")

    def case(
        self, text: str, *expected: Item, written: tuple[str, ...] = (), uses: tuple[Use, ...], **flags: Any
    ) -> Case:
        """A case that declares the tools of `uses` among some others."""
        return Case(self._row, self.form.name, self.tools(uses), text, expected, written, **flags)

    def tools(self, uses: tuple[Use, ...], without: str | None = None) -> tuple[Tool, ...]:
        """The tools of `uses` and some others, in any order, but not the one that is called `without`."""
        needed = {use.tool.name: use.tool for use in uses}
        others = [tool for name, tool in TOOLS.items() if name not in {*needed, without}]
        tools = [*needed.values(), *self.random.sample(others, _OTHER_TOOLS)]
        self.random.shuffle(tools)
        return tuple(tools)


def meant(use: Use) -> Call:
    """The call that is expected for `use`."""
    return Call.meant(use.tool.name, use.arguments)


def is_json(text: str) -> bool:
    """Whether `text` is strict JSON."""
    try:
        json.loads(text, parse_constant=_refuse)
    except ValueError:
        return False
    return True


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
