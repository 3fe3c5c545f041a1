"""A streamed answer as data (pure): what comes, in which order, and how it ends. Faults change it."""

import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace

from emulator.frames import Dialect
from emulator.steps import Json, Send, Start, Step, Wait

Item = str | Step
"""A text delta, or anything else that happens between two deltas."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known at the end of an answer: token counts, and the other fields of the final frame."""

    input_tokens: int
    output_tokens: int
    fields: Json


def plain_tokens(input_tokens: int, output_tokens: int) -> Json:
    """The usage as the final frame normally carries it."""
    return {"tokens": {"input": input_tokens, "output": output_tokens}}


@dataclass(frozen=True, slots=True)
class Stream:
    """One streamed answer.

    items: may be lazy (a language model writes it meanwhile). ending: asked only after the last item, and
    not at all when `has_final` is false. tokens: (input, output) to the fields that tell them.
    opening, closing: bytes before the first and after the final frame. final_line_ends: line ends behind
    the final frame, 2 when all is well. delay: seconds behind every delta.
    """

    items: Iterable[Item]
    ending: Callable[[], Ending]
    base: Json
    dialect: Dialect
    has_final: bool = True
    tokens: Callable[[int, int], Json] = plain_tokens
    opening: bytes = b""
    closing: bytes = b""
    final_line_ends: int = 2
    delay: float = 0.0
    gzip: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    def steps(self) -> Iterator[Step]:
        """The stream from the status line to its end."""
        headers = {"content-type": "text/event-stream", "cache-control": "no-cache", "connection": "close"}
        if self.gzip:
            headers["content-encoding"] = "gzip"
        yield Start(200, headers | self.headers)
        yield from gzipped(self._body()) if self.gzip else self._body()

    def _body(self) -> Iterator[Step]:
        if self.opening:
            yield Send(self.opening)
        for item in self.items:
            yield Send(self.dialect.delta(item, self.base)) if isinstance(item, str) else item
            if self.delay:
                yield Wait(self.delay)
        if self.has_final:
            yield Send(self._final())
        if self.closing:
            yield Send(self.closing)

    def _final(self) -> bytes:
        ending = self.ending()
        fields = ending.fields | self.tokens(ending.input_tokens, ending.output_tokens)
        return self.dialect.final(fields, self.base, line_ends=self.final_line_ends)

    def insert(self, at: int, *steps: Item) -> "Stream":
        """The same stream with `steps` behind the first `at` characters of the text."""
        return replace(self, items=inserted(self.items, at, steps))

    def cut(self, at: int, *steps: Item) -> "Stream":
        """The stream ended after `at` characters by `steps`: no more text, no final frame."""
        return replace(self, items=cut_after(self.items, at, steps), has_final=False)


def inserted(items: Iterable[Item], at: int, steps: Iterable[Item]) -> Iterator[Item]:
    """`items` with `steps` behind the first `at` characters; behind everything when the text is shorter."""
    rest = iter(items)
    tail = yield from _head(rest, at)
    yield from steps
    if tail:
        yield tail
    yield from rest


def cut_after(items: Iterable[Item], at: int, steps: Iterable[Item]) -> Iterator[Item]:
    """The first `at` characters of `items`, then `steps`, then nothing."""
    yield from _head(iter(items), at)
    yield from steps


def _head(items: Iterator[Item], at: int) -> Generator[Item, None, str]:
    """Yield the first `at` characters; return what is left of the delta that had to be cut.

    An empty delta is no place to cut at, so the one that opens a stream always comes.
    """
    left = at
    for item in items:
        if isinstance(item, str) and len(item) >= max(left, 1):
            if left:
                yield item[:left]
            return item[left:]
        left -= len(item) if isinstance(item, str) else 0
        yield item
    return ""


def gzipped(steps: Iterable[Step]) -> Iterator[Step]:
    """The same steps with compressed bytes; every chunk is flushed, so that it can be read at once."""
    packer = zlib.compressobj(wbits=31)
    for step in steps:
        if isinstance(step, Send):
            yield Send(packer.compress(step.data) + packer.flush(zlib.Z_SYNC_FLUSH))
        else:
            yield step
    yield Send(packer.flush())
