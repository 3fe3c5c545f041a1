"""StackSpot's HTTP errors → ours. Pure.

The envelope is `{"type", "code": "INFERENCE_<nnnn>_<NAME>", "details"}`. Known for certain are the rate limit, the
too long prompt (400, never 413) and the empty 403; other bodies are unknown and may be anything, even a web page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from custom_handler.errors import (
    AgentRefusedError,
    BridgeError,
    ContextWindowError,
    IdentityRefusedError,
    RateLimitedError,
    RequestError,
    UnavailableError,
    UnreachableError,
    UpstreamTimeoutError,
)

_TOO_LONG = "INFERENCE_6001"
#: Seconds. The quota is counted by the minute and its end is not told; some of it is back by then.
_USUAL_PAUSE = 15
_LONGEST_PAUSE = 3600


def as_refusal(status: int, headers: Mapping[str, str], body: bytes, agent_id: str) -> BridgeError:
    """The error that an answer with `status` (not 200) stands for.

    Args:
        headers: with lower-case lookup, as httpx gives them.
        body: as much of it as was read.
        agent_id: named in the message, so that the operator can look it up in the portal.
    """
    envelope = _envelope(body)
    code = str(envelope.get("code", ""))[:100]
    told = f" ({code})" if code else ""
    if status == 401:
        return IdentityRefusedError("StackSpot refused a token that was just issued. Does the realm own the agent?")
    if status == 403:
        return AgentRefusedError(
            f"StackSpot refused agent {agent_id!r}: agent id wrong or not shared with this key{told}."
        )
    if status == 429:
        return RateLimitedError(
            f"The StackSpot account has used up its requests for this minute{told}.",
            retry_after=_pause(headers.get("retry-after")),
        )
    if status in {408, 504}:
        return UpstreamTimeoutError(f"StackSpot took too long ({status}).")
    if status >= 500:
        return UnavailableError(f"StackSpot is unavailable ({status}{', ' + code if code else ''}).")
    if 200 <= status < 400:
        return UnreachableError(f"StackSpot answered with status {status}; check the address in the settings.")
    if code.startswith(_TOO_LONG):
        return ContextWindowError(str(envelope.get("details") or "The prompt is too long for the agent's model.")[:400])
    return RequestError(
        f"StackSpot did not accept the request for agent {agent_id!r} ({status}{', ' + code if code else ''})."
    )


def _envelope(body: bytes) -> Mapping[str, Any]:
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return envelope if isinstance(envelope, dict) else {}


def _pause(retry_after: str | None) -> int:
    if retry_after is not None and retry_after.strip().isdecimal():
        return max(1, min(int(retry_after), _LONGEST_PAUSE))
    return _USUAL_PAUSE
