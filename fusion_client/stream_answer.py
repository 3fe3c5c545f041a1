"""The events of a streamed answer → tokens, and at the end the whole answer. Sans-I/O.

Known is `data: {"token": "…"}` … `data: [DONE]`; all else is inferred. Nobody knows where the chat is told: in an event
with `chat_id`, in one with `chat` and `message`, in the header `x-chat-id`, or nowhere. `[DONE]` may be missing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fusion_client.answers import read_part
from fusion_client.errors import ServerError
from fusion_client.events import Event
from fusion_client.failures import read_body
from fusion_client.models import Chat, ChatResponse, Message
from fusion_client.surrogates import PairJoiner


class StreamAnswer:
    """One answer as it comes.

    Args:
        asked: the message that is answered.
        chat_id: the chat, where it is known already.

    Attributes:
        complete: nothing more is to come.
        ended: the service said so, and the connection did not just end.
        secret: what was sent as credentials; a service may quote it in an error.
    """

    def __init__(self, asked: str, chat_id: str | None = None) -> None:
        self._asked = asked
        self.chat_id = chat_id
        self.complete = False
        self.ended = False
        self.secret = ""
        self._begun = False
        self._tokens: list[str] = []
        self._joiner = PairJoiner()
        self._chat: Chat | None = None
        self._message: Message | None = None
        self._whole: ChatResponse | None = None

    def read(self, event: Event) -> str:
        """The token of `event`, often "".

        Raises:
            ServerError: it reports an error, or cannot be read, so that text was lost.
        """
        if self.complete:
            return ""
        if event.data.strip() == "[DONE]":
            self.complete = self.ended = True
            return ""
        if event.name != "error" and not event.data.lstrip().startswith("{"):
            return ""  # words to keep a line open
        return self._take(self._joiner.feed(self._token(_fields(event, self.secret))))

    def end(self) -> str:
        """The last token, often "". Raises ServerError when the stream had nothing at all."""
        if not (self.complete or self._begun):
            raise ServerError("Fusion's stream ended before it had begun.")
        self.complete = True
        return self._take(self._joiner.flush())

    def whole(self, response: ChatResponse) -> str:
        """The only token of an answer that came whole."""
        self.complete = self.ended = True
        self._whole = response
        self.chat_id = response.chat_id or self.chat_id
        return response.text

    def response(self) -> ChatResponse:
        """The whole answer, as one that was not streamed would be."""
        if self._whole:
            return self._whole
        asked = Message(message=self._asked, message_type="user", chat_id=self.chat_id)
        text = "".join(self._tokens)
        answer = self._message or Message(message_type="agent", chat_id=self.chat_id)
        answer = answer if answer.message else answer.model_copy(update={"message": text})
        chat = self._chat or (Chat(id=self.chat_id) if self.chat_id else None)
        return ChatResponse(chat=chat, messages=(asked, answer))

    def _take(self, token: str) -> str:
        if token:
            self._tokens.append(token)
        return token

    def _token(self, fields: Mapping[str, Any]) -> str:
        self._begun = True
        self._chat = read_part(Chat, fields.get("chat")) or self._chat
        message = read_part(Message, fields.get("message"))
        if message and message.message_type == "agent":  # the question may be told as well
            self._message, self.ended = message, True
        chat_id = fields.get("chat_id") or (self._chat.id if self._chat else None)
        self.chat_id = chat_id if isinstance(chat_id, str) else self.chat_id
        token = fields.get("token")
        return token if isinstance(token, str) else ""


def _fields(event: Event, secret: str) -> Mapping[str, Any]:
    if event.name == "error":
        raise _reported(event, secret)
    try:
        fields: dict[str, Any] = json.loads(event.data)
    except (ValueError, RecursionError) as exc:
        raise ServerError("Fusion sent an event that cannot be read; its answer is incomplete.") from exc
    if fields.get("type") == "error" or fields.get("error"):
        raise _reported(event, secret)
    return fields


def _reported(event: Event, secret: str) -> ServerError:
    told = read_body(event.data, secret)
    code, prose = f" ({told.code})" if told.code else "", told.prose or "it does not say which"
    return ServerError(f"Fusion reported an error in its answer{code}: {prose}", code=told.code, details=told.details)
