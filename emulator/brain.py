"""What writes the answers when no test scripted one."""

from collections.abc import Generator
from typing import Protocol

from emulator.prompt_reading import Prompt


class BrainUnavailableError(Exception):
    """A brain cannot be had; the message says what is missing and how to get it."""


class Brain(Protocol):
    """A writer of answers. Must bear calls from several threads at once."""

    @property
    def blocking(self) -> bool:
        """True when a piece of the answer may take long, so that it must be awaited in a thread."""

    def answer(self, prompt: Prompt) -> Generator[str, None, None]:
        """The answer in pieces, as they are written. Closed early when the client goes away."""

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` has; at least 1."""
