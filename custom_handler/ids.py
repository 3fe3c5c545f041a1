"""Ids of answers and of tool calls."""

from __future__ import annotations

import hashlib
import json
import uuid


def new_answer_id() -> str:
    """The id of one answer, the same on all of its chunks."""
    return f"chatcmpl-{uuid.uuid4().hex}"


class CallIds:
    """Ids for the calls of one answer.

    They follow from the correlation id, the request's messages and the call's place: unique in a conversation, since
    every turn has other messages, and the same again when the same turn is replayed.
    """

    def __init__(self, correlation_id: str, messages: object) -> None:
        self._correlation_id = correlation_id
        self._messages = messages

    def of(self, index: int) -> str:
        """The id of call number `index` (from 0)."""
        seed = json.dumps([self._correlation_id, self._messages, index], default=str)
        return f"call_{hashlib.sha256(seed.encode()).hexdigest()[:24]}"
