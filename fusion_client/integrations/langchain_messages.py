"""LangChain's messages → one message of Fusion: a text, and files. Pure."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, get_buffer_string

_FILES = ("image", "audio", "video", "file")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a message carries. mime_type: None takes it from the name."""

    name: str
    content: bytes
    mime_type: str | None


def as_text(messages: Sequence[BaseMessage]) -> str:
    """One text: of a single message its text alone, of several LangChain's XML, which says who said what."""
    if len(messages) == 1:
        return messages[0].text
    return get_buffer_string(messages, format="xml")


def files_of(messages: Sequence[BaseMessage]) -> list[str | Attachment]:
    """The files in the order in which they come: ids of those that Fusion has, and those that must be sent.

    Raises:
        ValueError: a block is a file that is only known by its address, or one that cannot be read.
    """
    said = (message for message in messages if not isinstance(message, AIMessage))
    return [file for message in said for file in _files_of(message)]


def last_chat(messages: Sequence[BaseMessage], agent_id: str) -> tuple[str | None, Sequence[BaseMessage]]:
    """The chat with `agent_id` that the last answer came from, and what was said since; None, and all, without one."""
    for at in range(len(messages) - 1, -1, -1):
        if isinstance(messages[at], AIMessage):
            told, since = messages[at].response_metadata, messages[at + 1 :]
            if since and told.get("model_name") == agent_id and isinstance(told.get("chat_id"), str):
                return told["chat_id"], since
            break
    return None, messages


def _files_of(message: BaseMessage) -> Iterator[str | Attachment]:
    for number, block in enumerate(message.content_blocks):
        if block["type"] in _FILES:
            yield _file(block, number)


def _file(block: Mapping[str, Any], number: int) -> str | Attachment:
    if isinstance(block.get("file_id"), str):
        return str(block["file_id"])
    if isinstance(block.get("base64"), str):
        return _attachment(block, number)
    raise ValueError(
        f"The {block['type']} in a message has neither base64 nor file_id; files at an address are not fetched."
    )


def _attachment(block: Mapping[str, Any], number: int) -> Attachment:
    kind = block.get("mime_type")
    name = _name(block) or f"{block['type']}-{number}{mimetypes.guess_extension(kind or '') or ''}"
    try:
        content = base64.b64decode(block["base64"], validate=True)
    except binascii.Error as exc:
        raise ValueError(f"The base64 of the {block['type']} in a message cannot be read: {exc}") from exc
    return Attachment(name, content, kind)


def _name(block: Mapping[str, Any]) -> str | None:
    extras = block.get("extras")
    name = block.get("filename") or (extras.get("filename") if isinstance(extras, dict) else None)
    return name if isinstance(name, str) else None
