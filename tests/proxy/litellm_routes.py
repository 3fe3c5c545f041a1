"""Every address of LiteLLM's app, told by a running proxy in its log.

A hook that LiteLLM runs when it starts (LITELLM_WORKER_STARTUP_HOOKS), so that no test has to import its server.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

_START = "routes of litellm: "


def write() -> None:
    """Log every method and path; WEBSOCKET and MOUNT count as methods."""
    from litellm.proxy._lazy_features import register_all_features
    from litellm.proxy.proxy_server import app

    register_all_features(app)
    print(_START + json.dumps(sorted(set(_addresses(app.routes)))), flush=True)  # noqa: T201


def read(log: str) -> list[tuple[str, str]]:
    """Method and path of every address in the log of a proxy that ran `write`."""
    line = next(line for line in log.splitlines() if line.startswith(_START))
    return [(method, path) for method, path in json.loads(line.removeprefix(_START))]


def _addresses(routes: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for route in routes:
        if hasattr(route, "effective_candidates"):  # a router that was included
            yield from _addresses(route.effective_candidates())
            continue
        kind = "WEBSOCKET" if "WebSocket" in type(route).__name__ else "MOUNT"
        for method in getattr(route, "methods", None) or [kind]:
            yield method, route.path
