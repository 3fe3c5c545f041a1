"""Which kind of request a fault hits."""

from __future__ import annotations

from typing import Literal

Target = Literal["token", "upload", "chat"]

_BY_FIRST_WORD: dict[str, Target] = {"identity": "token", "form": "upload", "store": "upload"}


def target(fault: str | None) -> Target:
    """What the fault of this name hits; its first word tells."""
    return _BY_FIRST_WORD.get((fault or "").partition("_")[0], "chat")
