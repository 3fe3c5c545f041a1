"""What errors of every service tell alike. Pure."""

from __future__ import annotations

#: Seconds. A quota is counted by the minute and its end is seldom told; some of it is back by then.
_USUAL_PAUSE = 15
_LONGEST_PAUSE = 3600


def told(status: int | None, code: str | None) -> str:
    """What the service said, in brackets: `(503)`, or `(503, busy)`."""
    return f"({status}, {code})" if code else f"({status})"


def pause(retry_after: int | None) -> int:
    """Seconds to wait after a 429, where the service wants so many; None when it does not say."""
    return _USUAL_PAUSE if retry_after is None else max(1, min(retry_after, _LONGEST_PAUSE))
