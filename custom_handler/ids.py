"""Ids of answers, of tool calls, and of conversations."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
import uuid
from functools import cached_property

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


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


def new_conversation_id(scope: str) -> str:
    """A ULID: 48 bits of time, then 80 bits of a hash over `scope` and something that nobody can guess."""
    digest = hashlib.sha256(scope.encode() + secrets.token_bytes(16)).digest()
    number = int(time.time() * 1000) << 80 | int.from_bytes(digest[:10], "big")
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
