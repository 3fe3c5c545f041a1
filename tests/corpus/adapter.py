"""The reader of the product: the parser, and the desk that checks calls before they are sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from custom_handler import events
from custom_handler.calls import CallDesk
from custom_handler.parser import CallParser
from custom_handler.request import Tool
from tests.corpus.case import Call, Item, Reasoning, Text
from tests.corpus.reader import Outcome

_CHECK_CHARS = 1000  # as the setting is by default


class ProductReader:
    """Feeds the pieces to `CallParser`, and what comes of them to `CallDesk`."""

    def read(self, pieces: Sequence[str], tools: Sequence[Tool]) -> Outcome:
        parser = CallParser([tool.name for tool in tools])
        desk = CallDesk(tools, _CHECK_CHARS)
        given = [event for piece in pieces for event in desk.take(parser.feed(piece))]
        given += desk.take(parser.flush())
        items = list(_items(given))
        if desk.cut_on_the_way:
            items.remove(next(item for item in reversed(items) if isinstance(item, Call)))
        return Outcome(tuple(items), cut=desk.cut, broken=tuple(left.raw for left in desk.set_aside))


def _items(given: Iterable[events.Event]) -> list[Item]:
    items: list[Item] = []
    for event in given:
        match event:
            case events.Text(text):
                items.append(Text(text))
            case events.Reasoning(text):
                items.append(Reasoning(text))
            case events.ToolCall(name, arguments):
                items.append(Call(name, arguments))
            case events.CallBegan(name):
                items.append(Call(name, ""))
            case events.CallArguments(text):
                last = items.pop()
                assert isinstance(last, Call)
                items.append(Call(last.name, last.arguments + text))
    return items
