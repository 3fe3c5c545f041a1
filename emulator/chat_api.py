"""The agent API: chat, and the lists of agents."""

import math
from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emulator import errors
from emulator.answering import Answer
from emulator.conversations import conversation_of
from emulator.errors import RefusedError
from emulator.identity import Account
from emulator.ids import is_ulid
from emulator.player import Played
from emulator.recording import Recorded
from emulator.reply import Reply
from emulator.replying import prelude, refuse
from emulator.service import Service
from emulator.steps import Hold, Json, Step

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
        reply = self._service.script.next("chat", account.realm)
        if reply.misbehaviour.revoke:
            self._service.identity.revoke(record.headers)
        if refusal := reply.misbehaviour.refusal:
            return Played([*prelude(reply), *refuse(refusal, reply, self._service.options)], record)
        return self._answer(Answer(self._service, account, agent_id, body, reply), reply, record)

    async def agents_v1(self, request: Request) -> Response:
        """All agents as an array."""
        self._service.identity.account(request.state.record.headers)
        return JSONResponse(self._agents())

    async def agents_v4(self, request: Request) -> Response:
        """One page of agents: `?page=1&size=100`."""
        self._service.identity.account(request.state.record.headers)
        page, size = _number(request, "page", 1), _number(request, "size", 100)
        return JSONResponse({"items": self._agents()[(page - 1) * size : page * size]})

    def _admit(self, agent_id: str, record: Recorded) -> Account:
        account = self._service.identity.account(record.headers)
        record.update(realm=account.realm, client_id=account.client_id)
        allowed = self._service.options.agent_ids
        if not (is_ulid(agent_id) if allowed is None else agent_id in allowed):
            raise RefusedError(errors.FORBIDDEN)
        if not self._service.limiter.admit(account):
            raise RefusedError(errors.RATE_LIMITED, self._retry_after(account))
        return account

    def _retry_after(self, account: Account) -> dict[str, str]:
        if not self._service.options.retry_after:
            return {}
        return {"retry-after": str(math.ceil(self._service.limiter.wait(account)))}

    def _checked(self, body: object, account: Account, agent_id: str) -> Json:
        if not isinstance(body, dict):
            raise RefusedError(errors.bad_request("The body is not a JSON object."))
        prompt = body.get("user_prompt")
        if not isinstance(prompt, str) or not prompt:
            raise RefusedError(errors.bad_request("user_prompt is required and must be a non-empty string."))
        options = self._service.options
        remembered = self._service.conversations.recall((account, agent_id, conversation_of(body)))
        tokens = len((remembered.text if remembered else "") + prompt) // options.characters_per_token
        if tokens > options.max_input_tokens:
            raise RefusedError(errors.too_long(options.max_input_tokens, tokens))
        return body

    def _answer(self, answer: Answer, reply: Reply, record: Recorded) -> Played:
        options = self._service.options
        whole = reply.misbehaviour.whole or record.json.get("streaming") is not True

        def steps() -> Iterator[Step]:
            yield from prelude(reply, options.first_byte_delay)
            yield from answer.whole() if whole else _streamed(answer, reply)

        # The service drops calls that are not streamed after about two minutes.
        limit = options.whole_answer_limit if whole else None
        return Played(steps(), record, blocking=answer.blocking, limit=limit, close=answer.close)

    def _agents(self) -> list[dict[str, str]]:
        ids = self._service.options.agent_ids or (DEFAULT_AGENT,)
        return [{"id": one, "name": f"Agent {number}"} for number, one in enumerate(ids, start=1)]


def _streamed(answer: Answer, reply: Reply) -> Iterator[Step]:
    stream = answer.stream()
    if change := reply.misbehaviour.change:
        stream = change(stream, reply.after)
    if reply.hold_after is not None:
        stream = stream.insert(reply.hold_after, Hold())
    return stream.steps()


def _number(request: Request, name: str, default: int) -> int:
    value = request.query_params.get(name, "")
    return max(1, int(value)) if value.isdecimal() else default
