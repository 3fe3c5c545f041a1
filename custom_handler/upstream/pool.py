"""What the requests of one event loop share: the HTTP client, and a token for each account."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import httpx

from custom_handler.auth import BearerAuth, TokenSource
from custom_handler.settings import Account, Connection, read_connection
from custom_handler.transport import new_client
from custom_handler.upstream.stackspot import StackspotAgent


class Pool:
    """Built from the settings when it is first used; a setting that was wrong then is read again next time."""

    def __init__(self) -> None:
        self._tokens: dict[Account, TokenSource] = {}

    @cached_property
    def _connection(self) -> Connection:
        return read_connection()

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        return new_client(self._connection)

    def tokens(self, account: Account) -> TokenSource:
        """The token of `account`."""
        if account not in self._tokens:
            self._tokens[account] = TokenSource(self._client, self._connection, account)
        return self._tokens[account]

    def agent(self, agent_id: str, account: Account, timeout: float | None = None) -> StackspotAgent:
        """One agent, ready to be asked.

        Args:
            timeout: seconds that the caller waits for a next piece, when that is less than the setting.
        """
        patience = min(timeout or self._connection.read_timeout, self._connection.read_timeout)
        return StackspotAgent(
            client=self._client,
            connection=replace(self._connection, read_timeout=patience),
            auth=BearerAuth(self.tokens(account)),
            agent_id=agent_id,
        )
