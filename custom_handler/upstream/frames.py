"""One event of StackSpot's SSE answer → what it says. Pure.

Facts: `message` is a delta; deltas may carry the whole base object; the final frame has `stop_reason` and `tokens`,
whose numbers may be null, text, or absent, and may be `user` + `enrichment` instead of `input`; its `conversation_id`
is null unless a conversation is used. Not certain are the three forms of an error in mid-stream, all taken as errors
here even when they also carry a `message`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from custom_handler.errors import BrokenAnswerError
from custom_handler.upstream.base import Report
from custom_handler.upstream.sources import merged, read_sources

_SERVICE = "StackSpot"
#: Made once: `json.loads` makes a new one each time that it is not given its own defaults.
_DECODER = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class Frame:
    """One event: its text (often empty), and a report when it has a stop reason, token counts or sources."""

    text: str = ""
    report: Report | None = None


def is_noise(data: str) -> bool:
    """Whether an event carries nothing: pings, the `[DONE]` of other APIs, plain words to keep a line open."""
    return not data.lstrip().startswith("{")


def read(event: str, data: str) -> Frame:
    """The frame in an event that is not noise.

    Raises:
        BrokenAnswerError: it is not JSON (so text was lost), or it reports an error of the service.
    """
    try:
        fields = _DECODER.decode(data)
    except (ValueError, RecursionError) as exc:
        raise BrokenAnswerError(f"{_SERVICE} sent an event that cannot be read; its answer is incomplete.") from exc
    if event == "error" or fields.get("type") == "error" or fields.get("error"):
        raise BrokenAnswerError(f"{_SERVICE} reported an error in its answer{_code(fields)}.")
    text = fields.get("message")
    return Frame(text if isinstance(text, str) else "", _report(fields))


def _code(fields: Mapping[str, Any]) -> str:
    """The service's code for an error, which operators can look up; its prose may quote the prompt."""
    inner = fields.get("error")
    codes = (fields.get("code"), inner.get("code") if isinstance(inner, Mapping) else None)
    code = next((code for code in codes if isinstance(code, str | int)), None)
    return "" if code is None else f" ({str(code)[:100]})"


def _report(fields: Mapping[str, Any]) -> Report | None:
    tokens, reason, conversation = map(fields.get, ("tokens", "stop_reason", "conversation_id"))
    counts = tokens if isinstance(tokens, Mapping) else {}
    sources = read_sources(fields)
    if not counts and not reason and not sources:
        return None
    return Report(
        prompt_tokens=_prompt_tokens(counts),
        completion_tokens=_count(counts.get("output")),
        stop_reason=str(reason) if reason else None,
        conversation_id=conversation if isinstance(conversation, str) else None,
        sources=sources,
    )


def _prompt_tokens(counts: Mapping[str, Any]) -> int | None:
    whole = _count(counts.get("input"))
    if whole is not None:
        return whole
    parts = [count for count in (_count(counts.get("user")), _count(counts.get("enrichment"))) if count is not None]
    return sum(parts) if parts else None


def _count(value: Any) -> int | None:
    try:
        count = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return count if count >= 0 else None


def merge(report: Report, later: Report | None) -> Report:
    """`report` with what a later frame adds to it or says anew."""
    if later is None:
        return report
    return Report(
        prompt_tokens=report.prompt_tokens if later.prompt_tokens is None else later.prompt_tokens,
        completion_tokens=report.completion_tokens if later.completion_tokens is None else later.completion_tokens,
        stop_reason=later.stop_reason or report.stop_reason,
        conversation_id=later.conversation_id or report.conversation_id,
        sources=merged(report.sources, later.sources),
    )
