"""What a test scripts: one answer, good or bad."""

from dataclasses import dataclass, field
from types import UnionType
from typing import Self

from emulator.errors import BODY_STYLES, BodyStyle
from emulator.faults import FAULTS, TARGETS, Fault, Target
from emulator.steps import Json

_LOWEST = {"chunk": 1, "after": 0, "hold_after": 0, "seconds": 0}
_JSON_TYPES: dict[str, UnionType | type] = {
    "text": str | None,
    "chunk": int | None,
    "tokens": list | None,
    "stop_reason": str,
    "fault": str | None,
    "after": int,
    "seconds": int | float,
    "body": str | None,
    "headers": dict,
    "hold": bool,
    "hold_after": int | None,
    "realm": str | None,
    "hits": str | None,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """One scripted answer to a chat request, or to the kind of request that its fault hits.

    text: the answer; None lets the brain answer. chunk: characters a frame; None is the emulator's default.
    tokens: (input, output); None counts them. fault: a name of `FAULTS`, which comes on top of the text.
    after: where a mid-stream fault or `hold_after` strikes, in characters of text. seconds: how long a slow
    fault waits. body: shape of an error body. headers: extra response headers, or others in place of ours.
    hold: wait before the first byte until released; hold_after: the same after so many characters.
    realm: whose request this answers; None is anybody's. hits: the kind of request that it answers, in place of the
    one that its fault hits.
    """

    text: str | None = None
    chunk: int | None = None
    tokens: tuple[int, int] | None = None
    stop_reason: str = "stop"
    fault: str | None = None
    after: int = 10
    seconds: float = 2.0
    body: BodyStyle | None = None
    headers: dict[str, str] = field(default_factory=dict)
    hold: bool = False
    hold_after: int | None = None
    realm: str | None = None
    hits: Target | None = None

    def __post_init__(self) -> None:
        if self.fault is not None:
            check_fault(self.fault)
        if self.body is not None and self.body not in BODY_STYLES:
            raise ValueError(f"unknown body style {self.body!r}; known are {', '.join(BODY_STYLES)}")
        if self.hits not in (None, *TARGETS):
            raise ValueError(f"unknown kind of request {self.hits!r}; known are {', '.join(TARGETS)}")
        for name, lowest in _LOWEST.items():
            if (number := getattr(self, name)) is not None and number < lowest:
                raise ValueError(f"{name} must be at least {lowest}, not {number}")

    @property
    def target(self) -> Target:
        """The kind of request that this answers: a chat request, when nothing else is said."""
        return self.hits or self.misbehaviour.hits

    @property
    def misbehaviour(self) -> Fault:
        """The row of `FAULTS` that this reply follows; an empty one when it has no fault."""
        return FAULTS[self.fault] if self.fault is not None else Fault("none")

    @classmethod
    def from_json(cls, value: object) -> Self:
        """A reply from an object with the same field names. Raises TypeError or ValueError for others."""
        if not isinstance(value, dict):
            raise TypeError(f"a reply is an object, not {type(value).__name__}")
        for name, one in value.items():
            if name not in _JSON_TYPES:
                raise ValueError(f"unknown field {name!r}; known are {', '.join(_JSON_TYPES)}")
            if not isinstance(one, _JSON_TYPES[name]):
                raise TypeError(f"{name} cannot be {one!r}")
        return cls(**(value | _tokens(value)))


def check_fault(name: str) -> None:
    """Raise ValueError, naming all faults, when `name` is none of them."""
    if name not in FAULTS:
        raise ValueError(f"unknown fault {name!r}; known are {', '.join(FAULTS)}")


def _tokens(value: Json) -> Json:
    """The `tokens` of a reply as the pair they are; JSON has only lists."""
    tokens = value.get("tokens")
    if tokens is None:
        return {}
    if not isinstance(tokens, list) or [type(count) for count in tokens] != [int, int]:
        raise TypeError(f"tokens are two whole numbers, input and output, not {tokens!r}")
    return {"tokens": (tokens[0], tokens[1])}
