"""Refusals of Fusion: StackSpot's statuses in other words. All are inferred: no real body is known."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from emulator.errors import Refusal
from emulator.steps import Json


@dataclass(frozen=True, slots=True)
class FusionRefusal(Refusal):
    """An error answer of Fusion."""

    def _envelope(self) -> Json:
        return {"error": {"code": self.code, "message": self.details}}

    def _detail(self) -> object:
        return self.details


def fusion_refusal(status: int, code: str, message: str) -> FusionRefusal:
    """The refusal of this status, with its code in snake case and a sentence."""
    return FusionRefusal(status, code, code, message)


AGENT_NOT_FOUND = fusion_refusal(404, "agent_not_found", "Agent not found.")
CHAT_NOT_FOUND = fusion_refusal(404, "chat_not_found", "Chat not found.")
FILE_NOT_FOUND = fusion_refusal(404, "file_not_found", "File not found.")
DOCUMENT_NOT_FOUND = fusion_refusal(404, "document_not_found", "Document not found.")
METHOD_NOT_ALLOWED = fusion_refusal(405, "method_not_allowed", "Method not allowed.")
FILE_TOO_LARGE = fusion_refusal(413, "file_too_large", "The file is too large.")
STREAM_UNKNOWN = fusion_refusal(422, "validation_error", "stream: extra fields are not permitted.")

_CODES: Mapping[int, tuple[str, str]] = {
    401: ("unauthorized", "The API key is not valid."),
    403: ("forbidden", "The API key may not do this."),
    404: ("not_found", "Not found."),
    422: ("validation_error", "message: field required."),
    429: ("rate_limit_exceeded", "Too many requests."),
}


def in_fusion(refusal: Refusal) -> Refusal:
    """What Fusion answers where StackSpot answers `refusal`; web pages and plain texts stay what they are."""
    if isinstance(refusal, FusionRefusal):
        return refusal
    fallback = "server_error" if refusal.status >= 500 else "bad_request"
    told = fusion_refusal(refusal.status, *_CODES.get(refusal.status, (fallback, refusal.details)))
    return replace(told, style=refusal.style) if refusal.style in ("html", "text") else told
