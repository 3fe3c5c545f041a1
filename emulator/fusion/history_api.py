"""What can be read of Fusion's chats, and their end."""

from collections.abc import Iterator
from datetime import UTC, datetime

from starlette.requests import Request

from emulator.errors import RefusedError, bad_request
from emulator.fusion.chat_api import known_chat
from emulator.fusion.chats import Chat
from emulator.fusion.errors import METHOD_NOT_ALLOWED
from emulator.fusion.serving import listed
from emulator.fusion.times import read_time
from emulator.identity import Account
from emulator.paging import page_of
from emulator.replying import json_answer
from emulator.service import Service
from emulator.steps import Start, Step

_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class FusionHistoryApi:
    """`GET /chat`, `GET /chat/{chat_id}`, `GET /chat/{chat_id}/messages` and `DELETE /chat/{chat_id}`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def all(self, request: Request, account: Account) -> list[Step]:
        """One page of the chats, newest first: `?agent_id=&folder=&created_after=&created_before=&query=`."""
        options, chats = self._service.options, self._service.chats.of(account)
        if not options.fusion_ignores_filters:
            chats = page_of(request, list(_filtered(request, chats)))
        return listed("chats", (chat.told() for chat in chats), options)

    async def one(self, request: Request, account: Account) -> list[Step]:
        """A chat with all its messages."""
        chat = known_chat(self._service, request, account)
        return json_answer({"chat": chat.told(), "messages": chat.messages})

    async def messages(self, request: Request, account: Account) -> list[Step]:
        """All messages of a chat, oldest first."""
        return listed("messages", known_chat(self._service, request, account).messages, self._service.options)

    async def delete(self, request: Request, account: Account) -> list[Step]:
        """The end of a chat, where the service has it."""
        if self._service.options.fusion_keeps_chats:
            raise RefusedError(METHOD_NOT_ALLOWED, {"allow": "GET"})
        self._service.chats.delete(known_chat(self._service, request, account))
        return [Start(204)]


def _filtered(request: Request, chats: list[Chat]) -> Iterator[Chat]:
    """The chats that the query asks for. Raises RefusedError (400) for a time that is none."""
    wanted = request.query_params
    after, before = _time(request, "created_after", _EARLIEST), _time(request, "created_before", _LATEST)
    for chat in chats:
        same_agent = wanted.get("agent_id") in (None, "", chat.agent_id)
        same_folder = wanted.get("folder") in (None, "", chat.folder)
        if same_agent and same_folder and after <= chat.created <= before and chat.mentions(wanted.get("query", "")):
            yield chat


def _time(request: Request, name: str, default: datetime) -> datetime:
    text = request.query_params.get(name)
    try:
        return read_time(text) if text else default
    except ValueError as error:
        raise RefusedError(bad_request(f"{name} is not a time in ISO 8601.")) from error
