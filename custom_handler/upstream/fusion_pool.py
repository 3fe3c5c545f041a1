"""The connections of one event loop to Fusion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from cachetools import LRUCache

from custom_handler import settings
from custom_handler.model_info import NOTHING, ModelInfo
from custom_handler.settings import FUSION_QUOTA, FusionAccount, FusionConnection
from custom_handler.transport import timeouts
from custom_handler.upstream.fusion import FusionAgent
from custom_handler.upstream.fusion_errors import OF_AGENT, Place, as_ours
from custom_handler.upstream.fusion_files import FusionFiles
from custom_handler.upstream.pool import PATIENTLY, Asking, Pool
from fusion_client import FusionClient, NotFoundError, UnsupportedError

_CLIENTS = 1_000  # one for each account and timeout, and requests may bring timeouts of their own


class FusionPool(Pool[FusionAccount, FusionConnection]):
    """See `Pool`."""

    terms = FUSION_QUOTA
    read_connection = staticmethod(settings.read_fusion_connection)
    read_account = staticmethod(settings.read_fusion_account)

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._clients: LRUCache[tuple[FusionAccount, float], FusionClient] = LRUCache(_CLIENTS)

    def file_store(self, account: FusionAccount) -> FusionFiles:
        """See `Pool.file_store`."""
        return FusionFiles(self._client(account, self.connection.read_timeout), self._service, account)

    def agent(
        self, agent_id: str, account: FusionAccount, asking: Asking = PATIENTLY, info: ModelInfo = NOTHING
    ) -> FusionAgent:
        """See `Pool.agent`."""
        read_timeout = asking.read_timeout(self.connection.read_timeout)
        return FusionAgent(
            self._client(account, read_timeout),
            Place(self._service, agent_id, account.key_setting, OF_AGENT),
            agent_id,
            account,
            self._turns(account, asking),
            self.uploads(account),
            read_timeout,
            asking.give_up_after,
            info.text("folder"),
        )

    async def sign_in(self, account: FusionAccount) -> FusionAccount:
        """A key needs no signing in; see `Pool.sign_in`."""
        return account

    async def check(self, account: FusionAccount) -> str:
        """See `Pool.check`. Only where the service lists its agents does it say whether it accepts the key."""
        with as_ours(Place(self._service, "", account.key_setting, OF_AGENT)):
            try:
                agents = await self._client(account, self.connection.read_timeout).list_agents()
            except (NotFoundError, UnsupportedError):
                return "Fusion does not list agents, so nothing is known of"
        return f"Fusion lists {len(agents)} agents for"

    def _client(self, account: FusionAccount, read_timeout: float) -> FusionClient:
        """The library, kept since it learns whether Fusion knows streams: asking for one in vain costs quota."""
        key = account, read_timeout
        if key not in self._clients:
            self._clients[key] = self._new_client(account, read_timeout)
        return self._clients[key]

    def _new_client(self, account: FusionAccount, read_timeout: float) -> FusionClient:
        """The library, without what the proxy has itself: new tries, a limit, and a limit of characters."""
        return FusionClient(
            account.api_key,
            base_url=self.connection.base_url,
            timeout=timeouts(replace(self.connection, read_timeout=read_timeout)),
            max_retries=0,
            enable_cache=False,
            max_message_length=None,
            http_client=self.client,
        )

    @property
    def _service(self) -> str:
        return f"Fusion at {urlsplit(self.connection.base_url).netloc}"
