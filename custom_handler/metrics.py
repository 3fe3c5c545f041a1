"""What Prometheus is told, each figure once.

Labels are bounded: a model's name as config.yaml has it, an account's realm, words of the tables below; never an id,
a key or text of a client. LiteLLM serves the figures under `/metrics`.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

#: Seconds, for waits that last from nothing to STACKSPOT_MAX_WAIT.
_WAITS = (0.005, 0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)

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
    "(all was sent although it did: too long, or refused), forgotten (it turned out that it did not)",
    ["outcome"],
)
UPLOADS = Counter(
    "agent_proxy_uploads_total",
    "Files of requests: sent to the service, reused from before, refused as a bad request, or failed",
    ["outcome"],
)
