"""What the service tells, as frozen models.

`Chat`, `Message` and `Agent` come from a real answer, the others are inferred. All take fields that are not known yet
(they become attributes too) and do without those that may be missing; null is as missing, and a number where text
should be is its digits. No error shows what was told: it is somebody's message.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from fusion_client.surrogates import mended


def _text(value: Any) -> Any:
    return mended(value) if isinstance(value, str) else value


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)


Text = Annotated[str, BeforeValidator(_text)]
"""Text that can be encoded: half a surrogate pair, which pydantic refuses, becomes U+FFFD."""

Time = Annotated[datetime, AfterValidator(_aware)]
"""ISO 8601; without an offset it is taken for UTC (inferred)."""


class Model(BaseModel):
    """What all models share."""

    model_config = ConfigDict(
        frozen=True, extra="allow", populate_by_name=True, coerce_numbers_to_str=True, hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_missing(cls, value: Any) -> Any:
        return {name: one for name, one in value.items() if one is not None} if isinstance(value, dict) else value


class Agent(Model):
    """An agent. status: whether it can be asked. transcription: as the service gives it; its meaning is not known."""

    id: str
    name: Text = ""
    description: Text = ""
    image: Text | None = None
    status: bool = True
    system_agent: bool = False
    transcription: Any = None


class User(Model):
    """Whose chat it is."""

    email: str = ""
    full_name: Text = ""


class Chat(Model):
    """A chat. message: the one that it began with. knowledge: its documents; their shape is not known."""

    id: str
    agent: Agent | None = None
    user: User | None = None
    folder: Text | None = None
    message: Text = ""
    knowledge: tuple[Any, ...] = ()
    created_at: Time | None = None
    updated_at: Time | None = None
    system_chat: bool = False


class Message(Model):
    """One message of a chat. message_type: "user" or "agent". files: what came with it; their shape is not known.

    The id, the chat and the time are None where a stream did not tell them.
    """

    id: str | None = None
    chat_id: str | None = None
    message: Text = ""
    message_type: str
    created_at: Time | None = None
    files: tuple[Any, ...] = ()


class ChatResponse(Model):
    """The answer to a message: the chat, and the messages of this exchange, oldest first.

    chat: None only after a stream that never told which chat it began.
    """

    chat: Chat | None = None
    messages: tuple[Message, ...] = ()

    @property
    def chat_id(self) -> str | None:
        """The id to go on with; None where the service did not tell it."""
        return self.chat.id if self.chat else None

    @property
    def last_message(self) -> Message | None:
        """The newest message."""
        return self.messages[-1] if self.messages else None

    @property
    def agent_messages(self) -> tuple[Message, ...]:
        """Those that the agent wrote."""
        return tuple(one for one in self.messages if one.message_type == "agent")

    @property
    def text(self) -> str:
        """What the agent answered; "" where it did not."""
        return self.agent_messages[-1].message if self.agent_messages else ""


class FileUploadResponse(Model):
    """A file that was uploaded (inferred, but for the two names). size: bytes."""

    file_id: str = Field(validation_alias=AliasChoices("file_id", "id"))
    filename: Text = ""
    size: int | None = None
    content_type: str | None = None
    created_at: Time | None = None


class Document(Model):
    """A document of the knowledge (inferred). score: how well it fits a search, higher is better."""

    id: str = Field(validation_alias=AliasChoices("id", "document_id"))
    name: Text = ""
    content: Text | None = None
    file_id: str | None = None
    score: float | None = None
    created_at: Time | None = None


class CacheStats(Model):
    """How the cache of reads was used. size: answers that it holds now."""

    hits: int
    misses: int
    size: int
