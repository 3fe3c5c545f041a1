"""Fusion's chats: who talks to which agent, and what was said. Their shapes come from a real answer."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from emulator.identity import Account
from emulator.ids import new_uuid
from emulator.steps import Json

KEPT = 10_000
"""Chats remembered at most; the oldest are forgotten, so that a long run does not fill the memory."""


@dataclass(slots=True)
class Chat:
    """One chat. messages: as they are told. created, updated: seconds since the epoch."""

    id: str
    account: Account
    agent_id: str
    folder: str | None
    message: str
    created: float
    updated: float
    messages: list[Json] = field(default_factory=list)

    @property
    def memory(self) -> Hashable:
        """Under which its conversation is remembered."""
        return self.account, self.id

    def told(self) -> Json:
        """The chat as Fusion tells it."""
        client = self.account.client_id
        return {
            "id": self.id,
            "agent": agent(self.agent_id),
            "user": {"email": f"{client}@example.com", "full_name": client},
            "folder": self.folder,
            "message": self.message,
            "knowledge": [],
            "created_at": timestamp(self.created),
            "updated_at": timestamp(self.updated),
            "system_chat": False,
        }

    def add(self, kind: str, message: str, files: list[str], now: float) -> Json:
        """A new message of `kind`: "user" or "agent"."""
        told: Json = {
            "id": new_uuid(),
            "chat_id": self.id,
            "message": message,
            "message_type": kind,
            "created_at": timestamp(now),
            "files": files,
        }
        self.updated = now
        self.messages.append(told)
        return told


class Chats:
    """All chats by id."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._chats: dict[str, Chat] = {}

    def begin(self, account: Account, agent_id: str, folder: str | None, message: str) -> Chat:
        """A new chat of `account`, without a message yet."""
        now = self._clock()
        chat = Chat(new_uuid(), account, agent_id, folder, message, now, now)
        self._chats[chat.id] = chat
        if len(self._chats) > KEPT:
            del self._chats[next(iter(self._chats))]
        return chat

    def get(self, account: Account, chat_id: str) -> Chat | None:
        """The chat of this id, if it is one of `account`."""
        chat = self._chats.get(chat_id)
        return chat if chat is not None and chat.account == account else None

    def clear(self) -> None:
        """Forget every chat."""
        self._chats.clear()


def agent(agent_id: str) -> Json:
    """An agent as Fusion tells it."""
    return {
        "id": agent_id,
        "name": f"Agent {agent_id[:8]}",
        "description": "An agent of the emulator.",
        "image": None,
        "status": True,
        "system_agent": False,
        "transcription": None,
    }


def timestamp(seconds: float) -> str:
    """Seconds since the epoch in ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
