"""Fusion's `/knowledge`."""

from starlette.requests import Request

from emulator.errors import RefusedError, bad_request
from emulator.fusion.errors import DOCUMENT_NOT_FOUND, FILE_NOT_FOUND
from emulator.fusion.serving import listed
from emulator.identity import Account
from emulator.replying import json_answer
from emulator.service import Service
from emulator.steps import Json, Start, Step


class FusionKnowledgeApi:
    """`POST /knowledge`, `GET /knowledge`, `GET /knowledge/search` and `DELETE /knowledge/{document_id}`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def add(self, request: Request, account: Account) -> list[Step]:
        """`{"name", "content" or "file_id"}`: a new document."""
        body: object = request.state.record.json
        fields: Json = body if isinstance(body, dict) else {}
        name, file_id = fields.get("name"), fields.get("file_id")
        if not isinstance(name, str) or not name:
            raise RefusedError(bad_request("name is required and must be a non-empty string."))
        content = fields.get("content") if file_id is None else self._content(file_id)
        if not isinstance(content, str):
            raise RefusedError(bad_request("content or file_id is required."))
        document = self._service.knowledge.add(account, name, content, None if file_id is None else str(file_id))
        return json_answer(document.told(), status=201)

    async def all(self, _request: Request, account: Account) -> list[Step]:
        """All documents."""
        return listed("documents", (one.told() for one in self._service.knowledge.of(account)), self._service.options)

    async def search(self, request: Request, account: Account) -> list[Step]:
        """The documents that have words of `?query=`, the best first, each with its score."""
        query = request.query_params.get("query", "")
        scored = [(one.score(query), one) for one in self._service.knowledge.of(account)]
        best = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])
        return listed("documents", ({**one.told(), "score": score} for score, one in best), self._service.options)

    async def remove(self, request: Request, account: Account) -> list[Step]:
        """Forget a document."""
        if not self._service.knowledge.remove(account, request.path_params["document_id"]):
            raise RefusedError(DOCUMENT_NOT_FOUND)
        return [Start(204)]

    def _content(self, file_id: object) -> str:
        upload = self._service.uploads.get(file_id)
        if upload is None or upload.content is None:
            raise RefusedError(FILE_NOT_FOUND)
        return upload.content.decode("utf-8", "replace")
