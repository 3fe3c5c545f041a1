"""Ids of answers and of tool calls."""

from __future__ import annotations

import hashlib
import json
import uuid
from functools import cached_property


def new_answer_id() -> str:
    """The id of one answer, the same on all of its chunks."""
    return f"chatcmpl-{uuid.uuid4().hex}"


class CallIds:
    """Ids for the calls of one answer.

    They follow from the correlation id, the request's messages and the call's place: unique in a conversation, since
    every turn has other messages, and the same again when the same turn is replayed.
    """

    def __init__(self, correlation_id: str, messages: object) -> None:
        self._seed = (correlation_id, messages)

    def of(self, index: int) -> str:
        """The id of call number `index` (from 0)."""
        digest = self._digest.copy()
        digest.update(str(index).encode())
        return f"call_{digest.hexdigest()[:24]}"

    @cached_property
    def _digest(self) -> hashlib._Hash:
        """What all calls share; long messages are read once, and not at all for an answer without calls."""
        return hashlib.sha256(json.dumps(self._seed, default=str).encode())
