"""The quota as clients of a real proxy see it: of one process, and of four that share a Redis."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from custom_handler import settings
from custom_handler.markers import render_call
from emulator import Emulator, Options, Reply
from tests.conftest import settings_at
from tests.support.program import ROOT
from tests.support.proxy import ProxyProcess, free_port
from tests.support.redis_server import RedisServer
from tests.support.redis_server import needed as redis_server_needed

PER_MINUTE, AT_ONCE = (int(setting.default or 0) for setting in (settings.MAX_RPM, settings.MAX_CONCURRENT))
CLIENTS, EACH = 10, 30
#: Of a stream, comments included; so a test of what never comes ends.
MOST_LINES = 500
#: Accounts of their own, so that no test waits for the quota that another has used up.
ACCOUNTS = ("NARROW", "REFUSED", "IMPATIENT")
CREDENTIALS = ("CLIENT_ID", "CLIENT_SECRET", "REALM")
CHAT = {"model": "stackspot/chat"}
MORE_MODELS = [
    {"model_name": "narrow", "litellm_params": CHAT, "model_info": {"account": "narrow", "max_concurrent": 1}},
    {"model_name": "refused", "litellm_params": CHAT, "model_info": {"account": "refused"}},
    {"model_name": "impatient", "litellm_params": {**CHAT, "timeout": 5}, "model_info": {"account": "impatient"}},
]


@dataclass(frozen=True, slots=True)
class Running:
    """Proxies with the default limits, and a StackSpot that allows 100 requests a minute.

    Attributes:
        minute: seconds that a minute lasts.
        arrivals: where the provider notes who comes.
    """

    proxies: list[ProxyProcess]
    emulator: Emulator
    minute: float
    arrivals: Path

    def queues(self) -> dict[tuple[str, str], list[str]]:
        """The prompts of each caller at each process, as they came."""
        queues: dict[tuple[str, str], list[str]] = {}
        for line in self.arrivals.read_text().splitlines():
            process, caller, prompt = line.split(" ", 2)
            queues.setdefault((process, caller), []).append(prompt)
        return queues


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One process."""
    with started(tmp_path_factory.mktemp("alone"), 1) as running:
        yield running


@pytest.fixture(scope="module")
def sharing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Four processes and a Redis."""
    redis_server_needed()
    folder = tmp_path_factory.mktemp("sharing")
    redis_server = RedisServer(folder)
    with started(folder, 4, REDIS_URL=redis_server.url) as running:
        yield running
    redis_server.stop()


@contextmanager
def started(folder: Path, count: int, **env: str) -> Iterator[Running]:
    """So many proxies, and the emulator that they ask."""
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        port = free_port()
        env |= _environment(folder, f"http://127.0.0.1:{port}")
        began = time.monotonic()
        starting = [pool.submit(ProxyProcess, _config(folder / str(number)), env) for number in range(count)]
        for each in starting:
            stack.callback(_stop, each)
        proxies = [each.result() for each in starting]
        # Not the processors are to be measured, so the minute lasts the longer, the slower they are today.
        minute = max(12.0, (time.monotonic() - began) * 3 / (2 + count))
        (folder / "minute").write_text(str(minute))
        emulator = stack.enter_context(Emulator(Options(port=port, clock_speed=60 / minute, token_lifetime=1e9)))
        yield Running(proxies, emulator, minute, folder / "arrivals")


def _environment(folder: Path, stackspot: str) -> dict[str, str]:
    return {
        **settings_at(stackspot),
        **{f"STACKSPOT_{name}_{what}": name.lower() for name in ACCOUNTS for what in CREDENTIALS},
        "MINUTE": str(folder / "minute"),
        "ARRIVALS": str(folder / "arrivals"),
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }


def _config(folder: Path) -> Path:
    """The product's configuration, with the fast provider, and soon with comments in silent streams."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))
    config["model_list"] += MORE_MODELS
    litellm_settings = config["litellm_settings"]
    litellm_settings["custom_provider_map"][0]["custom_handler"] = "tests.support.fast_provider.fast_stackspot"
    litellm_settings["sse_keepalive_ping_interval_seconds"] = 0.5
    litellm_settings["anthropic_sse_ping_interval_seconds"] = 0.5
    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    return folder / "config.yaml"


def _stop(started: Future[ProxyProcess]) -> None:
    started.result().stop()


def body(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "stackspot-chat", "messages": [{"role": "user", "content": text}], **more}


