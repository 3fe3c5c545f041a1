"""Tokens in place of a key: had once for all, renewed in time, and never shown."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from emulator import Emulator, Reply
from fusion_client import AuthenticationError, FusionClient, FusionError, NetworkError, ServerError, TokenProvider
from tests.fusion.callers import AGENT
from tests.fusion.conftest import StartCaller, StartEmulator
from tests.support.clock import Clock
from tests.support.proxy import free_port

SECRET = "refresh-me"


def provider(emulator: Emulator, **options: Any) -> TokenProvider:
    return TokenProvider("client", SECRET, f"{emulator.fusion_url}/auth/refresh", **options)


def answering(*answers: object, http_status: int = 200) -> httpx.AsyncClient:
    """A client whose requests are answered with these, one after the other."""
    left = iter(answers)
    return httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(http_status, json=next(left))))


@pytest.fixture
def keyless(start: StartEmulator) -> Emulator:
    """A Fusion that takes no key, so that only tokens are left."""
    return start(fusion_keys=())


def test_a_client_gets_its_token_by_client_id(keyless: Emulator, call: StartCaller) -> None:
    fusion = call(keyless, api_key=None, token_provider=provider(keyless))
    fusion.ask("send_message", AGENT, "hello")
    fusion.ask("send_message", AGENT, "hello")
    assert [one.json for one in keyless.token_requests] == [{"client_id": "client", "refresh_token": SECRET}]


async def test_all_who_wait_for_a_token_wait_for_one_request(keyless: Emulator) -> None:
    keyless.script(Reply(hold=True, hits="token"))
    async with FusionClient(token_provider=provider(keyless), base_url=keyless.fusion_url) as client:
        calls = [asyncio.create_task(client.send_message(AGENT, f"say {number}")) for number in range(20)]
        await asyncio.to_thread(keyless.wait_for, lambda one: one.token_requests[0].held)
        calls[0].cancel()
        keyless.release()
        answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(answer, asyncio.CancelledError) for answer in answers] == [True] + [False] * 19
    assert not any(isinstance(answer, FusionError) for answer in answers)
    assert len(keyless.token_requests) == 1


def test_a_token_that_is_refused_is_renewed_once_and_the_call_made_again(keyless: Emulator, call: StartCaller) -> None:
    fusion = call(keyless, api_key=None, token_provider=provider(keyless), max_retries=0)
    fusion.ask("list_agents")
    keyless.revoke_tokens()
    assert fusion.ask("send_message", AGENT, "hello").text
    keyless.script(*[Reply(fault="unauthorized_once")] * 2)
    with pytest.raises(AuthenticationError):
        fusion.ask("send_message", AGENT, "hello")
    assert len(keyless.token_requests) == 3


async def test_a_token_is_renewed_beside_the_calls_before_it_ends(keyless: Emulator, clock: Clock) -> None:
    tokens = provider(keyless, clock=clock)
    first = await tokens.token()
    clock.now += 1199 - 61
    assert await tokens.token() == first
    assert len(keyless.token_requests) == 1
    clock.now += 2
    assert await tokens.token() == first
    await renewed(tokens)
    assert await tokens.token() != first
    assert len(keyless.token_requests) == 2


async def test_a_failed_renewal_harms_nobody_while_the_token_holds(
    keyless: Emulator, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = provider(keyless, clock=clock)
    first = await tokens.token()
    keyless.script(*[Reply(fault="identity_down")] * 2)
    clock.now += 1199 - 30
    for _ in range(3):
        assert await tokens.token() == first
        await renewed(tokens)
    assert len(keyless.token_requests) == 2  # it rests for a while
    clock.now += 30
    with pytest.raises(ServerError, match="503"):
        await tokens.token()
    assert await tokens.token() != first
    assert "could not be renewed" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("fault", "kind"),
    {"identity_refused": AuthenticationError, "identity_down": ServerError, "identity_drop": NetworkError}.items(),
)
def test_without_a_token_a_call_fails_as_the_renewal_did(
    keyless: Emulator, call: StartCaller, fault: str, kind: type[FusionError]
) -> None:
    keyless.script(Reply(fault=fault))
    fusion = call(keyless, api_key=None, token_provider=provider(keyless), max_retries=0)
    with pytest.raises(kind) as caught:
        fusion.ask("send_message", AGENT, "hello")
    assert not caught.value.sent
    assert (caught.value.request_id is None) == (caught.value.status is None)
    assert SECRET not in repr(vars(caught.value)) + str(caught.value)
    assert not keyless.chats


def test_a_call_is_made_again_when_its_token_did_not_come(keyless: Emulator, call: StartCaller) -> None:
    keyless.script(Reply(fault="identity_down"), Reply(fault="identity_drop"))
    fusion = call(keyless, api_key=None, token_provider=provider(keyless))
    assert fusion.ask("send_message", AGENT, "hello").text


async def test_no_connection_is_told_with_where_it_should_have_gone() -> None:
    tokens = TokenProvider("client", SECRET, f"http://127.0.0.1:{free_port()}/auth/refresh")
    with pytest.raises(NetworkError, match=r"No connection to Fusion at 127\.0\.0\.1"):
        await tokens.token()


@pytest.mark.parametrize("answer", [None, "token", [], {}, {"access_token": None}, {"access_token": "line\nbreak"}])
async def test_an_answer_without_a_token_is_named(answer: object) -> None:
    async with answering(answer) as http:
        with pytest.raises(ServerError, match="answered without a token"):
            await TokenProvider("client", SECRET, "http://fusion.example", http_client=http).token()


@pytest.mark.parametrize("life", [None, "soon", 0, -1, "Infinity"])
async def test_a_token_without_an_end_is_renewed_after_five_minutes(life: object, clock: Clock) -> None:
    async with answering({"access_token": "a", "expires_in": life}, {"access_token": "b"}) as http:
        tokens = TokenProvider("client", SECRET, "http://fusion.example", http_client=http, clock=clock)
        assert await tokens.token() == "a"
        clock.now += 299
        assert await tokens.token() == "a"
        clock.now += 1
        assert await tokens.token() == "b"


async def test_a_new_refresh_token_replaces_the_old_one(clock: Clock) -> None:
    sent: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return httpx.Response(200, json={"access_token": "a", "expires_in": "9", "refresh_token": "next"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        tokens = TokenProvider("client", SECRET, "http://fusion.example", http_client=http, clock=clock)
        await tokens.token()
        clock.now += 9
        await tokens.token()
    assert SECRET.encode() in sent[0]
    assert b'"next"' in sent[1]


async def test_a_token_that_was_replaced_already_is_not_replaced_again(keyless: Emulator) -> None:
    tokens = provider(keyless)
    token = await tokens.token()
    assert tokens.refused("an older one")
    assert await tokens.token() == token


async def test_a_renewal_that_is_cancelled_with_the_loop_is_no_failure(
    keyless: Emulator, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = provider(keyless, clock=clock)
    await tokens.token()
    keyless.script(Reply(hold=True, hits="token"))
    clock.now += 1199 - 30
    await tokens.token()
    await asyncio.to_thread(keyless.wait_for, lambda one: one.token_requests[1].held)
    assert tokens._renewal is not None
    tokens._renewal.cancel()
    await renewed(tokens)
    keyless.release()
    assert not caplog.text


async def renewed(tokens: TokenProvider) -> None:
    """The renewal beside the calls is over, however it ended."""
    assert tokens._renewal is not None
    await asyncio.wait([tokens._renewal])
