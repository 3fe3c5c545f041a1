"""The services behind the proxy: how their models are named, and what asks them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from custom_handler import settings
from custom_handler.settings import Setting, find, of_account
from custom_handler.upstream.fusion_pool import FusionPool
from custom_handler.upstream.pool import Pool
from custom_handler.upstream.stackspot_pool import StackspotPool


@dataclass(frozen=True, slots=True)
class Service:
    """One service.

    Attributes:
        provider: its name in LiteLLM: what stands before the slash in a model's name.
        title: its name for people.
        credentials: the settings of an account.
        agent: the setting with the agent behind the model `chat`.
        is_agent_id: whether a text has the form of its agents' ids.
        agent_id_form: that form, in words.
        pool: what asks it.
        names_conversations: whether it chooses the ids of conversations; otherwise the proxy does.
    """

    provider: str
    title: str
    credentials: tuple[Setting[str], ...]
    agent: Setting[str]
    is_agent_id: Callable[[str], bool]
    agent_id_form: str
    pool: type[Pool[Any, Any]]
    names_conversations: bool = False

    def is_set_up(self, accounts: Iterable[str | None]) -> bool:
        """Whether any setting of one of `accounts` is set; who uses one service only sets none of the other's."""
        return any(find(of_account(setting, account)) for account in accounts for setting in self.credentials)


STACKSPOT = Service(
    "stackspot",
    "StackSpot",
    settings.STACKSPOT_CREDENTIALS,
    settings.AGENT_ID,
    settings.is_agent_id,
    "a 26-character agent id",
    StackspotPool,
)
FUSION = Service(
    "fusion",
    "Fusion",
    settings.FUSION_CREDENTIALS,
    settings.FUSION_AGENT_ID,
    settings.is_fusion_agent_id,
    "an agent id (a UUID)",
    FusionPool,
    names_conversations=True,
)

ALL = (STACKSPOT, FUSION)


def used(served: Iterable[tuple[Service, Iterable[str | None]]]) -> list[Service]:
    """Of the services that are served, each with its accounts, those of which anything is set.

    Where that is so of none, the first: somebody has yet to set it up, and is told how.
    """
    listed = list(served)
    set_up = [service for service, accounts in listed if service.is_set_up(accounts)]
    return set_up or [service for service, _ in listed[:1]]
