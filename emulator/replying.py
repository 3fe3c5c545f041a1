"""What chat and token answers have in common: what a reply does before its first byte, and refusals."""

from collections.abc import Iterator

from emulator.errors import Refusal
from emulator.options import Options
from emulator.reply import Reply
from emulator.steps import Drop, Hold, Step, Wait


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


def refuse(refusal: Refusal, reply: Reply, options: Options) -> list[Step]:
    """An error answer. Its body style is the reply's, else the options' where the real one is unknown."""
    style = reply.body or (None if refusal.known else options.error_body)
    return refusal.steps(style, reply.headers)
