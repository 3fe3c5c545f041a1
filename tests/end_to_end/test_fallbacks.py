"""One service takes over where the other fails, with the line that config.yaml has for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from custom_handler.markers import render_call
from emulator import Emulator, Options, Reply
from tests.conftest import settings_for
from tests.support.program import ROOT
from tests.support.proxy import ProxyProcess
from tests.support.services import FUSION, STACKSPOT, Served

HI: Any = [{"role": "user", "content": "Hi"}]
TOOLS: Any = [{"type": "function", "function": {"name": "run", "parameters": {"type": "object"}}}]
_LINE = re.compile(r"^  # (fallbacks: )", re.MULTILINE)


@pytest.fixture(scope="module")
def services() -> Iterator[Emulator]:
    """Both services."""
    with Emulator(Options(rpm=None)) as running:
        yield running


@pytest.fixture(scope="module")
def falling_back(tmp_path_factory: pytest.TempPathFactory, services: Emulator) -> Iterator[httpx.Client]:
    """The proxy with that line, without its comment sign."""
    config, count = _LINE.subn(r"  \1", (ROOT / "config.yaml").read_text("utf-8"))
    assert count == 1
    path = tmp_path_factory.mktemp("fallbacks") / "config.yaml"
    path.write_text(config, "utf-8")
    keyless = {"LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}
    proxy = ProxyProcess(path, {**settings_for(services), **keyless})
    with httpx.Client(base_url=proxy.url, trust_env=False, timeout=20) as client:
        yield client
    proxy.stop()


@pytest.fixture
def emulator(services: Emulator) -> Emulator:
    """The same, as if it had just started."""
    services.reset()
    return services


def asked(emulator: Emulator) -> list[Served]:
    """The services that were asked, one after the other."""
    return [FUSION if chat.fusion else STACKSPOT for chat in emulator.chats]


def text_of(answer: httpx.Response) -> str:
    """The text of an answer, streamed or not."""
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    if not events:
        return str(answer.json()["choices"][0]["message"]["content"])
    return "".join(choice["delta"].get("content") or "" for event in events for choice in event["choices"])


def other(service: Served) -> Served:
    return STACKSPOT if service is FUSION else FUSION


def test_a_service_takes_over_where_the_other_makes_no_call(
    falling_back: httpx.Client, emulator: Emulator, service: Served
) -> None:
    emulator.script(Reply("No."), Reply("No!"), Reply(render_call("run", '{"by": "the other"}')))
    body = {"model": service.model, "messages": HI, "tools": TOOLS, "tool_choice": "required"}
    answer = falling_back.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200
    assert r"{\"by\": \"the other\"}" in answer.text
    assert asked(emulator) == [service, service, other(service)]


@pytest.mark.parametrize("stream", [False, True])
def test_a_service_takes_over_where_the_other_refuses(
    falling_back: httpx.Client, emulator: Emulator, service: Served, stream: bool
) -> None:
    emulator.script(Reply(fault="forbidden"), Reply("from the other"))
    body = {"model": service.model, "messages": HI, "stream": stream}
    answer = falling_back.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200
    assert text_of(answer) == "from the other"
    assert asked(emulator) == [service, other(service)]


def test_a_service_takes_over_where_the_other_is_down(falling_back: httpx.Client, emulator: Emulator) -> None:
    emulator.script(*[Reply(fault="unavailable")] * 4, Reply("from the other"))
    body = {"model": STACKSPOT.model, "messages": HI, "stream": True}
    assert text_of(falling_back.post("/v1/chat/completions", json=body)) == "from the other"
    assert asked(emulator) == [STACKSPOT] * 4 + [FUSION]


def test_where_both_fail_the_client_is_told_of_one(
    falling_back: httpx.Client, emulator: Emulator, service: Served
) -> None:
    emulator.script(*[Reply(fault="forbidden")] * 2)
    answer = falling_back.post("/v1/chat/completions", json={"model": service.model, "messages": HI})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "agent_refused"
    assert asked(emulator) == [service, other(service)]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/messages"])
def test_an_answer_of_which_something_was_sent_is_not_taken_over(
    falling_back: httpx.Client, emulator: Emulator, service: Served, path: str
) -> None:
    emulator.script(Reply("word " * 4000, fault="drop_in_stream", after=18_000, chunk=100), Reply("from the other"))
    body = {"model": service.model, "messages": HI, "input": "Hi", "max_tokens": 9_000, "stream": True}
    answer = falling_back.post(path, json=body)
    assert "word" in answer.text
    assert "broke before the answer was complete" in answer.text
    assert "from the" not in answer.text
    assert asked(emulator) == [service]
