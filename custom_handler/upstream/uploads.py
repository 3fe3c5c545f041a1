"""Files on their way to StackSpot: each once, however many requests bring it, while the service keeps it.

A form is asked for, then posted with the file to wherever it says, without our token; the id in the form stands for the
file in a question. That is forgotten after `_ALIVE` seconds, and the file sent again when it comes again.

What is kept is the id of bytes, by their digest. To be given it, a request must bring the very bytes, and the id itself
is shown to nobody: so nobody learns of a file that he does not have.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import httpx

from custom_handler import tracing
from custom_handler.attachments import Attachment
from custom_handler.auth import BearerAuth
from custom_handler.errors import BrokenAnswerError, RequestError, UploadRefusedError
from custom_handler.metrics import UPLOADS
from custom_handler.redis_link import RedisGoneError, RedisLink
from custom_handler.settings import Account, Connection
from custom_handler.transport import as_upstream_error, timeouts
from custom_handler.upstream.refusals import as_form_refusal, as_store_refusal

#: How long the service is asked to keep a file. Whether it takes that for minutes or for seconds is disputed.
_EXPIRATION = 60
#: Seconds that an id is used: by the shorter meaning of the above, and so that a question asked last can still be read.
_ALIVE = 45.0
_KEPT = 10_000  # ids
_REDIS_KEY = "agent-proxy:upload:"
_AT_ONCE = 4  # uploads of an account
#: Seconds for the form, and for each piece of the file.
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class _Form:
    """Where a file is posted, with which fields before it, and the id that it has then."""

    id: str
    url: str
    fields: Mapping[str, str]


class Uploads:
    """The files of one account.

    Args:
        client: sends them.
        connection: where the service is.
        auth: whose files they are.
        account: the same, for what workers share.
        redis: where they share it; None for each on its own.
        clock: seconds that never go back; a test brings its own.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        connection: Connection,
        auth: BearerAuth,
        account: Account,
        redis: RedisLink | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._connection = connection
        self._auth = auth
        self._account = account
        self._redis = redis
        self._clock = clock
        self._ids: dict[str, tuple[str, float]] = {}  # key → id, and until when it is used
        self._on_the_way: dict[str, asyncio.Task[str]] = {}
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def ids(self, files: Sequence[Attachment]) -> tuple[str, ...]:
        """The ids of `files`, which are uploaded where they are not known.

        Raises:
            RequestError: the service does not take one of them.
            BridgeError: the account or the service is at fault.
        """
        return tuple(await asyncio.gather(*map(self._id, files)))

    async def _id(self, file: Attachment) -> str:
        key = self._key(file)
        known, until = self._ids.get(key, ("", 0.0))
        if self._clock() < until:
            UPLOADS.labels("reused").inc()
            return known
        shared = self._on_the_way.get(key)
        # A request that is cancelled must not take the upload of the others with it.
        upload_id = await asyncio.shield(shared or self._begin(key, file))
        if shared:
            UPLOADS.labels("reused").inc()
        return upload_id

    def _key(self, file: Attachment) -> str:
        """What stands for `file`, its name and the account; it tells none of them."""
        parts = (self._account.realm, self._account.client_id, file.digest, file.name)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _begin(self, key: str, file: Attachment) -> asyncio.Task[str]:
        def end(task: asyncio.Task[str]) -> None:
            del self._on_the_way[key]
            if not task.cancelled() and (error := task.exception()) is not None:
                refused = isinstance(error, RequestError | UploadRefusedError)
                UPLOADS.labels("refused" if refused else "failed").inc()

        self._on_the_way[key] = task = asyncio.get_running_loop().create_task(self._obtain(key, file))
        task.add_done_callback(end)
        return task

    async def _obtain(self, key: str, file: Attachment) -> str:
        if shared := await self._shared_id(key):
            UPLOADS.labels("reused").inc()
            return shared
        async with self._at_once:
            asked = self._clock()
            with tracing.span("upload", account=self._account.realm):
                form = await self._form(file)
                await self._post(form, file)
        UPLOADS.labels("sent").inc()
        await self._keep(key, form.id, asked + _ALIVE)
        return form.id

    async def _keep(self, key: str, upload_id: str, until: float) -> None:
        self._ids.pop(key, None)
        self._ids[key] = upload_id, until
        if len(self._ids) > _KEPT:
            del self._ids[next(iter(self._ids))]
        left = int((until - self._clock()) * 1000)
        if self._redis is not None and left > 0:
            with suppress(RedisGoneError):
                await self._redis.run(lambda redis: redis.set(_REDIS_KEY + key, upload_id, px=left))

    async def _shared_id(self, key: str) -> str | None:
        """The id that another worker got; it is kept only where its end is known."""
        if self._redis is None:
            return None
        try:
            found = await self._redis.run(lambda redis: redis.get(_REDIS_KEY + key))
        except RedisGoneError:
            return None
        return str(found) if found else None

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
