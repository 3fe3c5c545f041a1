"""The services behind the proxy: how their models are named, and what asks them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from custom_handler.settings import AGENT_ID, Setting, is_agent_id
from custom_handler.upstream.pool import Pool
from custom_handler.upstream.stackspot_pool import StackspotPool


@dataclass(frozen=True, slots=True)
class Service:
    """One service.

    Attributes:
        provider: its name in LiteLLM: what stands before the slash in a model's name.
        title: its name for people.
        agent: the setting with the agent behind the model `chat`.
        is_agent_id: whether a text has the form of its agents' ids.
        agent_id_form: that form, in words.
        pool: what asks it.
        names_conversations: whether it chooses the ids of conversations; otherwise the proxy does.
    """

    provider: str
    title: str
    agent: Setting[str]
    is_agent_id: Callable[[str], bool]
    agent_id_form: str
    pool: type[Pool[Any, Any]]
    names_conversations: bool = False


STACKSPOT = Service("stackspot", "StackSpot", AGENT_ID, is_agent_id, "a 26-character agent id", StackspotPool)

ALL = (STACKSPOT,)
