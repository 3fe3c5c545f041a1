"""`POST /auth/refresh`: a token in place of a key."""

from starlette.requests import Request

from emulator.errors import RefusedError, bad_request
from emulator.identity import FUSION_REALM, Account
from emulator.player import Played
from emulator.recording import Recorded
from emulator.replying import answered, json_answer
from emulator.service import Service
from emulator.steps import Json


class FusionAuthApi:
    """The refresh endpoint. It takes any refresh token: a fault refuses it."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def refresh(self, request: Request) -> Played:
        """`{"client_id", "refresh_token"}` → `{"access_token", "token_type", "expires_in"}`."""
        record: Recorded = request.state.record
        client_id = _client(record.json)
        record.update(realm=FUSION_REALM, client_id=client_id)
        reply = self._service.script.next("token", FUSION_REALM)
        token = {} if reply.misbehaviour.refusal else self._service.identity.issue_to(Account(FUSION_REALM, client_id))
        return answered(reply, json_answer(token, reply.headers), self._service.options, record)


def _client(body: object) -> str:
    fields: Json = body if isinstance(body, dict) else {}
    for name in ("client_id", "refresh_token"):
        if not isinstance(fields.get(name), str) or not fields[name]:
            raise RefusedError(bad_request(f"{name} is required and must be a non-empty string."))
    return str(fields["client_id"])