class Clients:
    """They ask the proxies in turn, each with a key of its own, and never ask again."""

    def __init__(self, running: Running) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        self.http = httpx.AsyncClient(trust_env=False, timeout=600, limits=limits, verify=False)  # noqa: S501 - no TLS
        self._urls = cycle(f"{proxy.url}/v1/chat/completions" for proxy in running.proxies)

    async def ask(self, client: int, text: str) -> httpx.Response:
        key = {"Authorization": f"Bearer client-{client}"}
        return await self.http.post(next(self._urls), json=body(text), headers=key)


#: Address, body, and what the text is in a stream's events, for each kind of request.
QUESTION = [{"role": "user", "content": "hi"}]
ENDPOINTS: dict[str, tuple[dict[str, Any], re.Pattern[str]]] = {
    "/v1/chat/completions": ({"messages": QUESTION}, re.compile(r'"content": ?"([^"]*)"')),
    "/v1/responses": ({"input": "hi"}, re.compile(r'"delta": ?"([^"]*)"')),
    "/v1/messages": ({"messages": QUESTION, "max_tokens": 100}, re.compile(r'"text_delta", ?"text": ?"([^"]*)"')),
}


def read_pings(lines: Iterator[str], count: int = 1, behind: str = "") -> str:
    """Read until so many comments (Anthropic's are events) have come behind a line with `behind`; what was read."""
    read: list[str] = []
    pings = 0
    while pings < count:
        read.append(next(lines))
        pings += read[-1] in (": ping", "event: ping") and behind in "".join(read)
        assert len(read) < MOST_LINES, read
    return "\n".join(read)


def check_that_a_waiting_stream_gets_comments(running: Running, path: str) -> None:
    running.emulator.reset()
    running.emulator.script(Reply("first answer", hold=True), Reply("second answer"))
    given, text = ENDPOINTS[path]
    first, last = running.proxies[0].url, running.proxies[-1].url
    with ThreadPoolExecutor() as pool, httpx.Client(trust_env=False, timeout=60) as http:
        before = pool.submit(http.post, f"{first}/v1/chat/completions", json=body("hi", model="narrow"))
        running.emulator.wait_for(lambda e: e.chats[0].held, 30)
        with http.stream("POST", last + path, json={**given, "model": "narrow", "stream": True}) as answer:
            lines = answer.iter_lines()
            read_pings(lines, 2)
            assert len(running.emulator.chats) == 1, "the second question is not asked yet"
            running.emulator.release()
            events = "\n".join(lines)
        assert before.result().json()["choices"][0]["message"]["content"] == "first answer"
    assert "".join(text.findall(events)) == "second answer"


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_stream_that_waits_gets_comments_and_then_the_right_answer(alone: Running, path: str) -> None:
    check_that_a_waiting_stream_gets_comments(alone, path)


def test_a_stream_that_waits_for_another_process_does_so_too(sharing: Running) -> None:
    check_that_a_waiting_stream_gets_comments(sharing, "/v1/chat/completions")


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS: dict[str, Any] = {
    "/v1/chat/completions": [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}],
    "/v1/responses": [{"type": "function", "name": "get_weather", "parameters": SCHEMA}],
    "/v1/messages": [{"name": "get_weather", "input_schema": SCHEMA}],
}


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_stream_that_has_begun_gets_comments_too_while_its_follow_up_waits(alone: Running, path: str) -> None:
    alone.emulator.reset()
    bad_call, good_call = (render_call("get_weather", given) for given in ("{}", '{"city": "Lisboa"}'))
    first = Reply(f"Vou ver.\n{bad_call}", hold=True, chunk=1000)  # in one piece, as it is looked for in what comes
    alone.emulator.script(first, Reply("answer", hold=True), Reply(good_call))
    given, _ = ENDPOINTS[path]
    url, begun = alone.proxies[0].url, {**given, "model": "narrow", "stream": True, "tools": TOOLS[path]}
    other = body("hi", model="narrow", stream=True)
    with httpx.Client(trust_env=False, timeout=60) as http, http.stream("POST", url + path, json=begun) as answer:
        alone.emulator.wait_for(lambda e: e.chats[0].held, 30)
        with http.stream("POST", f"{url}/v1/chat/completions", json=other) as between:
            waiting = between.iter_lines()
            read_pings(waiting)
            alone.emulator.release()
            alone.emulator.wait_for(lambda e: e.chats[1].held, 30)
            lines = answer.iter_lines()
            read_pings(lines, behind="Vou ver.")
            assert len(alone.emulator.chats) == 2, "the follow-up is not asked yet"
            alone.emulator.release()
            assert "Lisboa" in "".join(lines)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_callers_are_told_apart_on_every_address(alone: Running, path: str) -> None:
    alone.emulator.reset()
    alone.arrivals.unlink(missing_ok=True)
    forged = {"user_api_key_hash": "somebody else's", "deployment_model_name": "another", "user_id": "me"}
    url = alone.proxies[0].url + path
    question = {**ENDPOINTS[path][0], "model": "refused", "metadata": forged}
    for key in ("one", "two", "one"):
        answer = httpx.post(url, json=question, headers={"Authorization": f"Bearer {key}"}, trust_env=False)
        assert answer.is_success
    assert sorted(map(len, alone.queues().values())) == [1, 2]


