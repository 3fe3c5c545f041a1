"""What each call sends, and how its answer is read. Sans-I/O.

The paths, and all shapes but those of a chat, its messages and an agent, are inferred.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeVar

from fusion_client import answers
from fusion_client.errors import AgentNotFoundError, ChatNotFoundError, NotFoundError
from fusion_client.models import Agent, Chat, ChatResponse, Message

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Call(Generic[Answer]):
    """One call.

    Attributes:
        operation: its name, as the client's method has it.
        path: below the base URL.
        read: the body of a good answer → what it says. Raises ServerError.
        body: sent as JSON; None sends none.
        missing: what a 404 means.
        accept: the media type that is asked for.
    """

    operation: str
    method: Literal["GET", "POST", "DELETE"]
    path: str
    read: Callable[[bytes], Answer]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    missing: type[NotFoundError] = NotFoundError
    accept: str = "application/json"

    @property
    def reads(self) -> bool:
        """Whether it changes nothing: it may be repeated, and its answer kept."""
        return self.method == "GET"


def begin_chat(agent_id: str, message: str, files: Sequence[str], folder: str | None) -> Call[ChatResponse]:
    """A new chat, and the answer to its first message. files: ids of uploads."""
    body = {"agent_id": agent_id, "message": message, "files": files, "folder": folder}
    read = answers.reader(ChatResponse)
    return Call("send_message", "POST", "/chat", read, body=body, missing=AgentNotFoundError)


def continue_chat(chat_id: str, message: str, files: Sequence[str]) -> Call[ChatResponse]:
    """The answer to one more message of a chat."""
    body, path, read = {"message": message, "files": files}, f"/chat/{chat_id}/message", answers.reader(ChatResponse)
    return Call("send_message", "POST", path, read, body=body, missing=ChatNotFoundError)


def streamed(call: Call[ChatResponse]) -> Call[ChatResponse]:
    """The same call with the answer as a stream. How one is asked for is inferred."""
    return replace(call, body={**(call.body or {}), "stream": True}, accept="text/event-stream")


def get_chat(chat_id: str) -> Call[Chat]:
    """A chat."""
    return Call("get_chat", "GET", f"/chat/{chat_id}", answers.reader(Chat, "chat"), missing=ChatNotFoundError)


def list_messages(chat_id: str) -> Call[tuple[Message, ...]]:
    """All messages of a chat."""
    read = answers.list_reader(Message, "messages")
    return Call("list_messages", "GET", f"/chat/{chat_id}/messages", read, missing=ChatNotFoundError)


def list_agents() -> Call[tuple[Agent, ...]]:
    """All agents."""
    return Call("list_agents", "GET", "/agents", answers.list_reader(Agent, "agents"))


def get_agent(agent_id: str) -> Call[Agent]:
    """An agent."""
    return Call("get_agent", "GET", f"/agents/{agent_id}", answers.reader(Agent, "agent"), missing=AgentNotFoundError)
