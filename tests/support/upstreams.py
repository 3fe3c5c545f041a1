"""Agents of every service, as the engine asks them, against the emulator."""

from __future__ import annotations

from typing import Any

from custom_handler.model_info import NOTHING, ModelInfo
from custom_handler.settings import Account, Connection, FusionAccount, FusionConnection
from custom_handler.transport import new_client
from custom_handler.upstream.base import Delta, Query, Report
from custom_handler.upstream.fusion_pool import FusionPool
from custom_handler.upstream.pool import PATIENTLY, Asking, Pool
from custom_handler.upstream.retry import retrying
from custom_handler.upstream.stackspot_pool import StackspotPool
from emulator import Emulator
from tests.support.services import FUSION, Served


def pool_of(service: Served, url: str, identity_url: str) -> Pool[Any, Any]:
    """The pool of `service` at the emulator's `url`, with timeouts of 5 seconds."""
    if service is FUSION:
        fusion = FusionConnection(f"{url}/fusion/v1", None, connect_timeout=5, read_timeout=5)
        return FusionPool(fusion, new_client(fusion))
    connection = Connection(identity_url, url, url, None, connect_timeout=5, read_timeout=5)
    return StackspotPool(connection, new_client(connection))


def account_of(service: Served, url: str) -> Account | FusionAccount:
    """An account of `service`."""
    if service is FUSION:
        return FusionAccount("fusion", f"{url}/fusion/v1", "emulated-fusion-key")
    return Account("emulated", "id", "secret")


class RunningAgent:
    """An agent whose connections are closed at the end.

    Args:
        url: where the service is said to be; None for the emulator's.
        info: what the agent is asked with.
    """

    def __init__(
        self,
        service: Served,
        emulator: Emulator,
        asking: Asking = PATIENTLY,
        url: str | None = None,
        info: ModelInfo = NOTHING,
    ) -> None:
        self._service = service
        self._asking = asking
        self._info = info
        self._identity_url = emulator.url
        self._url = emulator.url if url is None else url

    async def __aenter__(self) -> Any:
        self._pool = pool_of(self._service, self._url, self._identity_url)
        account = account_of(self._service, self._url)
        return self._pool.agent(self._service.agent, account, self._asking, self._info)

    async def __aexit__(self, *_: object) -> None:
        await self._pool.aclose()


async def ask(agent: Any, query: Query) -> tuple[str, Report]:
    """The text and the report of one answer, asked without waiting between tries."""
    text, report = "", None
    async for piece in retrying(lambda: agent._ask(query), delays=(0, 0, 0)):
        if isinstance(piece, Delta):
            assert piece.text
            text += piece.text
        else:
            assert report is None, "one report an answer"
            report = piece
    assert report is not None
    return text, report
