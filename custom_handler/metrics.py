"""What Prometheus is told, each figure once, and how it reads them.

Labels are bounded: a model's name as config.yaml has it, an account's name, codes of `errors`, words of the tables
below; never an id, a key or text of a client. Whoever does something counts it in one line; `measuring` does it for
the requests.
"""

from __future__ import annotations

import os

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from custom_handler.errors import BridgeError

#: Seconds, for waits that last from nothing to STACKSPOT_MAX_WAIT.
_WAITS = (0.005, 0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
#: Seconds. An agent writes its first word after 1.5 to 8 s as a rule, once after 97; whole answers take minutes.
_ANSWERS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600)

OK, CANCELLED = "ok", "cancelled"

REQUESTS = Counter(
    "agent_proxy_requests_total",
    "Requests to a model that have ended, by how: ok, cancelled (the client left), or the code of the error",
    ["model", "outcome"],
)
REQUESTS_IN_FLIGHT = Gauge(
    "agent_proxy_requests_in_flight",
    "Requests to a model that have not ended yet, those that wait for the quota among them",
    multiprocess_mode="livesum",
)
DURATION = Histogram(
    "agent_proxy_request_duration_seconds",
    "Seconds from the beginning of a request to the end of its answer",
    ["model", "outcome"],
    buckets=_ANSWERS,
)
FIRST_TOKEN = Histogram(
    "agent_proxy_time_to_first_token_seconds",
    "Seconds from the beginning of a request to the first piece of text or of a call that the client got",
    ["model", "outcome"],
    buckets=_ANSWERS,
)
TOKENS = Counter(
    "agent_proxy_tokens_total",
    "Tokens of requests (direction prompt) and of answers (completion), follow-ups included",
    ["model", "outcome", "direction"],
)
TOOL_CALLS = Counter(
    "agent_proxy_tool_calls_total",
    "Tool calls that clients got",
    ["model"],
)
REPAIRS = Counter(
    "agent_proxy_repairs_total",
    "Mended parts of answers (call, or value for response_format): syntax that was no JSON, values that did not fit "
    "the schema",
    ["part", "kind"],
)
FOLLOW_UPS = Counter(
    "agent_proxy_follow_ups_total",
    "Hidden questions to an agent, by what was wrong: broken_call, no_call, announcement, empty_answer, bad_value",
    ["reason"],
)
RETRIES = Counter(
    "agent_proxy_retries_total",
    "Questions to an agent that were asked again because nothing had come of them, by the code of the error",
    ["code"],
)
TOKEN_FETCHES = Counter(
    "agent_proxy_token_fetches_total",
    "Sign-ins at the identity service, by how they ended: ok, or the code of the error",
    ["account", "outcome"],
)
REFUSALS = Counter(
    "agent_proxy_refusals_total",
    "Requests that were refused before a model was asked, by the code of the error: a wrong key, address, field",
    ["code"],
)
QUEUE_WAIT = Histogram(
    "agent_proxy_queue_wait_seconds",
    "Seconds that a question to an agent waited for the account's quota",
    ["account"],
    buckets=_WAITS,
)
QUEUE_DEPTH = Gauge(
    "agent_proxy_queue_depth",
    "Questions of this worker that wait for the account's quota",
    ["account"],
    multiprocess_mode="livesum",
)
QUOTA_BUDGET = Gauge(
    "agent_proxy_quota_budget",
    "Questions a minute that the account's quota lets begin, as the worker last knew",
    ["account"],
    multiprocess_mode="livemin",
)
QUOTA_EPISODES = Counter(
    "agent_proxy_quota_episodes_total",
    "Times that the service began to refuse questions for the account's quota (429)",
    ["account"],
)
QUEUE_REFUSALS = Counter(
    "agent_proxy_queue_refusals_total",
    "Questions that were refused because they would have waited for the quota longer than they may",
    ["account"],
)
CONVERSATIONS = Counter(
    "agent_proxy_conversations_total",
    "Answered requests with a correlation id, by whether the agent remembered the turns before: hit, new, restarted "
    "(it remembered, but all was sent again: too long, or refused), forgotten (it should have, and did not)",
    ["outcome"],
)
UPLOADS = Counter(
    "agent_proxy_uploads_total",
    "Files of requests: sent to the service, reused from before, refused as a bad request, or failed",
    ["outcome"],
)


def outcome_of(error: BaseException | None) -> str:
    """What a label says of an end: `ok` for no error, else its code."""
    if error is None:
        return OK
    return error.code if isinstance(error, BridgeError) else BridgeError.code


def exposition(accept: str) -> tuple[str, bytes]:
    """Content type and text of all figures of this process, or of all workers; it reads files, so not in the loop.

    Args:
        accept: the header in which Prometheus says what it reads.
    """
    encode, content_type = choose_encoder(accept)
    return content_type, encode(_registry())


def _registry() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
