"""What Fusion's endpoints have in common: whose request it is, faults, lists, and the id of a request."""

from collections.abc import Awaitable, Callable, Iterable

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulator.admission import next_reply
from emulator.faults import Target
from emulator.identity import Account
from emulator.ids import new_uuid
from emulator.options import Options
from emulator.player import Played
from emulator.recording import Recorded
from emulator.replying import answered, json_answer
from emulator.service import Service
from emulator.steps import Json, Step

Handler = Callable[[Request, Account], Awaitable[list[Step]]]


def admitted(service: Service, request: Request) -> Account:
    """Whose request it is; the record tells it from now on. Raises RefusedError (401)."""
    record: Recorded = request.state.record
    account = service.identity.of_fusion(record.headers)
    record.update(realm=account.realm, client_id=account.client_id)
    return account


def served(service: Service, handler: Handler, target: Target = "other") -> Callable[[Request], Awaitable[Played]]:
    """The endpoint that `handler` answers, unless the script has something else for a request of this kind."""

    async def endpoint(request: Request) -> Played:
        record: Recorded = request.state.record
        account = admitted(service, request)
        reply = next_reply(service, target, account, record)
        good = [] if reply.misbehaviour.refusal else await handler(request, account)
        return answered(reply, good, service.options, record)

    return endpoint


def listed(name: str, values: Iterable[Json], options: Options) -> list[Step]:
    """A list."""
    return json_answer(list(values) if options.fusion_lists == "bare" else {name: list(values)})


class RequestIds:
    """Middleware that gives every answer an `x-request-id`, unless it has one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", [])
                own = [] if any(name == b"x-request-id" for name, _ in headers) else [_request_id()]
                message = {**message, "headers": [*headers, *own]}
            await send(message)

        await self._app(scope, receive, tagged)


def _request_id() -> tuple[bytes, bytes]:
    return b"x-request-id", new_uuid().encode()
