"""Server-side memory: what was said so far in a conversation.

Two first calls at the same time race, as in the real service: each starts from what was stored when it came,
and the one that ends last is remembered.
"""

from collections.abc import Hashable
from typing import Literal, get_args

from emulator.ids import is_ulid, new_ulid
from emulator.prompt_reading import Prompt
from emulator.steps import Json

Memory = Literal["kept", "ignored", "pretended"]
"""What becomes of a conversation: it is remembered, it is not and the answer says so, or it is not and the answer
says that it is."""

MEMORIES: tuple[Memory, ...] = get_args(Memory)

KEPT = 10_000
"""Conversations remembered at most; the oldest are forgotten, so that a long run does not fill the memory."""


class Conversations:
    """The last known prompt, all earlier turns included, per key."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._prompts: dict[Hashable, Prompt] = {}

    @property
    def told(self) -> bool:
        """Whether answers name their conversation."""
        return self._memory != "ignored"

    def recall(self, key: Hashable) -> Prompt | None:
        """What was said under `key`, or None."""
        return self._prompts.get(key)

    def store(self, key: Hashable, prompt: Prompt) -> None:
        """Remember `prompt` in place of what was known."""
        if self._memory != "kept":
            return
        self._prompts.pop(key, None)
        self._prompts[key] = prompt
        if len(self._prompts) > KEPT:
            del self._prompts[next(iter(self._prompts))]

    def forget(self) -> None:
        """Forget everything."""
        self._prompts.clear()


def conversation_of(body: Json) -> str | None:
    """The conversation of a request: none unless asked for; a new one when the id given is not a ULID."""
    if body.get("use_conversation") is not True:
        return None
    given = body.get("conversation_id")
    return str(given) if is_ulid(given) else new_ulid()
