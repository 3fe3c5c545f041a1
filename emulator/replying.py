"""What answers have in common: what a reply does before its first byte, refusals, and whole JSON."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from emulator.errors import Refusal
from emulator.frames import to_json
from emulator.fusion.errors import in_fusion
from emulator.options import Options
from emulator.player import Played
from emulator.recording import Recorded
from emulator.reply import Reply
from emulator.steps import Drop, Hold, Json, Send, Start, Step, Wait


def prelude(reply: Reply, first_byte_delay: float = 0.0) -> Iterator[Step]:
    """Everything that happens before the first byte."""
    if reply.hold:
        yield Hold()
    if first_byte_delay:
        yield Wait(first_byte_delay)
    if reply.misbehaviour.slow:
        yield Wait(reply.seconds)
    if reply.misbehaviour.drop:
        yield Drop()


def refuse(refusal: Refusal, reply: Reply, options: Options, record: Recorded) -> list[Step]:
    """An error answer. Its body style is the reply's, else the options' where the real one is unknown."""
    refusal = in_fusion(refusal) if record.fusion else refusal
    style = reply.body or (None if refusal.known else options.error_body)
    return refusal.steps(style, reply.headers)


def answered(reply: Reply, good: Sequence[Step], options: Options, record: Recorded) -> Played:
    """The answer to a request: `good`, unless the reply says otherwise."""
    refusal = reply.misbehaviour.refusal
    return Played([*prelude(reply), *(refuse(refusal, reply, options, record) if refusal else good)], record)


def json_answer(
    value: Json | Sequence[Json], headers: Mapping[str, str] = MappingProxyType({}), *, status: int = 200
) -> list[Step]:
    """A good answer with `value`."""
    body = to_json(value).encode()
    own = {"content-type": "application/json", "content-length": str(len(body))}
    return [Start(status, own | dict(headers)), Send(body)]
