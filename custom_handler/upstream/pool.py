"""What requests to one service share: for each event loop an HTTP client; for all of the process, the quotas."""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import httpx

from custom_handler.model_info import NOTHING, ModelInfo
from custom_handler.quota.account import AccountQuota
from custom_handler.quota.quotas import Quotas
from custom_handler.quota.shared import SharedQuota
from custom_handler.quota.tickets import Group
from custom_handler.quota.turns import Turns
from custom_handler.redis_link import RedisLink
from custom_handler.remote_files import RemoteFiles
from custom_handler.settings import FILE_HOSTS, REDIS_URL, WORKERS, Network, Owner, QuotaTerms, read
from custom_handler.transport import new_client, trust
from custom_handler.upstream.base import Upstream
from custom_handler.upstream.retry import TOO_LATE
from custom_handler.upstream.uploads import FileStore, Uploads


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks an agent, and how patiently.

    Attributes:
        timeout: seconds after which the caller is no longer interested in a next piece, nor in another try.
        caller: who asks; callers take turns.
        group: the group of the model, if that has a budget of its own.
        max_wait: seconds that a question may wait for its turn; None for what is set.
    """

    timeout: float | None = None
    caller: str = ""
    group: Group | None = None
    max_wait: float | None = None

    @property
    def give_up_after(self) -> float:
        """Seconds after which no further try is begun."""
        return TOO_LATE if self.timeout is None else min(self.timeout, TOO_LATE)

    def read_timeout(self, longest: float) -> float:
        """Seconds to wait for a next piece."""
        return longest if self.timeout is None else min(self.timeout, longest)


PATIENTLY = Asking()

A = TypeVar("A", bound=Owner)
C = TypeVar("C", bound=Network)
P = TypeVar("P", bound="Pool[Any, Any]")


class Pool(ABC, Generic[A, C]):
    """The connections of one event loop to one service.

    Args:
        connection: where the service is.
        client: asks it.
        redis: what workers share quotas and conversations through; None for each on its own.
        quotas: of the service's accounts.
        remote_files: fetches files that requests name by their address.
    """

    #: Of the service's quota.
    terms: QuotaTerms

    def __init__(
        self,
        connection: C,
        client: httpx.AsyncClient,
        redis: RedisLink | None = None,
        quotas: Quotas | None = None,
        remote_files: RemoteFiles | None = None,
    ) -> None:
        self.connection = connection
        self.client = client
        self.redis = redis
        self.remote_files = remote_files or RemoteFiles()
        self._quotas = quotas or Quotas(terms=self.terms)
        self._shared: dict[A, SharedQuota] = {}
        self._uploads: dict[A, Uploads] = {}

    @staticmethod
    @abstractmethod
    def read_connection() -> C:
        """Where the service is, by the settings. Raises `SettingError`."""

    @staticmethod
    @abstractmethod
    def read_account(name: str | None) -> A:
        """The default account, or the one of this name. Raises `SettingError`."""

    @abstractmethod
    def agent(self, agent_id: str, account: A, asking: Asking = PATIENTLY, info: ModelInfo = NOTHING) -> Upstream:
        """One agent, ready to be asked.

        Args:
            info: says what it is asked with.

        Raises:
            SettingError: a setting, or `info`, is malformed.
        """

    @abstractmethod
    def file_store(self, account: A) -> FileStore:
        """Where the service takes the files of `account`."""

    @abstractmethod
    async def sign_in(self, account: A) -> object:
        """Get what `account` needs to ask agents, or find that it is there; it costs no quota.

        Raises:
            BridgeError: it cannot be got.
        """

    async def check(self, account: A) -> str:
        """Find out whether the service accepts `account`, and say so: what comes before the account's name."""
        await self.sign_in(account)
        return "signed in with"

    async def aclose(self) -> None:
        """Close the connections, and give back what is shared."""
        for shared in self._shared.values():
            await shared.aclose()
        await self.client.aclose()
        if self.redis is not None:
            await self.redis.aclose()

    def uploads(self, account: A) -> Uploads:
        """The files of `account`."""
        if account not in self._uploads:
            self._uploads[account] = Uploads(self.file_store(account), account, self.redis)
        return self._uploads[account]

    def _turns(self, account: A, asking: Asking) -> Turns:
        quota = self._quotas.of(account, alone=self.redis is None)
        return Turns(
            quota,
            self._shared_quota(account, quota),
            asking.caller,
            asking.group,
            read(self.terms.max_wait) if asking.max_wait is None else asking.max_wait,
            asking.timeout or math.inf,
        )

    def _shared_quota(self, account: A, quota: AccountQuota) -> SharedQuota | None:
        if self.redis is not None and account not in self._shared:
            self._shared[account] = SharedQuota(self.redis, quota, account, read(WORKERS))
        return self._shared.get(account)


class Pools(Generic[P]):
    """The pool of each event loop, for a connection belongs to the loop that opened it.

    Args:
        kind: of what service.
        minute: seconds that a minute of the service lasts; a test lets it pass faster.
    """

    def __init__(self, kind: type[P], minute: float = 60.0) -> None:
        self._kind = kind
        self._quotas = Quotas(minute, kind.terms)
        self._open: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[P, AsyncGenerator[P, None]]]
        self._open = WeakKeyDictionary()

    async def current(self) -> P:
        """The pool of the running loop, made from the settings when it is first asked for.

        Raises:
            SettingError: a setting is malformed; the settings are read again next time.
        """
        loop = asyncio.get_running_loop()
        if loop not in self._open:
            opened = _opened(self._kind, self._quotas)
            self._open[loop] = await anext(opened), opened
        return self._open[loop][0]


async def _opened(kind: type[P], quotas: Quotas) -> AsyncGenerator[P, None]:
    """A pool that its loop closes: at its end, a loop closes the async generators that were begun in it."""
    connection = kind.read_connection()
    redis_url = read(REDIS_URL)
    hosts = read(FILE_HOSTS)
    pool = kind(
        connection,
        new_client(connection),
        RedisLink(redis_url) if redis_url else None,
        quotas,
        RemoteFiles(hosts, trust(connection) if hosts else None),
    )
    try:
        yield pool
    finally:
        await pool.aclose()
