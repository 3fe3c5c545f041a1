"""`POST /{realm}/oidc/oauth/token`."""

from starlette.requests import Request

from emulator.player import Played
from emulator.recording import Recorded
from emulator.replying import answered, json_answer
from emulator.service import Service


class TokenApi:
    """The identity service's endpoint."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def token(self, request: Request) -> Played:
        """One token request. The script comes first: it may refuse good credentials."""
        record: Recorded = request.state.record
        realm: str = request.path_params["realm"]
        record.update(realm=realm, client_id=record.form.get("client_id"))
        reply = self._service.script.next("token", realm)
        # Refused by a fault, good and bad credentials are told the same.
        token = {} if reply.misbehaviour.refusal else self._service.identity.issue(realm, record.form)
        good = json_answer(token, {"cache-control": "no-store"} | reply.headers)
        return answered(reply, good, self._service.options, record)
