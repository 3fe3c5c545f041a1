"""What every service behind the proxy looks like from inside."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from custom_handler.attachments import Attachment
from custom_handler.events import Source


@dataclass(frozen=True, slots=True)
class Query:
    """One question to an agent.

    Attributes:
        prompt: the text that the agent is given.
        files: what it is given besides; the prompt mentions them by name.
        follow_up: it belongs to an answer that has begun already, so it goes before those that have not.
        conversation_id: the conversation that the service is to remember this in; None for none. Empty for a new one
            whose id the service chooses, and tells in its `Report`.
        continues: the prompt says nothing to an agent that does not remember what came before in the conversation.
    """

    prompt: str
    files: tuple[Attachment, ...] = ()
    follow_up: bool = False
    conversation_id: str | None = None
    continues: bool = False


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the model's text; never empty, never with half a surrogate pair."""

    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What the service said about its answer; None where it said nothing.

    Attributes:
        prompt_tokens, completion_tokens: as the service counts them, with what it remembers of the conversation.
        conversation_id: the conversation in which it says that it remembers this.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    stop_reason: str | None = None
    conversation_id: str | None = None
    sources: tuple[Source, ...] = ()


Piece: TypeAlias = Delta | Report


class ConversationLostError(Exception):
    """It is not known what the service remembers, so the conversation cannot be continued. No error of a request."""


class Upstream(Protocol):
    """One agent, ready to be asked."""

    def stream(self, query: Query) -> AsyncGenerator[Piece, None]:
        """Ask `query`: any number of `Delta`, then one `Report`.

        Closing the generator closes the connection. Whatever fails before the first `Delta` may have been
        tried again, without its conversation; nothing is tried again after it.

        Raises:
            BridgeError: the account, the agent, the prompt or the service is at fault.
            ConversationLostError: in place of trying a query again that continues a conversation.
        """
        ...
