"""Fusion's files: sent as they are, and given back."""

import mimetypes

from starlette.datastructures import UploadFile
from starlette.requests import Request

from emulator.errors import RefusedError, bad_request
from emulator.fusion.chat_api import known_chat
from emulator.fusion.errors import FILE_NOT_FOUND, FILE_TOO_LARGE
from emulator.identity import Account
from emulator.replying import json_answer
from emulator.service import Service
from emulator.steps import Send, Start, Step


class FusionFileApi:
    """`POST /files`, `POST /chat/{chat_id}/files` and `GET /files/{file_id}`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def upload(self, request: Request, account: Account) -> list[Step]:
        """Take the `file` of a multipart post, for a chat or for one that will be."""
        if "chat_id" in request.path_params:
            known_chat(self._service, request, account)
        name, content = await _file(request)
        if len(content) > self._service.options.max_upload_bytes:
            raise RefusedError(FILE_TOO_LARGE)
        upload = self._service.uploads.take(account.realm, name, content)
        kind, _ = mimetypes.guess_type(name)
        return json_answer({"file_id": upload.id, "filename": name, "size": len(content), "content_type": kind})

    async def download(self, request: Request, account: Account) -> list[Step]:
        """The bytes of a file."""
        upload = self._service.uploads.get(request.path_params["file_id"])
        if upload is None or upload.content is None or upload.realm != account.realm:
            raise RefusedError(FILE_NOT_FOUND)
        kind, _ = mimetypes.guess_type(upload.file_name)
        headers = {"content-type": kind or "application/octet-stream", "content-length": str(len(upload.content))}
        return [Start(200, headers), Send(upload.content)]


async def _file(request: Request) -> tuple[str, bytes]:
    """The name and the content of the form's file. Raises RefusedError (400) when there is none."""
    async with request.form() as form:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise RefusedError(bad_request("file is required, in a multipart form."))
        return file.filename, await file.read()
