"""`POST /{realm}/oidc/oauth/token`."""

from starlette.requests import Request

from emulator.frames import to_json
from emulator.player import Played
from emulator.recording import Recorded
from emulator.replying import prelude, refuse
from emulator.service import Service
from emulator.steps import Json, Send, Start, Step


class TokenApi:
    """The identity service's endpoint."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def token(self, request: Request) -> Played:
        """One token request. The script comes first: it may refuse good credentials."""
        record: Recorded = request.state.record
        realm: str = request.path_params["realm"]
        record.update(realm=realm, client_id=record.form.get("client_id"))
        reply = self._service.script.next_token(realm)
        if refusal := reply.misbehaviour.refusal:
            return Played([*prelude(reply), *refuse(refusal, reply, self._service.options)], record)
        answer = self._service.identity.issue(realm, record.form)
        return Played([*prelude(reply), *_sent(answer, reply.headers)], record)


def _sent(answer: Json, headers: dict[str, str]) -> list[Step]:
    body = to_json(answer).encode()
    own = {"content-type": "application/json", "content-length": str(len(body)), "cache-control": "no-store"}
    return [Start(200, own | headers), Send(body)]
