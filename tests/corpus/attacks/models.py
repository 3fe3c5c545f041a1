"""The models that an attack is made against: what each writes when it quotes its prompt."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

Model = Callable[[str], str]


def word_for_word(prompt: str) -> str:
    return prompt


def in_plain_letters(prompt: str) -> str:
    """The prompt as quoted by a model that mends what looks like a marker."""
    lookalikes = str.maketrans("СТЅЕАаеѕоΝΤΕΑΙο", "CTSEAaesoNTEAIo", "\u3164")  # noqa: RUF001
    visible = "".join(c for c in prompt.translate(lookalikes) if unicodedata.category(c) not in ("Cf", "Mn"))
    plain = unicodedata.normalize("NFKC", visible)
    words = r"(?i)(function|tool)[\\ _-]+call[\\ _-]+(start|end)"
    plain = re.sub(words, lambda marker: f"{marker[1]}_CALL_{marker[2]}".upper(), plain)
    return re.sub(r"(?i)<\s*(/?)\s*tool\\?_call>", r"<\1tool_call>", plain)


MODELS: tuple[Model, ...] = (word_for_word, in_plain_letters)