@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_of_the_service_is_waited_for(alone: Running, stream: bool) -> None:
    alone.emulator.reset()
    alone.emulator.script(Reply(fault="rate_limited"), Reply("answer"))
    url = f"{alone.proxies[0].url}/v1/chat/completions"
    answer = httpx.post(url, json=body("hi", model="refused", stream=stream), trust_env=False, timeout=60)
    assert answer.status_code == 200
    assert '"content":"answer"' in answer.text
    assert [chat.status for chat in alone.emulator.chats] == [429, 200]


@pytest.mark.parametrize("stream", [False, True])
def test_who_cannot_wait_that_long_is_told_when_to_come_back(alone: Running, stream: bool) -> None:
    alone.emulator.reset()
    alone.emulator.script(Reply(fault="rate_limited", headers={"Retry-After": "3600"}))
    url = f"{alone.proxies[0].url}/v1/chat/completions"
    answer = httpx.post(url, json=body("hi", model="impatient", stream=stream), trust_env=False, timeout=60)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 60
    assert '"code": "rate_limit_exceeded"' in answer.text.replace('":"', '": "')
    assert "realm 'impatient'" in answer.text


@pytest.mark.parametrize("name", ["alone", "sharing"])
async def test_three_hundred_requests_at_once_are_served_in_the_time_that_the_quota_allows(
    request: pytest.FixtureRequest, name: str
) -> None:
    running: Running = request.getfixturevalue(name)
    # The window slides, so each 90 begin a minute after the 90 before: the last 30 of 300 after three minutes.
    most = 1.1 * ((CLIENTS * EACH - 1) // PER_MINUTE)
    minutes = await minutes_to_serve_all(running)
    if minutes > most:  # somebody else needed the processors; or else it takes as long once more
        minutes = await minutes_to_serve_all(running)
    assert minutes <= most


async def minutes_to_serve_all(running: Running) -> float:
    """Ask everything at once. Whatever the time, everybody is answered, in order and in turn."""
    clients = Clients(running)
    async with clients.http:
        running.emulator.reset()
        for _ in running.proxies:  # the first request of a process takes seconds
            (await clients.ask(0, "hello")).raise_for_status()
        running.emulator.reset()
        running.arrivals.unlink()
        asked = [clients.ask(client, f"{client}-{number}") for client in range(CLIENTS) for number in range(EACH)]
        began = time.monotonic()
        answers = await asyncio.gather(*asked)
        minutes = (time.monotonic() - began) / running.minute
    assert Counter(answer.status_code for answer in answers) == {200: CLIENTS * EACH}
    assert {chat.status for chat in running.emulator.chats} == {200}, "not even the proxy was refused"
    served = [chat.json["user_prompt"].split()[-1] for chat in running.emulator.chats]
    assert set(served) == {f"{client}-{number}" for number in range(EACH) for client in range(CLIENTS)}
    check_order(running, served)
    check_fairness(served)
    return minutes


def check_order(running: Running, served: list[str]) -> None:
    """What a client asked at a process was served as it came, but for the eight that are under way at once."""
    place = {prompt: number for number, prompt in enumerate(served)}
    queues = running.queues()
    assert len({caller for _, caller in queues}) == CLIENTS
    for queue in queues.values():
        places = [place[prompt] for prompt in queue]
        overtaken = (earlier - min(places[number:]) for number, earlier in enumerate(places))
        assert max(overtaken) < AT_ONCE


def check_fairness(served: list[str]) -> None:
    """Once all have come, which takes less than a minute, each client that waits has a turn in every round.

    A question comes to the service at most seven places before or behind its turn, for eight are under way at once.
    """
    most = CLIENTS + 2 * (AT_ONCE - 1)
    for client in range(CLIENTS):
        turns = [place for place, prompt in enumerate(served) if prompt.startswith(f"{client}-")]
        later = [PER_MINUTE, *(place for place in turns if place > PER_MINUTE)]
        assert all(turn - last <= most for last, turn in pairwise(later)), f"{client}: {turns}"
