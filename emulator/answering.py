"""A good answer to a chat request, of either service: its text, and when what of it is sent."""

from collections.abc import Callable, Generator, Iterator

from emulator.admission import next_reply
from emulator.exchange import Exchange
from emulator.frames import DEFAULT_CHUNK, pieces, recut
from emulator.identity import Account
from emulator.options import Options
from emulator.player import Played
from emulator.recording import Recorded
from emulator.reply import Reply
from emulator.replying import json_answer, prelude, refuse
from emulator.service import Service
from emulator.steps import Hold, Step, Wait
from emulator.stream import Ending, Item, Stream


class Answer:
    """One answer, which can be had as a stream or as a whole. To be used once."""

    def __init__(self, exchange: Exchange, reply: Reply, options: Options) -> None:
        self._exchange = exchange
        self._reply = reply
        self._options = options
        self._written: list[str] = []
        self._writing: Generator[str, None, None] | None = None

    @property
    def blocking(self) -> bool:
        """True when the text comes from a brain that may take long."""
        return self._reply.text is None and self._options.brain.blocking

    def close(self) -> None:
        """Stop the brain, which may be in the middle of a sentence."""
        if self._writing is not None:
            self._writing.close()

    def streamed(self) -> Iterator[Step]:
        """The answer as SSE frames, and what its fault makes of them."""
        stream = self._stream()
        if change := self._reply.misbehaviour.change:
            stream = change(stream, self._reply.after)
        if self._reply.hold_after is not None:
            stream = stream.insert(self._reply.hold_after, Hold())
        return stream.steps()

    def whole(self) -> Iterator[Step]:
        """The answer as one JSON object, sent when all of it is there."""
        if self._reply.hold_after is not None:
            yield Hold()
        for _ in self._text():
            yield Wait(self._options.delay)
        ending = self._ending()
        yield from json_answer(self._exchange.whole("".join(self._written), ending), self._reply.headers)

    def _stream(self) -> Stream:
        return Stream(
            items=self._items(),
            ending=self._ending,
            base=self._exchange.base,
            dialect=self._exchange.dialect,
            delay=self._options.delay,
            headers=self._exchange.headers | self._reply.headers,
        )

    def _text(self) -> Iterator[str]:
        for piece in self._pieces():
            self._written.append(piece)
            yield piece

    def _items(self) -> Iterator[Item]:
        """The deltas, with the empty ones at the start and the end that are usual."""
        yield from self._exchange.opening
        yield ""
        yield from self._text()
        yield ""

    def _pieces(self) -> Iterator[str]:
        size = self._reply.chunk or self._options.chunk
        if self._reply.text is not None:
            return pieces(self._reply.text, size or DEFAULT_CHUNK)
        self._writing = self._options.brain.answer(self._exchange.prompt)
        return recut(self._writing, size)

    def _ending(self) -> Ending:
        text, brain = "".join(self._written), self._options.brain
        used = self._reply.tokens or (brain.count_tokens(self._exchange.prompt.text), brain.count_tokens(text))
        return Ending(*used, self._exchange.end(text))


def answer_chat(
    service: Service, account: Account, record: Recorded, begin: Callable[[Reply], Exchange], *, streamed: bool
) -> Played:
    """The answer to a chat request that a good service would answer: as the script has it.

    begin: called with its reply when the script does not refuse it. streamed: whether the client asked for a stream.
    """
    options, reply = service.options, next_reply(service, "chat", account, record)
    if refusal := reply.misbehaviour.refusal:
        return Played([*prelude(reply), *refuse(refusal, reply, options, record)], record)
    answer = Answer(begin(reply), reply, options)
    whole = reply.misbehaviour.whole or not streamed

    def steps() -> Iterator[Step]:
        yield from prelude(reply, options.first_byte_delay)
        yield from answer.whole() if whole else answer.streamed()

    # The service drops calls that are not streamed after about two minutes.
    limit = options.whole_answer_limit if whole else None
    return Played(steps(), record, blocking=answer.blocking, limit=limit, close=answer.close)
