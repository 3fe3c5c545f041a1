"""What StackSpot is sent with a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from custom_handler.model_info import ModelInfo
from custom_handler.surrogates import mend
from custom_handler.upstream.base import Query


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """What an agent is asked with, beside the question; as its entry in config.yaml says.

    Attributes:
        knowledge_sources: ids of knowledge sources that it consults.
        deep_search: whether it searches them more thoroughly.
        version: of the agent; None for its newest.
        selected_model: one of the agent's models; None for its default.
    """

    knowledge_sources: tuple[str, ...] = ()
    deep_search: bool = False
    version: int | None = None
    selected_model: str | None = None

    @classmethod
    def of(cls, info: ModelInfo) -> AgentOptions:
        """What the entry says. Raises `SettingError` where it is malformed."""
        return cls(
            knowledge_sources=info.texts("knowledge_sources"),
            deep_search=info.flag("deep_search_ks"),
            version=info.number("agent_version"),
            selected_model=info.text("selected_model"),
        )


DEFAULT_OPTIONS = AgentOptions()


def body(query: Query, upload_ids: Sequence[str], options: AgentOptions) -> dict[str, Any]:
    """The fields of the request that asks `query`."""
    sources = list(options.knowledge_sources)
    optional = {
        "use_conversation": query.conversation_id is not None,
        "conversation_id": query.conversation_id,
        "upload_ids": list(upload_ids),
        "knowledge_source_ids": sources,  # clients disagree on the name; what the service does not know, it ignores
        "knowledge_sources": sources,
        "deep_search_ks": options.deep_search,
        "agent_version_number": options.version,
        "selected_model": options.selected_model,
    }
    return {
        "user_prompt": mend(query.prompt),
        "streaming": True,  # an answer in one piece is cut off after about 120 s
        "stackspot_knowledge": False,  # true attaches sources that nobody asked for
        "return_ks_in_response": bool(sources) or options.deep_search,
        **{name: value for name, value in optional.items() if value},
    }
