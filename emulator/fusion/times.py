"""The time of day as Fusion tells it, in ISO 8601."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from emulator.fusion.switches import Times

_ABROAD = timezone(timedelta(hours=-3))


class Calendar:
    """Tells the time of `clock`, which counts seconds since the epoch."""

    def __init__(self, clock: Callable[[], float], style: Times) -> None:
        self._clock = clock
        self._style = style

    def now(self) -> datetime:
        """The time, with its zone."""
        return datetime.fromtimestamp(self._clock(), UTC)

    def told(self, time: datetime) -> str:
        """`time` in the style of this calendar. All of them mean the same."""
        if self._style == "offset":
            return time.astimezone(_ABROAD).isoformat()
        return time.replace(tzinfo=None).isoformat() + ("Z" if self._style == "z" else "")


def read_time(text: str) -> datetime:
    """A time as it may come in a query; without a zone it is in UTC. Raises ValueError."""
    # A `+` that was not escaped arrives as a space.
    time = datetime.fromisoformat(text.replace(" ", "+"))
    return time if time.tzinfo else time.replace(tzinfo=UTC)
