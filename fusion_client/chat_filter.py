"""Which chats are asked for, and which of those that come fit: a service may ignore what it does not know. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fusion_client.checks import checked_number
from fusion_client.models import Chat


@dataclass(frozen=True, slots=True)
class ChatFilter:
    """What is wanted of a chat; None wants anything. after, before: of its creation, both included."""

    agent_id: str | None = None
    folder: str | None = None
    after: datetime | None = None
    before: datetime | None = None
    query: str | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """The same for the service (inferred)."""
        parameters = {
            "agent_id": self.agent_id,
            "folder": self.folder,
            "created_after": _told(self.after),
            "created_before": _told(self.before),
            "query": self.query,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def fits(self, chat: Chat) -> bool:
        """Whether `chat` is wanted, but for its text; what it does not tell is left to the service."""
        same_agent = self.agent_id is None or chat.agent is None or chat.agent.id.lower() == self.agent_id.lower()
        same_folder = self.folder is None or chat.folder == self.folder
        return same_agent and same_folder and self._in_time(chat.created_at)

    def begins_with_text(self, chat: Chat) -> bool:
        """Whether the wanted text stands in the message that `chat` began with."""
        return self.query is None or self.mentioned_in(chat.message)

    def mentioned_in(self, text: str) -> bool:
        """Whether the wanted text stands in `text`, in either case."""
        return (self.query or "").casefold() in text.casefold()

    def _in_time(self, created: datetime | None) -> bool:
        if created is None:
            return True
        late_enough = self.after is None or _aware(self.after) <= created
        return late_enough and (self.before is None or created <= _aware(self.before))


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list. number: from 1. size: None leaves it to the service."""

    number: int = 1
    size: int | None = None

    def __post_init__(self) -> None:
        checked_number("page", self.number)
        if self.size is not None:
            checked_number("size", self.size)

    @property
    def parameters(self) -> dict[str, str]:
        """The same for the service (inferred)."""
        number = {"page": str(self.number)} if self.number > 1 or self.size else {}
        return number | ({"size": str(self.size)} if self.size else {})

    def of(self, chats: Sequence[Chat], came: int) -> list[Chat]:
        """This page of `chats`, which are left of the `came` that the service sent: it may know no pages."""
        if self.size is None or came <= self.size:
            return list(chats)
        return list(chats[(self.number - 1) * self.size : self.number * self.size])


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _told(time: datetime | None) -> str | None:
    return None if time is None else _aware(time).isoformat()
