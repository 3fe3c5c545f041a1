"""What a client sees when something fails: status, body, headers, and nothing that is not its business."""

from __future__ import annotations

import asyncio
import contextlib
import json
from http.client import HTTPConnection
from typing import Any

import httpx
import openai
import pytest

from emulator import Emulator, Reply
from tests.support.proxy import ProxyProcess
from tests.support.services import STACKSPOT, Served

HI: Any = [{"role": "user", "content": "a-secret-prompt"}]

#: What must never reach a client: our files, our secrets, the prompt, another program's traces.
LEAKS = (
    "Traceback",
    ".py",
    "emulated-secret",
    "emulated-fusion-key",
    "a-secret-prompt",
    "site-packages",
    "eyJ",
    "litellm.",
)


def body(service: Served = STACKSPOT, **given: Any) -> dict[str, Any]:
    return {"model": service.model, "messages": HI, **given}


def error_of(response: httpx.Response) -> dict[str, Any]:
    """The error of an answer, streamed or not."""
    text = response.text.partition("data: ")[2].partition("\n")[0] if "data: " in response.text else response.text
    error = json.loads(text)["error"]
    assert isinstance(error, dict)
    return error


FAULTS = {
    "forbidden": (403, "agent_refused", "refused agent"),
    "too_long": (400, "context_length_exceeded", "272000 tokens"),
    "not_found": (400, "invalid_request", "404"),
    "unprocessable": (400, "invalid_request", "422"),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
def test_each_refusal_of_the_service_has_its_status_and_code(
    http: httpx.Client, emulator: Emulator, fault: str, stream: bool, service: Served
) -> None:
    status, code, words = FAULTS[fault]
    emulator.script(Reply(fault=fault))
    response = http.post("/v1/chat/completions", json=body(service, stream=stream), headers={"correlation-id": "abc"})
    assert response.status_code == status
    assert response.headers["correlation-id"] == "abc"
    error = error_of(response)
    assert error["code"] == code
    assert words in error["message"]
    assert isinstance(error["type"], str)
    assert not any(leak in response.text for leak in LEAKS)


def test_what_stays_broken_is_told_after_three_more_tries(
    http: httpx.Client, emulator: Emulator, service: Served
) -> None:
    emulator.script(*[Reply(fault=fault) for fault in ("server_error", "bad_gateway", "drop_before", "unavailable")])
    response = http.post("/v1/chat/completions", json=body(service))
    assert response.status_code == 503
    assert error_of(response)["code"] == "upstream_unavailable"
    assert len(emulator.chats) == 4


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_is_cut_is_an_error_and_never_an_end(
    http: httpx.Client, emulator: Emulator, stream: bool, service: Served
) -> None:
    emulator.script(Reply("Hello, world", fault="drop_in_stream", after=6, chunk=2))
    response = http.post("/v1/chat/completions", json=body(service, stream=stream))
    assert error_of_last_event(response)["code"] == "upstream_broken_answer"
    assert 'finish_reason":"' not in response.text
    assert response.status_code == (200 if stream else 502)
    assert not any(leak in response.text for leak in LEAKS)


def error_of_last_event(response: httpx.Response) -> dict[str, Any]:
    """The error of an answer, or of the last event of a stream."""
    events = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: {")]
    error = json.loads(events[-1] if events else response.text)["error"]
    assert isinstance(error, dict)
    return error


@pytest.mark.parametrize("fault", ["error_event", "error_type", "error_object", "error_text"])
def test_an_error_inside_the_stream_is_an_error_event(
    http: httpx.Client, emulator: Emulator, fault: str, service: Served
) -> None:
    emulator.script(Reply("Hello, world", fault=fault, after=6, chunk=2))
    response = http.post("/v1/chat/completions", json=body(service, stream=True))
    assert '"content":"He' in response.text
    assert error_of_last_event(response)["code"] == "upstream_broken_answer"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"temperature": "hot"}, "temperature"),
        ({"tools": "x"}, "tools"),
        ({"tools": [{"type": "function", "function": {"name": 5}}]}, "tools[0].function.name"),
        ({"tool_choice": {"type": "function", "function": {"name": "x"}}}, "tool_choice"),
    ],
)
def test_bad_requests_are_refused_by_the_name_of_the_field(
    http: httpx.Client, emulator: Emulator, change: dict[str, Any], param: str
) -> None:
    response = http.post("/v1/chat/completions", json=body(**change))
    assert response.status_code == 400
    error = error_of(response)
    assert error["param"] == param
    assert param in error["message"]
    assert error["type"] == "invalid_request_error"
    assert not emulator.chats


def test_a_model_that_does_not_exist_is_a_404_that_says_what_does(http: httpx.Client) -> None:
    response = http.post("/v1/chat/completions", json=body(model="gpt-9"))
    assert response.status_code == 404
    served = "fusion-chat, fusion/<agent id>, librarian, reviewer, short, stackspot-chat, stackspot/<agent id>"
    assert served in error_of(response)["message"]


