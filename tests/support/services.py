"""The services behind the proxy, as tests that hold for all of them see one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator import Emulator

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
FUSION_AGENT = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Served:
    """One service.

    Attributes:
        title: its name in messages.
        provider: its name in LiteLLM.
        agent, other_agent: ids of agents.
        agent_setting: the setting with the agent of `model`.
        account: the name of the account that the settings of tests name, as traces and figures tell it.
        credential: the first setting that is missed where none is set, as messages name it.
        secrets: of that account.
    """

    title: str
    provider: str
    agent: str
    other_agent: str
    agent_setting: str
    account: str
    credential: str
    secrets: tuple[str, ...]

    @property
    def model(self) -> str:
        """The model of `agent` in config.yaml."""
        return f"{self.provider}-chat"

    def named(self, agent: str) -> str:
        """The model of any agent."""
        return f"{self.provider}/{agent}"

    def prompt(self, chat: Any) -> str:
        """What a request that was recorded asks the agent."""
        return str(chat.json["user_prompt" if self is STACKSPOT else "message"])

    def asked(self, chat: Any) -> str:
        """The agent that a request asks; of Fusion, one that begins a chat."""
        return str(chat.path.split("/")[3] if self is STACKSPOT else chat.json["agent_id"])

    def files(self, chat: Any) -> list[str]:
        """The ids of the files that a request names."""
        return list(chat.json["upload_ids" if self is STACKSPOT else "files"])

    def uploads(self, emulator: Emulator) -> int:
        """How often the service was asked to take a file."""
        return sum(each.kind == "form" or (each.fusion and each.path.endswith("/files")) for each in emulator.requests)

    def conversation(self, chat: Any) -> str | None:
        """The conversation of the service in which a request is asked, or which it begins; None for none."""
        found = chat.json.get("conversation_id") if self is STACKSPOT else chat.chat_id
        return None if found is None else str(found)

    def __str__(self) -> str:
        return self.provider


STACKSPOT = Served(
    "StackSpot",
    "stackspot",
    AGENT,
    "01BX5ZZKBKACTAV9WEVGEMMVRZ",
    "STACKSPOT_GENAI_AGENT_ID",
    "emulated",
    "STACKSPOT_CLIENT_ID or CLIENT_ID",
    ("emulated-client", "emulated-secret"),
)
FUSION = Served(
    "Fusion",
    "fusion",
    FUSION_AGENT,
    "11111111-1111-4111-8111-111111111111",
    "FUSION_AGENT_ID",
    "fusion",
    "FUSION_API_KEY",
    ("emulated-fusion-key",),
)
SERVICES = (STACKSPOT, FUSION)

_NO_COUNTS = "Fusion counts no tokens; that they are counted here is tested beside it"
_NO_TOKEN = "Fusion's key is sent as it is: nobody signs in, and nothing is renewed"
_NO_SOURCES = "Fusion does not say what an answer draws on"
_FORGETTING = "Fusion counts no tokens, which is how it is noticed that an agent has forgotten"
#: What cannot hold for Fusion, by the name of the test, and why.
NOT_FOR_FUSION: Mapping[str, str] = {
    "test_usage_is_what_the_service_counts": _NO_COUNTS,
    "test_streamed_usage_is_what_the_service_counts": _NO_COUNTS,
    "test_sources_are_the_same_streamed_and_whole": _NO_SOURCES,
    "test_fifty_cold_requests_fetch_one_token_and_fifty_with_a_revoked_one_one_more": _NO_TOKEN,
    "test_a_new_token_is_a_span_below_the_call_that_waited_for_it": _NO_TOKEN,
    "test_a_service_that_has_forgotten_is_told_everything_from_then_on": _FORGETTING,
    "test_a_service_without_memory_does_little_harm": _FORGETTING,
}
