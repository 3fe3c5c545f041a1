"""Files on their way to StackSpot.

A form is asked for, then posted with the file to wherever it says, without our token; the id in the form stands for the
file in a question. That is forgotten after `StackspotFiles.ALIVE` seconds, and the file sent again when it comes again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar
from urllib.parse import urlsplit

import httpx

from custom_handler.attachments import Attachment
from custom_handler.auth import BearerAuth
from custom_handler.errors import BrokenAnswerError
from custom_handler.settings import Connection
from custom_handler.transport import as_upstream_error, timeouts
from custom_handler.upstream.refusals import as_form_refusal, as_store_refusal

#: How long the service is asked to keep a file. Whether it takes that for minutes or for seconds is disputed.
_EXPIRATION = 60
#: Seconds for the form, and for each piece of the file.
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class _Form:
    """Where a file is posted, with which fields before it, and the id that it has then."""

    id: str
    url: str
    fields: Mapping[str, str]


class StackspotFiles:
    """Takes the files of one account; a `FileStore`.

    Args:
        client: sends them.
        connection: where the service is.
        auth: whose files they are.
    """

    #: By the shorter meaning of what is asked for, and so that a question asked last can still be read.
    ALIVE: ClassVar[float] = 45.0

    def __init__(self, client: httpx.AsyncClient, connection: Connection, auth: BearerAuth) -> None:
        self._client = client
        self._connection = connection
        self._auth = auth

    async def send(self, file: Attachment) -> str:
        """See `FileStore.send`."""
        form = await self._form(file)
        await self._post(form, file)
        return form.id

    async def _form(self, file: Attachment) -> _Form:
        service = f"StackSpot at {urlsplit(self._connection.data_url).netloc}"
        body = {"file_name": file.name, "target_type": "CONTEXT", "expiration": _EXPIRATION}
        try:
            response = await self._client.post(
                f"{self._connection.data_url}/v2/file-upload/form", json=body, auth=self._auth, timeout=self._timeout
            )
        except httpx.HTTPError as exc:
            raise as_upstream_error(exc, service) from exc
        if not response.is_success:
            raise as_form_refusal(response.status_code, response.headers, response.content, file.name)
        return self._read_form(response, service)

    def _read_form(self, response: httpx.Response, service: str) -> _Form:
        try:
            answer = response.json()
        except (ValueError, RecursionError):
            answer = None
        match answer:
            case {"id": str(upload_id), "url": str(url), "form": dict(fields)}:
                if not _is_safe(url, self._connection.data_url):
                    raise BrokenAnswerError(f"{service} answered with an address for an upload that is not usable.")
                return _Form(upload_id, url, {name: str(value) for name, value in fields.items()})
        raise BrokenAnswerError(f"{service} answered without a form for an upload.")

    async def _post(self, form: _Form, file: Attachment) -> None:
        store = f"The file store at {urlsplit(form.url).netloc}"
        try:
            response = await self._client.post(
                form.url,
                data=form.fields,
                files={"file": (file.name, file.data, file.media_type)},  # last: the store ignores what is behind it
                timeout=self._timeout,
            )
        except httpx.HTTPError as exc:
            raise as_upstream_error(exc, store) from exc
        if not response.is_success:
            raise as_store_refusal(response.status_code, response.content, file.name)

    @property
    def _timeout(self) -> httpx.Timeout:
        return timeouts(replace(self._connection, read_timeout=min(_PATIENCE, self._connection.read_timeout)))


def _is_safe(url: str, service: str) -> bool:
    """Whether a file may be posted to `url`: over HTTP, no less safely than the form came, and without a password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"https", urlsplit(service).scheme} and bool(parts.hostname) and parts.username is None
