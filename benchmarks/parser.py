"""How fast answers are read, and whether time grows in proportion to their length."""

from __future__ import annotations

import time

from custom_handler.markers import render_call
from custom_handler.parser import CallParser

_PROSE = "The quick brown fox jumps over The lazy dog. Tudo bem? <b>Fim</b> F1 + T2.\n"
_CODE = r"def f(x):\n    return \"<tool_call>\" if x else {\"a\": [1, 2]}\n"
_MB = 1_000_000


def _prose(size: int) -> str:
    return (_PROSE * (size // len(_PROSE) + 1))[:size]


def _call(size: int) -> str:
    return render_call("write", '{"code": "' + _CODE * (size // len(_CODE) + 1) + '"}')


def _seconds(text: str, piece: int) -> float:
    """The best of three readings of `text` in pieces of `piece` characters."""
    best = float("inf")
    for _ in range(3):
        parser = CallParser(["write"])
        started = time.perf_counter()
        for start in range(0, len(text), piece):
            parser.feed(text[start : start + piece])
        parser.flush()
        best = min(best, time.perf_counter() - started)
    return best


def table() -> str:
    """Megabytes a second for text and for the arguments of one call, by size and by length of the pieces."""
    lines = ["| input | pieces of | 1 MB | 2 MB | 4 MB |", "|---|---|---|---|---|"]
    for name, make in {"text": _prose, "arguments of one call": _call}.items():
        for piece in (32, 256, 4096):
            texts = [make(size * _MB) for size in (1, 2, 4)]
            speeds = [f"{len(text) / _MB / _seconds(text, piece):.0f} MB/s" for text in texts]
            lines.append(f"| {name} | {piece} characters | {' | '.join(speeds)} |")
    return "\n".join(lines)
