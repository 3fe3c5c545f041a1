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
    RequestError,
    ServiceQuotaError,
    UnavailableError,
    UnreachableError,
    UpstreamTimeoutError,
)

_TOO_LONG = "INFERENCE_6001"
#: Seconds. The quota is counted by the minute and its end is not told; some of it is back by then.
_USUAL_PAUSE = 15
_LONGEST_PAUSE = 3600


#: Status → what it means; `{agent}` stands for the agent's id.
_MEANINGS: dict[int, tuple[type[BridgeError], str]] = {
    401: (IdentityRefusedError, "StackSpot refused a token that was just issued; does the realm own the agent?"),
    403: (AgentRefusedError, "StackSpot refused agent {agent}: agent id wrong or not shared with this key"),
    404: (RequestError, "StackSpot does not know agent {agent}; check its id"),
    408: (UpstreamTimeoutError, "StackSpot took too long"),
    504: (UpstreamTimeoutError, "StackSpot took too long"),
}
_SUCCESS_OR_REDIRECT = (UnreachableError, "StackSpot gave no answer; check its address in the settings")
_CLIENT_ERROR = (RequestError, "StackSpot did not accept the request for agent {agent}")
_SERVER_ERROR = (UnavailableError, "StackSpot is unavailable")


def as_refusal(status: int, headers: Mapping[str, str], body: bytes, agent_id: str) -> BridgeError:
    """The error that an answer with `status` (not 200) stands for.

    Args:
        headers: with lower-case lookup, as httpx gives them.
        body: as much of it as was read.
        agent_id: named in the message, so that the operator can look it up in the portal.
    """
    envelope = _envelope(body)
    code = str(envelope.get("code", ""))[:100]
    told = f"({status}, {code})" if code else f"({status})"
    if status == 429:
        return ServiceQuotaError(
            f"The StackSpot account has used up its requests for this minute {told}.",
            retry_after=_pause(headers.get("retry-after")),
        )
    if code.startswith(_TOO_LONG):
        return ContextWindowError(str(envelope.get("details") or "The prompt is too long for the agent's model.")[:400])
    kind, text = _MEANINGS.get(status) or _meaning_of_class(status)
    return kind(f"{text.format(agent=repr(agent_id))} {told}.")


def _meaning_of_class(status: int) -> tuple[type[BridgeError], str]:
    if status < 400:
        return _SUCCESS_OR_REDIRECT
    return _CLIENT_ERROR if status < 500 else _SERVER_ERROR


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
