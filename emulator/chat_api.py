"""The agent API: chat, and the lists of agents."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emulator import errors
from emulator.admission import check_rate, check_size
from emulator.answering import answer_chat
from emulator.conversations import conversation_of
from emulator.errors import RefusedError
from emulator.exchange import Exchange
from emulator.identity import Account
from emulator.ids import is_ulid
from emulator.paging import page_of
from emulator.player import Played
from emulator.recording import Recorded
from emulator.reply import Reply
from emulator.service import Service
from emulator.stackspot_exchange import StackSpotExchange
from emulator.steps import Json

DEFAULT_AGENT = "01JQ0000000000000000000000"


class ChatApi:
    """`POST /v1/agent/{agent_id}/chat`, `GET /v1/agents` and `GET /v4/agents`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def chat(self, request: Request) -> Played:
        """One chat request. The script is asked only for requests that a good service would answer."""
        record: Recorded = request.state.record
        agent_id: str = request.path_params["agent_id"]
        account = self._admit(agent_id, record)
        body = self._checked(record.json, account, agent_id)

        def begin(reply: Reply) -> Exchange:
            return StackSpotExchange(self._service, account, agent_id, body, reply.stop_reason)

        return answer_chat(self._service, account, record, begin, streamed=body.get("streaming") is True)

    async def agents_v1(self, request: Request) -> Response:
        """All agents as an array."""
        self._service.identity.account(request.state.record.headers)
        return JSONResponse(self._agents())

    async def agents_v4(self, request: Request) -> Response:
        """One page of agents: `?page=1&size=100`."""
        self._service.identity.account(request.state.record.headers)
        return JSONResponse({"items": page_of(request, self._agents())})

    def _admit(self, agent_id: str, record: Recorded) -> Account:
        account = self._service.identity.account(record.headers)
        record.update(realm=account.realm, client_id=account.client_id)
        allowed = self._service.options.agent_ids
        if not (is_ulid(agent_id) if allowed is None else agent_id in allowed):
            raise RefusedError(errors.FORBIDDEN)
        check_rate(self._service, account)
        return account

    def _checked(self, body: object, account: Account, agent_id: str) -> Json:
        if not isinstance(body, dict):
            raise RefusedError(errors.bad_request("The body is not a JSON object."))
        prompt = body.get("user_prompt")
        if not isinstance(prompt, str) or not prompt:
            raise RefusedError(errors.bad_request("user_prompt is required and must be a non-empty string."))
        check_size(self._service, (account, agent_id, conversation_of(body)), prompt)
        return body

    def _agents(self) -> list[dict[str, str]]:
        ids = self._service.options.agent_ids or (DEFAULT_AGENT,)
        return [{"id": one, "name": f"Agent {number}"} for number, one in enumerate(ids, start=1)]
