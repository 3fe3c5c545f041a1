"""Texts in pieces, as a stream may bring them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import AnyStr


def cut_at(text: str, cuts: Iterable[int]) -> list[str]:
    """`text` in pieces; cuts beyond its end make empty pieces."""
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


def cut_into(text: AnyStr, size: int) -> list[AnyStr]:
    """`text` in pieces of `size`, but for the last."""
    return [text[start : start + size] for start in range(0, len(text), size)]
