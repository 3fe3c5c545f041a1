"""What each call sends, and how its answer is read. Sans-I/O.

The paths, and all shapes but those of a chat, its messages and an agent, are inferred.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeVar

from fusion_client import answers
from fusion_client.errors import AgentNotFoundError, ChatNotFoundError, NotFoundError
from fusion_client.models import Agent, Chat, ChatResponse, Document, FileUploadResponse, Message
from fusion_client.upload import Upload

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Call(Generic[Answer]):
    """One call.

    Attributes:
        operation: its name, as the client's method has it.
        path: below the base URL.
        read: the body of a good answer → what it says. Raises ServerError.
        about: which agent or chat it is about, for whoever watches.
        body: sent as JSON; None sends none.
        upload: sent as a multipart form.
        missing: what a 404 means.
        kept: whether the answer of a read may be kept.
        accept: the media type that is asked for.
    """

    operation: str
    method: Literal["GET", "POST", "DELETE"]
    path: str
    read: Callable[[bytes], Answer]
    about: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    upload: Upload | None = None
    missing: type[NotFoundError] = NotFoundError
    kept: bool = True
    accept: str = "application/json"

    @property
    def reads(self) -> bool:
        """Whether it changes nothing, so that it may be repeated whatever became of it."""
        return self.method == "GET"


def begin_chat(agent_id: str, message: str, files: Sequence[str], folder: str | None) -> Call[ChatResponse]:
    """A new chat, and the answer to its first message. files: ids of uploads."""
    return Call(
        "send_message",
        "POST",
        "/chat",
        answers.reader(ChatResponse),
        about={"agent_id": agent_id},
        body={"agent_id": agent_id, "message": message, "files": files, "folder": folder},
        missing=AgentNotFoundError,
    )


def continue_chat(agent_id: str, chat_id: str, message: str, files: Sequence[str]) -> Call[ChatResponse]:
    """The answer to one more message of a chat, which is one with `agent_id`."""
    return Call(
        "send_message",
        "POST",
        f"/chat/{chat_id}/message",
        answers.reader(ChatResponse),
        about={"agent_id": agent_id, "chat_id": chat_id},
        body={"message": message, "files": files},
        missing=ChatNotFoundError,
    )


def streamed(call: Call[ChatResponse]) -> Call[ChatResponse]:
    """The same call with the answer as a stream. How one is asked for is inferred."""
    body, about = {**(call.body or {}), "stream": True}, {**call.about, "stream": "true"}
    return replace(call, body=body, about=about, accept="text/event-stream")


def get_chat(chat_id: str) -> Call[Chat]:
    """A chat."""
    return _of_chat("get_chat", "GET", chat_id, "", answers.reader(Chat, "chat"))


def list_messages(chat_id: str) -> Call[tuple[Message, ...]]:
    """All messages of a chat."""
    return _of_chat("list_messages", "GET", chat_id, "/messages", answers.list_reader(Message, "messages"))


def delete_chat(chat_id: str) -> Call[None]:
    """The end of a chat (inferred)."""
    return _of_chat("delete_chat", "DELETE", chat_id, "", answers.nothing)


def list_chats(query: Mapping[str, str]) -> Call[tuple[Chat, ...]]:
    """The chats that `query` asks for, or all."""
    return Call("list_chats", "GET", "/chat", answers.list_reader(Chat, "chats"), query=query)


def list_agents() -> Call[tuple[Agent, ...]]:
    """All agents."""
    return Call("list_agents", "GET", "/agents", answers.list_reader(Agent, "agents"))


def get_agent(agent_id: str) -> Call[Agent]:
    """An agent."""
    path, read, about = f"/agents/{agent_id}", answers.reader(Agent, "agent"), {"agent_id": agent_id}
    return Call("get_agent", "GET", path, read, about, missing=AgentNotFoundError)


def upload_file(upload: Upload, chat_id: str | None) -> Call[FileUploadResponse]:
    """A file for a chat, or (inferred) for one that is still to begin."""
    read = answers.reader(FileUploadResponse)
    if chat_id is None:
        return Call("upload_file", "POST", "/files", read, upload=upload)
    return replace(_of_chat("upload_file", "POST", chat_id, "/files", read), upload=upload)


def download_file(file_id: str) -> Call[bytes]:
    """The bytes of a file (inferred). They are not kept: they may be many."""
    return Call("download_file", "GET", f"/files/{file_id}", bytes, kept=False, accept="*/*")


def add_document(name: str, content: str | None, file_id: str | None) -> Call[Document]:
    """A document made of a text or a file."""
    source = {"content": content} if file_id is None else {"file_id": file_id}
    body = {"name": name, **source}
    return Call("add_document", "POST", "/knowledge", answers.reader(Document, "document"), body=body)


def list_documents() -> Call[tuple[Document, ...]]:
    """All documents."""
    return Call("list_documents", "GET", "/knowledge", answers.list_reader(Document, "documents"))


def search_documents(query: str) -> Call[tuple[Document, ...]]:
    """The documents that fit `query`."""
    read = answers.list_reader(Document, "documents")
    return Call("search_documents", "GET", "/knowledge/search", read, query={"query": query})


def remove_document(document_id: str) -> Call[None]:
    """The end of a document."""
    return Call("remove_document", "DELETE", f"/knowledge/{document_id}", answers.nothing)


def _of_chat(
    operation: str,
    method: Literal["GET", "POST", "DELETE"],
    chat_id: str,
    part: str,
    read: Callable[[bytes], Answer],
) -> Call[Answer]:
    path, about = f"/chat/{chat_id}{part}", {"chat_id": chat_id}
    return Call(operation, method, path, read, about, missing=ChatNotFoundError)
