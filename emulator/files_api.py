"""The file endpoints: the form for an upload, and the object store that takes it."""

import math

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emulator.errors import RefusedError, bad_request
from emulator.service import Service


class FilesApi:
    """`POST /v2/file-upload/form` and the URL that it hands out."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def form(self, request: Request) -> Response:
        """Announce a file: `{"file_name", "target_type", "expiration"}` → `{"id", "url", "form"}`."""
        self._service.identity.account(request.state.record.headers)
        upload = self._service.uploads.announce(*_checked(request.state.record.json))
        url = str(request.url_for("store", upload_id=upload.id))
        return JSONResponse({"id": upload.id, "url": url, "form": upload.form})

    async def store(self, request: Request) -> Response:
        """Take a multipart post. Like S3, it answers errors in XML and refuses an Authorization header."""
        if "authorization" in request.headers:
            return _xml_error(400, "InvalidArgument")
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            return _xml_error(412, "PreconditionFailed")
        async with request.form() as form:
            parts = [
                (name, await value.read() if isinstance(value, UploadFile) else value)
                for name, value in form.multi_items()
            ]
        status, code = self._service.uploads.put(request.path_params["upload_id"], parts)
        return _xml_error(status, code) if code else Response(status_code=status)


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


def _xml_error(status: int, code: str) -> Response:
    return Response(f"<Error><Code>{code}</Code></Error>", status_code=status, media_type="application/xml")