def test_wrong_credentials_are_a_401_that_names_the_realm(
    client: openai.OpenAI, emulator: Emulator, proxy: ProxyProcess
) -> None:
    emulator.revoke_tokens()
    emulator.script(Reply(fault="identity_refused"))
    with pytest.raises(openai.AuthenticationError, match="realm 'emulated'") as refusal:
        client.chat.completions.create(model="stackspot-chat", messages=HI)
    assert "emulated-secret" not in str(refusal.value)
    assert "emulated-secret" not in proxy.log_text()
    # The identity service is left alone for a moment; the next request waits for it.
    asyncio.run(until_answered(client))


async def until_answered(client: openai.OpenAI) -> None:
    """Ask until the proxy is signed in again."""
    for _ in range(50):
        with contextlib.suppress(openai.AuthenticationError):
            client.chat.completions.create(model="stackspot-chat", messages=HI)
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the proxy does not sign in again")


@pytest.mark.parametrize("fault", ["unauthorized_once", "expired_token"])
def test_a_token_that_is_refused_once_is_not_seen(client: openai.OpenAI, emulator: Emulator, fault: str) -> None:
    emulator.script(Reply(fault=fault), Reply("ok"))
    answer = client.chat.completions.create(model="stackspot-chat", messages=HI)
    assert answer.choices[0].message.content == "ok"
    assert len(emulator.token_requests) == 1


async def ask_and_leave(url: str, emulator: Emulator, service: Served, *, stream: bool) -> None:
    """Send a request, wait until the agent is being asked, and hang up."""
    async with httpx.AsyncClient(trust_env=False) as client:
        request = asyncio.ensure_future(client.post(f"{url}/v1/chat/completions", json=body(service, stream=stream)))
        await asyncio.to_thread(emulator.wait_for, lambda e: bool(e.chats) and e.chats[0].held)
        request.cancel()
        await asyncio.to_thread(emulator.wait_for, lambda e: e.chats[0].disconnected, 1.0)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("reply", [Reply("Hello, world", hold=True), Reply("Hello, world", hold_after=5)])
async def test_a_client_that_leaves_ends_the_call_within_a_second(
    proxy: ProxyProcess, emulator: Emulator, reply: Reply, stream: bool, service: Served
) -> None:
    emulator.script(reply)
    await ask_and_leave(proxy.url, emulator, service, stream=stream)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/messages"])
def test_a_client_that_stops_reading_and_leaves_ends_the_call_too(
    proxy: ProxyProcess, emulator: Emulator, path: str, service: Served
) -> None:
    long = "word " * 1_000_000  # more than the buffers between the proxy and its client take
    emulator.script(Reply(long, chunk=10_000, hold_after=len(long) - 1))
    asked = {**body(service, stream=True), "input": "Hi", "max_tokens": len(long)}
    connection = HTTPConnection(proxy.url.removeprefix("http://"))
    connection.request("POST", path, json.dumps(asked), {"content-type": "application/json"})
    emulator.wait_for(lambda e: e.chats[0].held, timeout=20)
    connection.close()
    emulator.wait_for(lambda e: e.chats[0].disconnected, timeout=20)
    assert "exception was never retrieved" not in proxy.log_text(), proxy.log_text()[-9000:]


async def test_fifty_cold_requests_fetch_one_token_and_fifty_with_a_revoked_one_one_more(
    proxy: ProxyProcess, emulator: Emulator
) -> None:
    async def fifty() -> set[int]:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            url = f"{proxy.url}/v1/chat/completions"
            model = "stackspot/01CX5ZZKBKACTAV9WEVGEMMVRZ"
            answers = await asyncio.gather(*(client.post(url, json=body(model=model)) for _ in range(50)))
        return {answer.status_code for answer in answers}

    emulator.revoke_tokens()
    assert await fifty() == {200}
    assert len(emulator.token_requests) == 1
    emulator.revoke_tokens()
    assert await fifty() == {200}
    assert len(emulator.token_requests) == 2


def test_the_log_has_the_correlation_id_and_neither_secrets_nor_prompts(
    http: httpx.Client, emulator: Emulator, proxy: ProxyProcess, service: Served
) -> None:
    emulator.script(Reply(fault="forbidden"))
    http.post("/v1/chat/completions", json=body(service), headers={"correlation-id": "seen-in-the-log"})
    line = next(line for line in proxy.log_text().splitlines() if "seen-in-the-log" in line)
    assert "custom_handler.provider" in line
    assert "AgentRefusedError" in line
    for secret in ("emulated-secret", "payments-secret", "a-secret-prompt", "eyJ"):
        assert secret not in proxy.log_text()
