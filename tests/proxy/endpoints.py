"""The endpoints that ask a model, and the smallest request of each."""

from __future__ import annotations

from typing import Any

_MESSAGES = [{"role": "user", "content": "hi"}]
CHAT, COMPLETIONS, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"
COUNT_TOKENS = "/v1/messages/count_tokens"
_SMALLEST: dict[str, dict[str, Any]] = {
    CHAT: {"messages": _MESSAGES},
    COMPLETIONS: {"prompt": "hi"},
    RESPONSES: {"input": "hi"},
    MESSAGES: {"messages": _MESSAGES, "max_tokens": 9},
    COUNT_TOKENS: {"messages": _MESSAGES},
}
STREAMING = (CHAT, COMPLETIONS, RESPONSES, MESSAGES)
ALL = tuple(_SMALLEST)


def request(path: str, model: str = "stackspot-chat", **fields: Any) -> dict[str, Any]:
    """A body for `path`."""
    return {"model": model, **_SMALLEST[path], **fields}
