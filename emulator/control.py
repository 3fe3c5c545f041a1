"""`/_emulator/…`: what a test in the same process does in Python, for other processes on this machine."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emulator.reply import Reply
from emulator.service import Service


class ControlApi:
    """Script, inspect and reset the emulator over HTTP."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def script(self, request: Request) -> Response:
        """Line up replies: a JSON array of objects with the fields of `Reply`."""
        try:
            value = await request.json()
            replies = [Reply.from_json(one) for one in (value if isinstance(value, list) else [value])]
        except (ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        self._service.script.add(replies)
        return JSONResponse({"scripted": len(replies)})

    async def requests(self, _request: Request) -> Response:
        """Everything recorded, oldest first; secrets and tokens are masked."""
        return JSONResponse({"requests": [record.public() for record in self._service.recorder.requests]})

    async def reset(self, _request: Request) -> Response:
        """Forget script, records, rate counts, conversations and files."""
        self._service.reset()
        return JSONResponse({})

    async def forget(self, _request: Request) -> Response:
        """Forget every conversation, as a service may."""
        self._service.forget_conversations()
        return JSONResponse({})

    async def release(self, _request: Request) -> Response:
        """Let every held answer go on."""
        return JSONResponse({"released": self._service.recorder.release()})

    async def revoke(self, request: Request) -> Response:
        """Revoke every token, or those of `?realm=`."""
        self._service.identity.revoke_all(request.query_params.get("realm"))
        return JSONResponse({})

    async def seen(self, request: Request) -> Response:
        """How the requests of one realm ended, oldest first, and the faults of replies that wait for it alone."""
        realm = request.path_params["realm"]
        records = [one for one in self._service.recorder.requests if one.realm == realm]
        ended = {kind: [one.outcome for one in records if one.kind == kind] for kind in ("chat", "token")}
        waiting = self._service.script.waiting(realm)
        return JSONResponse({"chats": ended["chat"], "tokens": ended["token"], "waiting": waiting})

    async def forget_realm(self, request: Request) -> Response:
        """Forget script and records of one realm: its client begins anew, and nobody else notices."""
        self._service.forget_realm(request.path_params["realm"])
        return JSONResponse({})
