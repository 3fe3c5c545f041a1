"""Server-side memory: what was said so far in a conversation.

Two first calls at the same time race, as in the real service: each starts from what was stored when it came,
and the one that ends last is remembered.
"""

from collections.abc import Hashable

from emulator.prompt_reading import Prompt


class Conversations:
    """The last known prompt, all earlier turns included, per key."""

    def __init__(self) -> None:
        self._prompts: dict[Hashable, Prompt] = {}

    def recall(self, key: Hashable) -> Prompt | None:
        """What was said under `key`, or None."""
        return self._prompts.get(key)

    def store(self, key: Hashable, prompt: Prompt) -> None:
        """Remember `prompt` in place of what was known."""
        self._prompts[key] = prompt

    def clear(self) -> None:
        """Forget everything."""
        self._prompts.clear()
