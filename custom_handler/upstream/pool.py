"""What requests share: for each event loop, one HTTP client and a token for each account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

import httpx

from custom_handler.auth import BearerAuth, TokenSource
from custom_handler.redis_link import RedisLink
from custom_handler.settings import REDIS_URL, Account, Connection, read, read_connection
from custom_handler.transport import new_client
from custom_handler.upstream.retry import TOO_LATE
from custom_handler.upstream.stackspot import StackspotAgent


@dataclass(frozen=True, slots=True)
class Pool:
    """The connections and tokens of one event loop."""

    connection: Connection
    client: httpx.AsyncClient
    redis: RedisLink | None = None
    _tokens: dict[Account, TokenSource] = field(default_factory=dict)

    def tokens(self, account: Account) -> TokenSource:
        """The token of `account`."""
        if account not in self._tokens:
            self._tokens[account] = TokenSource(self.client, self.connection, account)
        return self._tokens[account]

    def agent(self, agent_id: str, account: Account, timeout: float | None = None) -> StackspotAgent:
        """One agent, ready to be asked.

        Args:
            timeout: seconds after which the caller is no longer interested in a next piece, nor in another try.
        """
        connection, give_up_after = self.connection, TOO_LATE
        if timeout is not None:
            connection = replace(connection, read_timeout=min(timeout, connection.read_timeout))
            give_up_after = min(timeout, give_up_after)
        return StackspotAgent(self.client, connection, BearerAuth(self.tokens(account)), agent_id, give_up_after)


class Pools:
    """The pool of each event loop, for a connection belongs to the loop that opened it."""

    def __init__(self) -> None:
        self._open: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Pool, AsyncGenerator[Pool, None]]]
        self._open = WeakKeyDictionary()

    async def current(self) -> Pool:
        """The pool of the running loop, made from the settings when it is first asked for.

        Raises:
            SettingError: a setting is malformed; the settings are read again next time.
        """
        loop = asyncio.get_running_loop()
        if loop not in self._open:
            opened = _opened()
            self._open[loop] = await anext(opened), opened
        return self._open[loop][0]


async def _opened() -> AsyncGenerator[Pool, None]:
    """A pool that its loop closes: at its end, a loop closes the async generators that were begun in it."""
    connection = read_connection()
    redis_url = read(REDIS_URL)
    pool = Pool(connection, new_client(connection), RedisLink(redis_url) if redis_url else None)
    try:
        yield pool
    finally:
        await pool.client.aclose()
        if pool.redis is not None:
            await pool.redis.aclose()
