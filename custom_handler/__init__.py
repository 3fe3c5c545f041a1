"""StackSpot AI and Fusion agents as OpenAI models, as a LiteLLM custom provider.

The names below are loaded when they are first asked for: importing LiteLLM takes seconds, and the pure modules
(prompt, parser, settings) do without it. `config.yaml` must name them here and not in a submodule: LiteLLM executes a
submodule by file path, outside `sys.modules`, and there would be two of everything.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from custom_handler.hooks import proxy_hooks
    from custom_handler.keys import require_key
    from custom_handler.provider import FusionLLM, StackspotLLM, fusion_llm, stackspot_llm

__all__ = ["FusionLLM", "StackspotLLM", "fusion_llm", "proxy_hooks", "require_key", "stackspot_llm"]

_HOMES = {
    "StackspotLLM": "custom_handler.provider",
    "stackspot_llm": "custom_handler.provider",
    "FusionLLM": "custom_handler.provider",
    "fusion_llm": "custom_handler.provider",
    "proxy_hooks": "custom_handler.hooks",
    "require_key": "custom_handler.keys",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(_HOMES[name])
    return home.custom_auth() if name == "require_key" else getattr(home, name)
