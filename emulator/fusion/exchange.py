"""What Fusion tells around the text of an answer."""

from collections.abc import Iterable, Sequence

from emulator.exchange import Exchange
from emulator.frames import FusionDialect, to_json
from emulator.fusion.chats import Chat
from emulator.service import Service
from emulator.steps import Json, Send
from emulator.stream import Ending
from emulator.uploads import Upload


class FusionExchange(Exchange):
    """One message to a chat. Where a stream tells the chat is not known: see `Options.fusion_chat_told`."""

    def __init__(self, service: Service, chat: Chat, message: str, files: Sequence[Upload]) -> None:
        super().__init__(service, message, files, chat.memory)
        self._chat = chat
        self._asked = chat.add("user", message, (upload.id for upload in files))
        self._chat_told = service.options.fusion_chat_told
        self.dialect = FusionDialect(line_end=service.options.line_end, told=self._chat_told == "last")

    @property
    def opening(self) -> Iterable[Send]:
        """The event that tells the chat, if one does."""
        if self._chat_told == "first":
            yield Send(self.dialect.data(to_json({"chat_id": self._chat.id})))

    @property
    def headers(self) -> dict[str, str]:
        """The header that tells the chat, if one does."""
        return {"x-chat-id": self._chat.id} if self._chat_told == "header" else {}

    def end(self, text: str) -> Json:
        """The chat, and the messages of this exchange."""
        self._remember(text)
        answer = self._chat.add("agent", text)
        return {"chat": self._chat.told(), "messages": [self._asked, answer]}

    def whole(self, text: str, ending: Ending) -> Json:  # noqa: ARG002  # the text is in the last of the messages
        """The chat, and the messages of this exchange."""
        return ending.fields
