"""What an answer does on its connection, as data: a list of steps that `player.py` performs."""

from dataclasses import dataclass, field

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Start:
    """Send the status line and the headers."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Send:
    """Send these bytes as one chunk of the body."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Do nothing until the test releases the request."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection without the terminating chunk: with FIN, or with RST when `reset`.

    Without `reset` everything sent before still arrives; with it the client may lose it.
    """

    reset: bool = False


@dataclass(frozen=True, slots=True)
class Forever:
    """Send these bytes again and again, `every` seconds, until the client goes away."""

    data: bytes
    every: float = 0.02


Step = Start | Send | Wait | Hold | Drop | Forever
