"""Fusion's chats: who talks to which agent, and what was said. Their shapes come from a real answer."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from emulator.fusion.times import Calendar
from emulator.identity import Account
from emulator.ids import new_uuid
from emulator.steps import Json

KEPT = 10_000
"""Chats remembered at most; the oldest are forgotten, so that a long run does not fill the memory."""


@dataclass(slots=True)
class Chat:
    """One chat. message: the first. messages: as they are told."""

    id: str
    account: Account
    agent_id: str
    folder: str | None
    message: str
    calendar: Calendar
    created: datetime
    updated: datetime
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
            "created_at": self.calendar.told(self.created),
            "updated_at": self.calendar.told(self.updated),
            "system_chat": False,
        }

    def add(self, kind: str, message: str, files: Iterable[str] = ()) -> Json:
        """A new message of `kind`: "user" or "agent"."""
        self.updated = self.calendar.now()
        told: Json = {
            "id": new_uuid(),
            "chat_id": self.id,
            "message": message,
            "message_type": kind,
            "created_at": self.calendar.told(self.updated),
            "files": list(files),
        }
        self.messages.append(told)
        return told

    def mentions(self, text: str) -> bool:
        """Whether a message has `text` in it, in either case."""
        return any(text.casefold() in str(message["message"]).casefold() for message in self.messages)


class Chats:
    """All chats by id."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._chats: dict[str, Chat] = {}

    def begin(self, account: Account, agent_id: str, folder: str | None, message: str) -> Chat:
        """A new chat of `account`, without a message yet."""
        now = self._calendar.now()
        chat = Chat(new_uuid(), account, agent_id, folder, message, self._calendar, now, now)
        self._chats[chat.id] = chat
        if len(self._chats) > KEPT:
            del self._chats[next(iter(self._chats))]
        return chat

    def get(self, account: Account, chat_id: str) -> Chat | None:
        """The chat of this id, if it is one of `account`."""
        return next((chat for chat in (self._chats.get(chat_id),) if chat and chat.account == account), None)

    def of(self, account: Account) -> list[Chat]:
        """The chats of `account`, newest first."""
        return [chat for chat in reversed(self._chats.values()) if chat.account == account]

    def delete(self, chat: Chat) -> None:
        """Forget `chat`."""
        self._chats.pop(chat.id, None)

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
