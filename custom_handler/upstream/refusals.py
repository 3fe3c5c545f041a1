"""StackSpot's HTTP errors → ours. Pure.

The envelope is `{"type", "code": "INFERENCE_<nnnn>_<NAME>", "details"}`. Known for certain are the rate limit, the
too long prompt (400, never 413) and the empty 403; other bodies are unknown and may be anything, even a web page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from custom_handler.errors import (
    AgentRefusedError,
    BridgeError,
    ContextWindowError,
    IdentityRefusedError,
    RateLimitedError,
    RequestError,
    ServiceQuotaError,
    UnavailableError,
    UnreachableError,
    UploadRefusedError,
    UpstreamError,
    UpstreamTimeoutError,
)
from custom_handler.settings import DATA_URL
from custom_handler.upstream.telling import pause, told

_TOO_LONG = "INFERENCE_6001"
_STORE_CODE = re.compile(rb"<Code>(\w{1,100})</Code>")
_Meanings: TypeAlias = Mapping[int, tuple[type[BridgeError], str]]

#: Status, or its first digit → what it means, whatever was asked.
_ANY: _Meanings = {
    408: (UpstreamTimeoutError, "StackSpot took too long"),
    504: (UpstreamTimeoutError, "StackSpot took too long"),
    2: (UnreachableError, "StackSpot gave no answer; check its address in the settings"),
    3: (UnreachableError, "StackSpot gave no answer; check its address in the settings"),
    5: (UnavailableError, "StackSpot is unavailable"),
}
#: The same for a question; `{}` stands for the agent's id.
_OF_AGENT: _Meanings = {
    **_ANY,
    401: (IdentityRefusedError, "StackSpot refused a token that was just issued; does the realm own the agent?"),
    403: (AgentRefusedError, "StackSpot refused agent {}: agent id wrong or not shared with this key"),
    404: (RequestError, "StackSpot does not know agent {}; check its id"),
    4: (RequestError, "StackSpot did not accept the request for agent {}"),
}
#: The same for the form of an upload; `{}` stands for the file's name.
_OF_FORM: _Meanings = {
    **_ANY,
    401: (IdentityRefusedError, "StackSpot refused a token that was just issued, for the file {}"),
    403: (UploadRefusedError, "StackSpot does not let this account upload {}; files need an Enterprise account"),
    404: (UpstreamError, f"StackSpot does not take files such as {{}} at this address; check {DATA_URL.name}"),
    4: (RequestError, "StackSpot did not accept the file {}"),
}
#: The same for the post to the file store. That we get the form wrong is no fault of the client.
_OF_STORE: _Meanings = {
    3: (UpstreamError, "StackSpot's file store refused {}"),
    4: (UpstreamError, "StackSpot's file store refused {}"),
    5: (UnavailableError, "StackSpot's file store did not take {}"),
}


def as_refusal(status: int, headers: Mapping[str, str], body: bytes, agent_id: str) -> BridgeError:
    """The error that an answer with `status` (not 200) stands for.

    Args:
        headers: with lower-case lookup, as httpx gives them.
        body: as much of it as was read.
        agent_id: named in the message, so that the operator can look it up in the portal.
    """
    envelope = _envelope(body)
    code = _code(envelope)
    if status == 429:
        return ServiceQuotaError(
            f"The StackSpot account has used up its requests for this minute {told(status, code)}.",
            retry_after=_pause(headers.get("retry-after")),
        )
    if code.startswith(_TOO_LONG):
        return ContextWindowError(str(envelope.get("details") or "The prompt is too long for the agent's model.")[:400])
    return _meant(_OF_AGENT, status, headers, code, agent_id)


def as_form_refusal(status: int, headers: Mapping[str, str], body: bytes, file_name: str) -> BridgeError:
    """The same for the answer to a request for the form of an upload."""
    return _meant(_OF_FORM, status, headers, _code(_envelope(body)), file_name)


def as_store_refusal(status: int, body: bytes, file_name: str) -> BridgeError:
    """The same for the answer of the file store, which tells errors in the XML of S3."""
    found = _STORE_CODE.search(body)
    code = found[1].decode() if found else ""
    if status == 413 or code == "EntityTooLarge":
        return RequestError(f"StackSpot's file store finds {file_name!r} too large ({status}).")
    return _meant(_OF_STORE, status, {}, code, file_name)


def _meant(meanings: _Meanings, status: int, headers: Mapping[str, str], code: str, subject: str) -> BridgeError:
    said = told(status, code)
    if status == 429:
        wait = _pause(headers.get("retry-after"))
        return RateLimitedError(f"StackSpot takes no more files for now {said}.", retry_after=wait)
    kind, text = meanings.get(status) or meanings.get(status // 100) or meanings[5]
    return kind(f"{text.format(repr(subject))} {said}.")


def _code(envelope: Mapping[str, Any]) -> str:
    return str(envelope.get("code", ""))[:100]


def _envelope(body: bytes) -> Mapping[str, Any]:
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return envelope if isinstance(envelope, dict) else {}


def _pause(retry_after: str | None) -> int:
    return pause(int(retry_after) if retry_after is not None and retry_after.strip().isdecimal() else None)
