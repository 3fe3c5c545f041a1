"""Several workers, as `make run WORKERS=2` starts them."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx

from tests.support.figures import Figures
from tests.support.made_run import MadeRun, made_run

#: Each worker signs in once, so this many tokens say that both have answered; a kernel that shares out connections by
#: chance is very unlikely to need so many.
WORKERS, MOST = 2, 200


def figures(run: MadeRun) -> Figures:
    """What one of the workers tells, whichever takes the connection."""
    return Figures(httpx.get(f"{run.proxy.base_url}/metrics", trust_env=False).text)


def ask(run: MadeRun) -> int:
    """One request over a connection of its own."""
    body = {"model": "stackspot-chat", "messages": [{"role": "user", "content": "hi"}]}
    return httpx.post(f"{run.base_url}/chat/completions", json=body, timeout=60, trust_env=False).status_code


def test_every_worker_tells_the_figures_of_all(tmp_path: Path) -> None:
    with made_run(tmp_path, WORKERS=str(WORKERS)) as run:
        asked = 0
        while figures(run).of("agent_proxy_token_fetches_total") < WORKERS and asked < MOST:
            assert ask(run) == 200
            asked += 1
        told = [figures(run) for _ in range(10)]
        assert {one.of("agent_proxy_token_fetches_total", outcome="ok") for one in told} == {WORKERS}
        assert {one.of("agent_proxy_requests_total", model="stackspot-chat", outcome="ok") for one in told} == {asked}
        assert {one.of("agent_proxy_request_duration_seconds_count") for one in told} == {asked}
        assert {one.of("agent_proxy_requests_in_flight") for one in told} == {0}
        run.program.send(signal.SIGTERM)
        assert run.program.end() == 0
