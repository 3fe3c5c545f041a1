"""Files on their way to a service: each once, however many requests bring it, while the service keeps it.

What is kept is the id of bytes, by their digest. To be given it, a request must bring the very bytes, and the id itself
is shown to nobody: so nobody learns of a file that he does not have.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import ClassVar, Protocol

from custom_handler import tracing
from custom_handler.attachments import Attachment
from custom_handler.errors import RequestError, UploadRefusedError
from custom_handler.metrics import UPLOADS
from custom_handler.redis_link import RedisGoneError, RedisLink
from custom_handler.settings import Owner

_KEPT = 10_000  # ids
_REDIS_KEY = "agent-proxy:upload:"
_AT_ONCE = 4  # uploads of an account


class FileStore(Protocol):
    """Where a service takes files."""

    #: Seconds after it was asked for, for which an id is used.
    ALIVE: ClassVar[float]

    async def send(self, file: Attachment) -> str:
        """Send `file`; the id that it has then.

        Raises:
            RequestError: the service does not take it.
            BridgeError: the account or the service is at fault.
        """
        ...


class Uploads:
    """The files of one account.

    Args:
        store: takes them.
        account: whose files they are.
        redis: where workers share what they know; None for each on its own.
        clock: seconds that never go back; a test brings its own.
    """

    def __init__(
        self,
        store: FileStore,
        account: Owner,
        redis: RedisLink | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
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

    async def forget(self, files: Sequence[Attachment]) -> None:
        """Upload `files` anew when they come again: the service does not know the ids any more."""
        keys = [self._key(file) for file in files]
        for key in keys:
            self._ids.pop(key, None)
        if self._redis is not None and keys:
            with suppress(RedisGoneError):
                await self._redis.run(lambda redis: redis.delete(*(_REDIS_KEY + key for key in keys)))

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
        return hashlib.sha256("\0".join((*self._account.key, file.digest, file.name)).encode()).hexdigest()

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
            with tracing.span("upload", account=self._account.name):
                upload_id = await self._store.send(file)
        UPLOADS.labels("sent").inc()
        await self._keep(key, upload_id, asked + self._store.ALIVE)
        return upload_id

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
