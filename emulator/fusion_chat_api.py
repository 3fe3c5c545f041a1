"""Fusion's `/chat`: chats, their messages, and the answers of agents."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emulator.admission import check_rate, check_size
from emulator.answering import answer_chat
from emulator.errors import RefusedError, bad_request
from emulator.fusion_agent_api import known_agent
from emulator.fusion_chats import Chat
from emulator.fusion_errors import CHAT_NOT_FOUND, STREAM_UNKNOWN
from emulator.fusion_exchange import FusionExchange
from emulator.fusion_switches import listed
from emulator.identity import Account
from emulator.player import Played
from emulator.recording import Recorded
from emulator.service import Service
from emulator.steps import Json


class FusionChatApi:
    """`POST /chat`, `POST /chat/{chat_id}/message`, and what can be read of a chat."""

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

        def chat() -> Chat:
            return self._service.chats.begin(account, agent_id, folder, message)

        return self._answer(request, body, account, chat)

    async def go_on(self, request: Request) -> Played:
        """`{"message", "files"}`: the answer to one more message."""
        account, body = self._admit(request)
        chat = self._chat(request, account)
        check_size(self._service, chat.memory, str(body["message"]))
        return self._answer(request, body, account, lambda: chat)

    async def one(self, request: Request) -> Response:
        """A chat with all its messages."""
        chat = self._chat(request, self._account(request))
        return JSONResponse({"chat": chat.told(), "messages": chat.messages})

    async def messages(self, request: Request) -> Response:
        """All messages of a chat, oldest first."""
        chat = self._chat(request, self._account(request))
        return listed("messages", chat.messages, self._service.options.fusion_lists)

    def _account(self, request: Request) -> Account:
        return self._service.identity.of_fusion(request.state.record.headers)

    def _admit(self, request: Request) -> tuple[Account, Json]:
        """Whose message it is, and its body, which has been looked at."""
        record: Recorded = request.state.record
        account = self._account(request)
        record.update(realm=account.realm, client_id=account.client_id)
        check_rate(self._service, account)
        body = record.json
        if not isinstance(body, dict):
            raise RefusedError(bad_request("The body is not a JSON object."))
        if not isinstance(body.get("message"), str) or not body["message"].strip():
            raise RefusedError(bad_request("message is required and must be a non-empty string."))
        if "stream" in body and self._service.options.fusion_streaming == "refused":
            raise RefusedError(STREAM_UNKNOWN)
        return account, body

    def _chat(self, request: Request, account: Account) -> Chat:
        chat = self._service.chats.get(account, request.path_params["chat_id"])
        if chat is None:
            raise RefusedError(CHAT_NOT_FOUND)
        return chat

    def _answer(self, request: Request, body: Json, account: Account, chat: Callable[[], Chat]) -> Played:
        files = self._service.uploads.found(body.get("files"))

        def begin(_: object) -> FusionExchange:
            return FusionExchange(self._service, chat(), str(body["message"]), files)

        streamed = body.get("stream") is True and self._service.options.fusion_streaming == "sse"
        return answer_chat(self._service, account, request.state.record, begin, streamed=streamed)
