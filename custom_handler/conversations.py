"""Which conversation of the service a request goes on with: what the agent remembers does not need to be sent again.

A conversation belongs to a key, a correlation id, an agent and an account: nobody continues another's by its id. Where
it stands is known by the hash of what was said (`history`), so that any other history, edited, forked or unknown, is
sent whole and begins another conversation. Only hashes, ids and numbers are kept, no text.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

from custom_handler import history, settings
from custom_handler.conversation_store import OwnStore, SharedStore
from custom_handler.history import Past
from custom_handler.ids import new_conversation_id
from custom_handler.metrics import CONVERSATIONS
from custom_handler.redis_link import RedisLink
from custom_handler.request import Message
from custom_handler.settings import Owner

log = logging.getLogger("custom_handler.conversations")

#: What became of an answered request: only what was new was sent; all was sent, since the history was not known, or
#: although it was, for it had grown too long or was refused; only what was new was sent, and the agent knew no more.
Outcome: TypeAlias = Literal["hit", "new", "restarted", "forgotten"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose conversations, and with whom.

    Attributes:
        caller: the hash of the client's key; empty where there is none.
        ids_chosen: the service chooses the ids of conversations.
    """

    caller: str
    correlation_id: str
    agent_id: str
    account: Owner
    ids_chosen: bool = False

    @property
    def agent(self) -> str:
        """The agent, as this account has it."""
        return _hash(self.agent_id, *self.account.key)

    @property
    def whole(self) -> str:
        """All of it."""
        return _hash(self.caller, self.correlation_id, self.agent)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation of the service, and what it holds.

    Attributes:
        id: a ULID, or what the service chose; empty where it is still to choose.
        characters: of all prompts and answers in it.
        prompt_tokens: what the service counted before its last answer; 0 where it did not tell.
        tokens: of everything in it, about.
        quoted: whether anything that was said in it was disarmed.
    """

    id: str
    characters: int = 0
    prompt_tokens: int = 0
    tokens: int = 0
    quoted: bool = False


class Conversations:
    """What the agents remember, as far as this process knows."""

    def __init__(self) -> None:
        self._store = OwnStore()
        self._trust = _Trust()

    def of(self, scope: Scope, redis: RedisLink | None) -> Memory | None:
        """What is remembered of `scope`, for one request; None where everything must be sent every time.

        Raises:
            SettingError: a setting is malformed.
        """
        if settings.read(settings.CONVERSATIONS) == "off" or not self._trust.includes(scope.agent):
            return None
        return Memory(scope, SharedStore(self._store, redis), self._trust, settings.read(settings.CONVERSATION_TTL))


class Memory:
    """What an agent remembers of one client's conversations; made for one request.

    Args:
        scope: whose conversations.
        store: where it is kept how far they have come.
        trust: which agents can be relied on.
        ttl: seconds for which a conversation is remembered.
    """

    def __init__(self, scope: Scope, store: SharedStore, trust: _Trust, ttl: float) -> None:
        self._scope = scope
        self._store = store
        self._trust = trust
        self._ttl = ttl

    async def take(self, messages: Sequence[Message]) -> tuple[Conversation, int] | None:
        """The conversation in which the agent was told the beginning of `messages`, and how many of them that is.

        It is given out once: whoever asks for the same again, at the same time or later, gets None.
        """
        told = history.told(messages)
        if told is None:
            return None
        past = history.past(messages[:told])
        text = await self._store.take(self._key(past))
        if text is None:
            return None
        kept = json.loads(text)
        beside = kept.pop("beside")  # some clients leave out what is said beside calls; none changes it
        return (Conversation(**kept), told) if past.beside in ("", beside) else None

    def begin(self) -> Conversation:
        """A new one, in which nothing was said."""
        return Conversation("" if self._scope.ids_chosen else new_conversation_id(self._scope.whole))

    async def keep(self, conversation: Conversation, messages: Sequence[Message], answer: Message) -> None:
        """Remember `conversation`, in which the agent was told `messages` and gave `answer`."""
        past = history.past((*messages, answer))
        text = json.dumps({**asdict(conversation), "beside": past.beside})
        await self._store.put(self._key(past), text, self._ttl)

    def count(self, outcome: Outcome) -> None:
        """Tell Prometheus what became of the request."""
        CONVERSATIONS.labels(outcome).inc()

    def miss_confirmation(self) -> None:
        """The agent did not say that it remembers."""
        self._trust.note_silence(self._scope)

    def lose_trust(self) -> None:
        """The agent has forgotten what it said it would remember."""
        self._trust.lose(self._scope, self._ttl)

    def _key(self, past: Past) -> str:
        return _hash(self._scope.whole, past.head)


class _Trust:
    """Which agents can be relied on to remember."""

    def __init__(self) -> None:
        self._silent: set[str] = set()
        self._lost_until: dict[str, float] = {}

    def includes(self, agent: str) -> bool:
        """Whether `agent` can be relied on."""
        return time.monotonic() >= self._lost_until.get(agent, 0)

    def note_silence(self, scope: Scope) -> None:
        """The log tells of an agent once."""
        if scope.agent not in self._silent:
            self._silent.add(scope.agent)
            log.info(
                "Agent %s did not say that it remembers the conversation, so it is sent the whole of it every time; %s",
                scope.agent_id,
                "the service did not tell its id" if scope.ids_chosen else "is its conversational mode off?",
            )

    def lose(self, scope: Scope, seconds: float) -> None:
        """Do not rely on the agent for so long."""
        self._lost_until[scope.agent] = time.monotonic() + seconds
        log.warning(
            "Agent %s has forgotten earlier turns of a conversation, by its count of tokens. It is sent whole "
            "conversations for the next %g s. If that happens again, make %s shorter, or set %s=off",
            scope.agent_id,
            seconds,
            settings.CONVERSATION_TTL.name,
            settings.CONVERSATIONS.name,
        )


def _hash(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
