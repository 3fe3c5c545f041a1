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
        admin: whether it answers to keys of administrators only.
        lists_models: whether its answer names models, of which a client sees those that its key may use.
        untouched: whether body and query are passed on as they are.
    """

    fields: frozenset[str] | None = None
    public: bool = False
    admin: bool = False
    lists_models: bool = False
    untouched: bool = False

    @property
    def reports(self) -> bool:
        """Whether it tells how the proxy is: an error status is then a part of its answer."""
        return self.fields is None and not self.lists_models and not self.untouched


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
_ADMIN = Route(admin=True)
_LIST = Route(lists_models=True)
_KEYS = Route(admin=True, untouched=True)

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
    ("GET", "/v1/models"): _LIST,
    ("GET", "/models"): _LIST,
    ("GET", "/v1/model/info"): _LIST,
    ("GET", "/model/info"): _LIST,
    ("GET", "/health"): _ADMIN,
    ("GET", METRICS[0]): _ADMIN,
    ("GET", METRICS[1]): _ADMIN,
    ("GET", "/health/liveliness"): _PUBLIC,
    ("GET", "/health/liveness"): _PUBLIC,
    ("GET", READINESS): _PUBLIC,
    ("GET", HOME): _PUBLIC,
    ("HEAD", HOME): _PUBLIC,
}

#: Where LiteLLM manages the keys, when it has a database.
KEY_ROUTES: dict[tuple[str, str], Route] = {
    ("POST", "/key/generate"): _KEYS,
    ("POST", "/key/update"): _KEYS,
    ("POST", "/key/block"): _KEYS,
    ("POST", "/key/unblock"): _KEYS,
    ("POST", "/key/delete"): _KEYS,
    ("GET", "/key/info"): _KEYS,
    ("GET", "/key/list"): _KEYS,
}


def find(method: str, path: str, *, with_database: bool = False) -> Route:
    """The route of a request.

    Raises:
        UnknownRouteError: there is no such method and path.
    """
    served_here = ROUTES | KEY_ROUTES if with_database else ROUTES
    route = served_here.get((method, path))
    if route is None:
        served = ", ".join(sorted({f"{verb} {known}" for verb, known in ROUTES if known.startswith("/v1/")}))
        raise UnknownRouteError(f"{method} {path:.200} is not served here. This proxy serves {served}.")
    return route
