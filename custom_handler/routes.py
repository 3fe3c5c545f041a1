"""What the proxy serves, as a table: address → who may ask, and which fields of the body pass.

LiteLLM brings more than 700 other addresses: administration, pages, and pass-through to other vendors. None of
them belongs to this product, so whatever is not in this table does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass

from custom_handler.errors import UnknownRouteError


@dataclass(frozen=True, slots=True)
class Route:
    """One address.

    Attributes:
        fields: fields of the JSON body that are passed on; None for a request without a body.
        public: whether it answers without a key.
    """

    fields: frozenset[str] | None = None
    public: bool = False


_SAMPLING = frozenset({"temperature", "top_p", "stop", "n", "seed", "presence_penalty", "frequency_penalty"})
_STREAM = frozenset({"model", "stream", "stream_options", "user"})
_TOOLS = frozenset({"tools", "tool_choice", "parallel_tool_calls"})

_CHAT = Route(
    _STREAM
    | _SAMPLING
    | _TOOLS
    | {"messages", "max_tokens", "max_completion_tokens", "response_format", "logprobs", "top_logprobs"}
    | {"functions", "function_call"}
)
_COMPLETIONS = Route(_STREAM | _SAMPLING | {"prompt", "suffix", "max_tokens", "logprobs", "echo", "best_of"})
_RESPONSES = Route(
    _STREAM | _TOOLS | {"input", "instructions", "max_output_tokens", "temperature", "top_p", "text", "store"}
)
_MESSAGES = Route(
    frozenset({"model", "stream", "messages", "system", "max_tokens", "stop_sequences", "temperature", "top_p"})
    | {"tools", "tool_choice", "output_config", "output_format"}
)
_COUNT_TOKENS = Route(frozenset({"model", "messages", "system", "tools", "tool_choice"}))
_PUBLIC = Route(public=True)
_PRIVATE = Route()

#: Addresses that the gate answers itself. Clients ask for the first to see whether the server is there.
HOME = "/"
READINESS = "/health/readiness"
METRICS = ("/metrics", "/metrics/")

ROUTES: dict[tuple[str, str], Route] = {
    ("POST", "/v1/chat/completions"): _CHAT,
    ("POST", "/chat/completions"): _CHAT,
    ("POST", "/v1/completions"): _COMPLETIONS,
    ("POST", "/completions"): _COMPLETIONS,
    ("POST", "/v1/responses"): _RESPONSES,
    ("POST", "/responses"): _RESPONSES,
    ("POST", "/v1/messages"): _MESSAGES,
    ("POST", "/v1/messages/count_tokens"): _COUNT_TOKENS,
    ("GET", "/v1/models"): _PRIVATE,
    ("GET", "/models"): _PRIVATE,
    ("GET", "/v1/model/info"): _PRIVATE,
    ("GET", "/model/info"): _PRIVATE,
    ("GET", "/health"): _PRIVATE,
    ("GET", METRICS[0]): _PRIVATE,
    ("GET", METRICS[1]): _PRIVATE,
    ("GET", "/health/liveliness"): _PUBLIC,
    ("GET", "/health/liveness"): _PUBLIC,
    ("GET", READINESS): _PUBLIC,
    ("GET", HOME): _PUBLIC,
    ("HEAD", HOME): _PUBLIC,
}


def find(method: str, path: str) -> Route:
    """The route of a request.

    Raises:
        UnknownRouteError: the table has no such method and path.
    """
    route = ROUTES.get((method, path))
    if route is None:
        served = ", ".join(sorted({f"{verb} {known}" for verb, known in ROUTES if known.startswith("/v1/")}))
        raise UnknownRouteError(f"{method} {path:.200} is not served here. This proxy serves {served}.")
    return route
