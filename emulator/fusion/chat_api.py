"""Fusion's `/chat`, where messages are answered."""

from collections.abc import Callable

from starlette.requests import Request

from emulator.admission import check_rate, check_size
from emulator.answering import answer_chat
from emulator.errors import RefusedError, bad_request
from emulator.fusion.agent_api import known_agent
from emulator.fusion.chats import Chat
from emulator.fusion.errors import CHAT_NOT_FOUND, FILE_NOT_FOUND, STREAM_UNKNOWN
from emulator.fusion.exchange import FusionExchange
from emulator.fusion.serving import admitted
from emulator.identity import Account
from emulator.player import Played
from emulator.recording import Recorded
from emulator.reply import Reply
from emulator.service import Service
from emulator.steps import Json
from emulator.uploads import Upload


class FusionChatApi:
    """`POST /chat` and `POST /chat/{chat_id}/message`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def begin(self, request: Request) -> Played:
        """`{"agent_id", "message", "files", "folder"}`: a new chat, and the answer to its first message."""
        account, body = self._admit(request)
        agent_id = known_agent(self._service.options, body.get("agent_id"))
        folder, message = body.get("folder"), str(body["message"])
        if not isinstance(folder, str | None):
            raise RefusedError(bad_request("folder must be a string or null."))
        check_size(self._service, None, message)

        def begun() -> Chat:
            chat = self._service.chats.begin(account, agent_id, folder, message)
            request.state.record.update(chat_id=chat.id)
            return chat

        return self._answer(request, body, account, begun)

    async def go_on(self, request: Request) -> Played:
        """`{"message", "files"}`: the answer to one more message."""
        account, body = self._admit(request)
        chat = known_chat(self._service, request, account)
        check_size(self._service, chat.memory, str(body["message"]))
        return self._answer(request, body, account, lambda: chat)

    def _admit(self, request: Request) -> tuple[Account, Json]:
        """Whose message it is, and its body, which has a message."""
        account = admitted(self._service, request)
        check_rate(self._service, account)
        body = request.state.record.json
        if not isinstance(body, dict):
            raise RefusedError(bad_request("The body is not a JSON object."))
        if not isinstance(body.get("message"), str) or not body["message"].strip():
            raise RefusedError(bad_request("message is required and must be a non-empty string."))
        if "stream" in body and self._service.options.fusion_streaming == "refused":
            raise RefusedError(STREAM_UNKNOWN)
        return account, body

    def _answer(self, request: Request, body: Json, account: Account, chat: Callable[[], Chat]) -> Played:
        record: Recorded = request.state.record
        files = self._files(body.get("files") or [])

        def begin(_reply: Reply) -> FusionExchange:
            return FusionExchange(self._service, chat(), str(body["message"]), files)

        streamed = body.get("stream") is True and self._service.options.fusion_streaming == "sse"
        return answer_chat(self._service, account, record, begin, streamed=streamed)

    def _files(self, ids: object) -> list[Upload]:
        """The files of a message, all of them."""
        if not isinstance(ids, list):
            raise RefusedError(bad_request("files must be a list of ids."))
        found = self._service.uploads.found(ids)
        if len(found) < len(ids):
            raise RefusedError(FILE_NOT_FOUND)
        return found


def known_chat(service: Service, request: Request, account: Account) -> Chat:
    """The chat of the path, if it is one of `account`. Raises RefusedError (404)."""
    chat = service.chats.get(account, request.path_params["chat_id"])
    if chat is None:
        raise RefusedError(CHAT_NOT_FOUND)
    return chat
