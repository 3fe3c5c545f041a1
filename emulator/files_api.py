"""The file endpoints: the form for an upload, and the object store that takes it."""

import math

from starlette.datastructures import UploadFile
from starlette.requests import Request

from emulator.errors import RefusedError, bad_request, store_error
from emulator.player import Played
from emulator.replying import answered, json_answer
from emulator.service import Service
from emulator.steps import Start


class FilesApi:
    """`POST /v2/file-upload/form` and the URL that it hands out."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def form(self, request: Request) -> Played:
        """Announce a file: `{"file_name", "target_type", "expiration"}` → `{"id", "url", "form"}`."""
        account = self._service.identity.account(request.state.record.headers)
        upload = self._service.uploads.announce(account.realm, *_checked(request.state.record.json))
        reply = self._service.script.next("form", account.realm)
        form = {"id": upload.id, "url": str(request.url_for("store", upload_id=upload.id)), "form": upload.form}
        told = {name: value for name, value in (form | (reply.misbehaviour.form or {})).items() if value is not None}
        return answered(reply, json_answer(told, reply.headers), self._service.options, request.state.record)

    async def store(self, request: Request) -> Played:
        """Take a multipart post. Like S3, it answers errors in XML and refuses an Authorization header."""
        if "authorization" in request.headers:
            raise RefusedError(store_error(400, "InvalidArgument"))
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise RefusedError(store_error(412, "PreconditionFailed"))
        async with request.form() as form:
            parts = [
                (name, await value.read() if isinstance(value, UploadFile) else value)
                for name, value in form.multi_items()
            ]
        upload = self._service.uploads.put(request.path_params["upload_id"], parts)
        reply, options = self._service.script.next("store", upload.realm), self._service.options
        return answered(reply, [Start(options.stored_status, reply.headers)], options, request.state.record)


def _checked(body: object) -> tuple[str, float]:
    """The file's name and the form's life time. Raises RefusedError (400) for a body without them."""
    fields = body if isinstance(body, dict) else {}
    name, expiration = fields.get("file_name"), fields.get("expiration")
    if not isinstance(name, str) or not name:
        raise RefusedError(bad_request("file_name is required."))
    if fields.get("target_type") not in ("CONTEXT", "KNOWLEDGE_SOURCE"):
        raise RefusedError(bad_request("target_type must be CONTEXT or KNOWLEDGE_SOURCE."))
    # In Python a boolean is an int; NaN and Infinity, which its JSON parser takes, fail the comparison.
    if isinstance(expiration, bool) or not isinstance(expiration, int | float) or not 0 < expiration < math.inf:
        raise RefusedError(bad_request("expiration must be a positive number."))
    return name, expiration
