"""Refusals: the error answers of the agent API, of the identity service and of the object store.

Known for certain are the 400, 403 and 429 answers. The bodies of 401, 404, 422 and 5xx are not known, so
each of them can be had in every `BodyStyle`.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from emulator.frames import to_json
from emulator.steps import Json, Send, Start, Step

BodyStyle = Literal["envelope", "oauth", "detail", "text", "html", "xml", "empty"]
BODY_STYLES: tuple[BodyStyle, ...] = get_args(BodyStyle)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer. `known` says that the real body is known, so `Options.error_body` leaves it alone."""

    status: int
    type: str
    code: str
    details: str
    style: BodyStyle = "envelope"
    known: bool = False

    def steps(self, style: BodyStyle | None, headers: dict[str, str]) -> list[Step]:
        """The whole answer: status, headers, body. `style=None` keeps the refusal's own."""
        content_type, text = self._body(style or self.style)
        body = text.encode()
        own = {"content-length": str(len(body))}
        if content_type:
            own["content-type"] = content_type
        return [Start(self.status, own | headers), Send(body)]

    def _body(self, style: BodyStyle) -> tuple[str, str]:
        values: dict[BodyStyle, tuple[str, str]] = {
            "envelope": ("application/json", to_json(self._envelope())),
            "oauth": ("application/json", to_json({"error": self.code})),
            "detail": ("application/json", to_json({"detail": self._detail()})),
            "text": ("text/plain; charset=utf-8", self.details),
            "html": ("text/html", f"<html><body><h1>{self.status}</h1><p>{self.details}</p></body></html>"),
            "xml": ("application/xml", f"<Error><Code>{self.code}</Code></Error>"),
            "empty": ("", ""),
        }
        return values[style]

    def _envelope(self) -> Json:
        return {"type": self.type, "code": self.code, "details": self.details}

    def _detail(self) -> object:
        return [{"msg": self.details, "type": self.type}]


def store_error(status: int, code: str) -> Refusal:
    """An error of the object store, in the XML of S3."""
    return Refusal(status, code, code, code, style="xml", known=True)


# The numbers of the codes marked 0000 are made up: only the pattern INFERENCE_<nnnn>_<NAME> is known.
UNAUTHORIZED = Refusal(401, "Unauthorized", "INFERENCE_0000_UNAUTHORIZED", "The access token is not valid.")
FORBIDDEN = Refusal(403, "Forbidden", "", "", style="empty", known=True)
NOT_FOUND = Refusal(404, "NotFound", "INFERENCE_0000_AGENT_NOT_FOUND", "Agent not found.")
UNPROCESSABLE = Refusal(
    422, "UnprocessableEntity", "INFERENCE_0000_INVALID_BODY", "user_prompt: field required.", style="detail"
)
RATE_LIMITED = Refusal(
    429,
    "TooManyRequests",
    "INFERENCE_3008_CHAT_RATE_LIMIT_EXCEEDED",
    "Maximum number of requests reached.",
    known=True,
)
SERVER_ERROR = Refusal(500, "InternalServerError", "INFERENCE_0000_INTERNAL_ERROR", "Unexpected error.")
BAD_GATEWAY = Refusal(502, "BadGateway", "INFERENCE_0000_BAD_GATEWAY", "Bad Gateway", style="html")
UNAVAILABLE = Refusal(503, "ServiceUnavailable", "INFERENCE_0000_UNAVAILABLE", "Unavailable", style="text")
GATEWAY_TIMEOUT = Refusal(504, "GatewayTimeout", "INFERENCE_0000_TIMEOUT", "Gateway Timeout", style="html")

INVALID_CLIENT = Refusal(401, "Unauthorized", "invalid_client", "Invalid credentials.", style="oauth")
INVALID_REQUEST = Refusal(400, "BadRequest", "invalid_request", "The body must be a form.", style="oauth")
UNSUPPORTED_GRANT = Refusal(400, "BadRequest", "unsupported_grant_type", "Unknown grant.", style="oauth")
UNKNOWN_REALM = Refusal(404, "NotFound", "realm_not_found", "Realm does not exist.", style="oauth")
IDENTITY_DOWN = Refusal(503, "ServiceUnavailable", "unavailable", "Unavailable", style="text")

ACCESS_DENIED = store_error(403, "AccessDenied")
TOO_LARGE = store_error(400, "EntityTooLarge")
SLOW_DOWN = store_error(503, "SlowDown")


class RefusedError(Exception):
    """Raised to answer a request with `refusal`, and with `headers` on top of its own."""

    def __init__(self, refusal: Refusal, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{refusal.status} {refusal.code}")
        self.refusal = refusal
        self.headers = headers or {}


def bad_request(details: str) -> Refusal:
    """400 for a body that cannot be used; `details` says what is wrong with it."""
    return Refusal(400, "BadRequestError", "INFERENCE_0000_BAD_REQUEST", details)


FILE_NOT_ALLOWED = bad_request("file_name is not allowed.")
LOGIN_PAGE = Refusal(200, "", "", "Sign in.", style="html", known=True)


def too_long(limit: int, tokens: int) -> Refusal:
    """400 for a prompt of `tokens` tokens where `limit` are allowed: never 413."""
    details = (
        f"Input tokens exceed the configured limit of {limit} tokens. "
        f"Your messages resulted in {tokens} tokens. Please reduce the length of the messages."
    )
    return Refusal(400, "BadRequestError", "INFERENCE_6001_LLM_MODEL_BAD_REQUEST", details, known=True)
