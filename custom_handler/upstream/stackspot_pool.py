"""The connections and tokens of one event loop to StackSpot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from custom_handler import settings
from custom_handler.auth import BearerAuth, Token, TokenSource
from custom_handler.model_info import NOTHING, ModelInfo
from custom_handler.settings import STACKSPOT_QUOTA, Account, Connection
from custom_handler.upstream.chat_request import AgentOptions
from custom_handler.upstream.pool import PATIENTLY, Asking, Pool
from custom_handler.upstream.stackspot import StackspotAgent
from custom_handler.upstream.stackspot_files import StackspotFiles


class StackspotPool(Pool[Account, Connection]):
    """See `Pool`."""

    terms = STACKSPOT_QUOTA
    read_connection = staticmethod(settings.read_connection)
    read_account = staticmethod(settings.read_account)

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._tokens: dict[Account, TokenSource] = {}

    def tokens(self, account: Account) -> TokenSource:
        """The token of `account`."""
        if account not in self._tokens:
            self._tokens[account] = TokenSource(self.client, self.connection, account)
        return self._tokens[account]

    def file_store(self, account: Account) -> StackspotFiles:
        """See `Pool.file_store`."""
        return StackspotFiles(self.client, self.connection, BearerAuth(self.tokens(account)))

    def agent(
        self, agent_id: str, account: Account, asking: Asking = PATIENTLY, info: ModelInfo = NOTHING
    ) -> StackspotAgent:
        """See `Pool.agent`."""
        read_timeout = asking.read_timeout(self.connection.read_timeout)
        return StackspotAgent(
            self.client,
            replace(self.connection, read_timeout=read_timeout),
            BearerAuth(self.tokens(account)),
            agent_id,
            self._turns(account, asking),
            self.uploads(account),
            AgentOptions.of(info),
            asking.give_up_after,
        )

    async def sign_in(self, account: Account) -> Token:
        """The token of `account`; see `Pool.sign_in`."""
        return await self.tokens(account).get()
