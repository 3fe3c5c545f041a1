"""What requests share: for each event loop an HTTP client and tokens; for all of the process, the quotas."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

import httpx

from custom_handler.auth import BearerAuth, TokenSource
from custom_handler.quota.account import AccountQuota
from custom_handler.quota.quotas import Quotas
from custom_handler.quota.shared import SharedQuota
from custom_handler.quota.tickets import Group
from custom_handler.quota.turns import Turns
from custom_handler.redis_link import RedisLink
from custom_handler.remote_files import RemoteFiles
from custom_handler.settings import (
    FILE_HOSTS,
    MAX_WAIT,
    REDIS_URL,
    WORKERS,
    Account,
    Connection,
    read,
    read_connection,
)
from custom_handler.transport import new_client, trust
from custom_handler.upstream.chat_request import DEFAULT_OPTIONS, AgentOptions
from custom_handler.upstream.retry import TOO_LATE
from custom_handler.upstream.stackspot import StackspotAgent
from custom_handler.upstream.uploads import Uploads


@dataclass(frozen=True, slots=True)
class Pool:
    """The connections and tokens of one event loop."""

    connection: Connection
    client: httpx.AsyncClient
    redis: RedisLink | None = None
    quotas: Quotas = field(default_factory=Quotas)
    remote_files: RemoteFiles = field(default_factory=RemoteFiles)
    _tokens: dict[Account, TokenSource] = field(default_factory=dict)
    _shared: dict[Account, SharedQuota] = field(default_factory=dict)
    _uploads: dict[Account, Uploads] = field(default_factory=dict)

    def tokens(self, account: Account) -> TokenSource:
        """The token of `account`."""
        if account not in self._tokens:
            self._tokens[account] = TokenSource(self.client, self.connection, account)
        return self._tokens[account]

    def uploads(self, account: Account) -> Uploads:
        """The files of `account`."""
        if account not in self._uploads:
            auth = BearerAuth(self.tokens(account))
            self._uploads[account] = Uploads(self.client, self.connection, auth, account, self.redis)
        return self._uploads[account]

    def agent(
        self,
        agent_id: str,
        account: Account,
        timeout: float | None = None,
        *,
        caller: str = "",
        group: Group | None = None,
        max_wait: float | None = None,
        options: AgentOptions = DEFAULT_OPTIONS,
    ) -> StackspotAgent:
        """One agent, ready to be asked.

        Args:
            timeout: seconds after which the caller is no longer interested in a next piece, nor in another try.
            caller: who asks; callers take turns.
            group: the group of the model, if that has a budget of its own.
            max_wait: seconds that a question may wait for its turn; None for what is set.
            options: what it is asked with.
        """
        connection, give_up_after = self.connection, TOO_LATE
        if timeout is not None:
            connection = replace(connection, read_timeout=min(timeout, connection.read_timeout))
            give_up_after = min(timeout, give_up_after)
        quota = self.quotas.of(account, alone=self.redis is None)
        turns = Turns(
            quota,
            self._shared_quota(account, quota),
            caller,
            group,
            read(MAX_WAIT) if max_wait is None else max_wait,
            timeout or math.inf,
        )
        auth, uploads = BearerAuth(self.tokens(account)), self.uploads(account)
        return StackspotAgent(self.client, connection, auth, agent_id, turns, uploads, options, give_up_after)

    async def aclose(self) -> None:
        """Close the connections, and give back what is shared."""
        for shared in self._shared.values():
            await shared.aclose()
        await self.client.aclose()
        if self.redis is not None:
            await self.redis.aclose()

    def _shared_quota(self, account: Account, quota: AccountQuota) -> SharedQuota | None:
        if self.redis is not None and account not in self._shared:
            self._shared[account] = SharedQuota(self.redis, quota, account, read(WORKERS))
        return self._shared.get(account)


class Pools:
    """The pool of each event loop, for a connection belongs to the loop that opened it.

    Args:
        minute: seconds that a minute of the service lasts; a test lets it pass faster.
    """

    def __init__(self, minute: float = 60.0) -> None:
        self._quotas = Quotas(minute)
        self._open: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Pool, AsyncGenerator[Pool, None]]]
        self._open = WeakKeyDictionary()

    async def current(self) -> Pool:
        """The pool of the running loop, made from the settings when it is first asked for.

        Raises:
            SettingError: a setting is malformed; the settings are read again next time.
        """
        loop = asyncio.get_running_loop()
        if loop not in self._open:
            opened = _opened(self._quotas)
            self._open[loop] = await anext(opened), opened
        return self._open[loop][0]


async def _opened(quotas: Quotas) -> AsyncGenerator[Pool, None]:
    """A pool that its loop closes: at its end, a loop closes the async generators that were begun in it."""
    connection = read_connection()
    redis_url = read(REDIS_URL)
    hosts = read(FILE_HOSTS)
    pool = Pool(
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
