"""What all readers of text do with patterns."""

from __future__ import annotations

import re


def match_end(pattern: re.Pattern[str], text: str, at: int = 0) -> int:
    """The index behind the match of `pattern` that begins at `at`; `at` itself where there is none."""
    match = pattern.match(text, at)
    return match.end() if match else at
