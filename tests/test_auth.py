"""Sign-in: one token for everybody, renewed early, and an identity service that is left in peace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import jwt
import pytest

from custom_handler import errors
from custom_handler.auth import BearerAuth, Token, TokenSource
from custom_handler.settings import Account, Connection
from custom_handler.transport import new_client
from emulator import Emulator, Options, Reply
from tests.conftest import AGENT
from tests.support.clock import Clock
from tests.support.figures import counted

ACCOUNT = Account("emulated", "id", "secret")


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[httpx.AsyncClient]:
    async with new_client(connection_to(emulator.url)) as running:
        yield running


def connection_to(url: str) -> Connection:
    return Connection(url, url, url, None, connect_timeout=5, read_timeout=5)


@pytest.fixture
def tokens(emulator: Emulator, client: httpx.AsyncClient, clock: Clock) -> TokenSource:
    return TokenSource(client, connection_to(emulator.url), ACCOUNT, clock)


async def fetched(tokens: TokenSource) -> None:
    """Wait for the fetch that is under way, whatever comes of it."""
    assert tokens._fetching is not None
    await asyncio.wait([tokens._fetching])


async def gather(tokens: TokenSource, count: int) -> list[Token | BaseException]:
    return await asyncio.gather(*(tokens.get() for _ in range(count)), return_exceptions=True)


async def test_the_request_is_the_one_of_client_credentials(emulator: Emulator, tokens: TokenSource) -> None:
    await tokens.get()
    (request,) = emulator.token_requests
    assert request.path == "/emulated/oidc/oauth/token"
    assert request.form == {"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret"}


async def test_any_number_of_waiters_cause_one_request(emulator: Emulator, tokens: TokenSource) -> None:
    with counted("agent_proxy_token_fetches_total", account="emulated", outcome="ok") as fetches:
        assert len(set(await gather(tokens, 50))) == 1
    assert len(emulator.token_requests) == 1
    assert fetches == [1]


async def test_a_fresh_token_is_kept_until_60_seconds_before_its_end(
    emulator: Emulator, tokens: TokenSource, clock: Clock
) -> None:
    first = await tokens.get()
    clock.now += 1199 - 61
    assert await tokens.get() == first
    assert len(emulator.token_requests) == 1


async def test_a_stale_token_is_used_while_one_new_one_is_fetched(
    emulator: Emulator, tokens: TokenSource, clock: Clock
) -> None:
    first = await tokens.get()
    clock.now += 1199 - 60
    assert await gather(tokens, 20) == [first] * 20
    await fetched(tokens)
    assert await tokens.get() != first
    assert len(emulator.token_requests) == 2


async def test_a_failed_early_renewal_is_harmless_and_not_repeated_at_once(
    emulator: Emulator, tokens: TokenSource, clock: Clock
) -> None:
    first = await tokens.get()
    clock.now += 1199 - 30
    emulator.script(Reply(fault="identity_down"))
    await tokens.get()
    await fetched(tokens)
    assert await gather(tokens, 20) == [first] * 20
    assert len(emulator.token_requests) == 2
    clock.now += 1
    await tokens.get()
    await fetched(tokens)
    assert await tokens.get() != first
    assert len(emulator.token_requests) == 3


async def test_a_burst_after_a_failure_does_not_reach_the_identity_service(
    emulator: Emulator, tokens: TokenSource, clock: Clock
) -> None:
    emulator.script(*[Reply(fault="identity_down")] * 3)
    for attempt, pause in enumerate([1, 2, 4], start=1):
        for outcome in await gather(tokens, 20) + await gather(tokens, 20):
            assert isinstance(outcome, errors.UnavailableError)
        assert len(emulator.token_requests) == attempt
        clock.now += pause
    assert isinstance((await gather(tokens, 1))[0], Token)


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ("identity_refused", errors.IdentityRefusedError, "realm 'emulated' (401)"),
        ("identity_down", errors.UnavailableError, "(503)"),
        ("identity_drop", errors.BrokenAnswerError, "identity service at 127.0.0.1"),
    ],
)
async def test_each_failure_says_what_and_where_and_never_the_secret(
    emulator: Emulator, tokens: TokenSource, fault: str, error: type[errors.BridgeError], words: str
) -> None:
    emulator.script(Reply(fault=fault))
    with (
        counted("agent_proxy_token_fetches_total", account="emulated", outcome=error.code) as failures,
        pytest.raises(error) as raised,
    ):
        await tokens.get()
    assert failures == [1]
    assert words in raised.value.message
    assert "secret" not in raised.value.message.replace("client secret", "")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(302, headers={"location": "/login"}), errors.UnreachableError),
        (httpx.Response(429), errors.RateLimitedError),
        (httpx.Response(404), errors.IdentityRefusedError),
        (httpx.Response(200, html="<html>Log in</html>"), errors.BrokenAnswerError),
        (httpx.Response(200, json=[]), errors.BrokenAnswerError),
        (httpx.Response(200, json={}), errors.BrokenAnswerError),
        (httpx.Response(200, json={"access_token": 5}), errors.BrokenAnswerError),
        (httpx.Response(200, json={"access_token": ""}), errors.BrokenAnswerError),
    ],
)
async def test_answers_that_are_no_token_are_errors(answer: httpx.Response, error: type[Exception]) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer)) as client:
        with pytest.raises(error):
            await TokenSource(client, connection_to("http://idm"), ACCOUNT).get()


OPAQUE = "opaque-value"


@pytest.mark.parametrize(
    ("claims", "fields", "lifetime"),
    [
        (None, {"expires_in": 300}, 300),
        (None, {"expires_in": "300"}, 300),
        ({"exp": 500}, {"expires_in": 300}, 300),
        ({"exp": 500}, {}, 500),
        ({"exp": 500}, {"expires_in": None}, 500),
        ({"exp": 500}, {"expires_in": 0}, 500),
        (None, {}, 1199),
        (None, {"expires_in": "soon"}, 1199),
        ({"sub": "x"}, {}, 1199),
        ({"exp": -10}, {}, 1199),
    ],
)
async def test_the_lifetime_is_what_the_answer_says_else_what_the_token_says(
    claims: dict[str, Any] | None, fields: dict[str, object], lifetime: float, clock: Clock
) -> None:
    if claims and "exp" in claims:
        claims = {"exp": time.time() + claims["exp"]}
    value = jwt.encode(claims, "k" * 32) if claims else OPAQUE
    answer = httpx.Response(200, json={"access_token": value, **fields})
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer)) as client:
        token = await TokenSource(client, connection_to("http://idm"), ACCOUNT, clock).get()
    assert token.value == value
    assert token.expires_at - clock.now == pytest.approx(lifetime, abs=30)
    assert value not in repr(token)


async def test_a_token_that_lives_shortly_is_renewed_at_half_its_life(clock: Clock) -> None:
    assert Token.living("t", 40, clock.now).renew_at == clock.now + 20


async def test_a_waiter_that_leaves_does_not_take_the_fetch_with_it(emulator: Emulator, tokens: TokenSource) -> None:
    leaving, staying = asyncio.ensure_future(tokens.get()), asyncio.ensure_future(tokens.get())
    await asyncio.sleep(0)
    leaving.cancel()
    assert isinstance(await staying, Token)
    assert len(emulator.token_requests) == 1


async def test_a_refused_token_is_renewed_once_for_all_requests_and_each_is_sent_again(
    emulator: Emulator, client: httpx.AsyncClient, tokens: TokenSource
) -> None:
    async def chat() -> int:
        url = f"{emulator.url}/v1/agent/{AGENT}/chat"
        return (await client.post(url, json={"user_prompt": "Hi"}, auth=BearerAuth(tokens))).status_code

    assert set(await asyncio.gather(*(chat() for _ in range(50)))) == {200}
    assert len(emulator.token_requests) == 1
    emulator.revoke_tokens()
    assert set(await asyncio.gather(*(chat() for _ in range(50)))) == {200}
    assert len(emulator.token_requests) == 2


async def test_a_token_that_is_refused_twice_is_refused(
    emulator: Emulator, client: httpx.AsyncClient, tokens: TokenSource
) -> None:
    emulator.script(*[Reply(fault="unauthorized_once")] * 2)
    url = f"{emulator.url}/v1/agent/{AGENT}/chat"
    with counted("agent_proxy_retries_total", code="identity_refused") as retries:
        response = await client.post(url, json={"user_prompt": "Hi"}, auth=BearerAuth(tokens))
    assert response.status_code == 401
    assert retries == [1]
    assert len(emulator.chats) == 2
    assert len(emulator.token_requests) == 2


async def test_wrong_credentials_are_refused_by_realm() -> None:
    with Emulator(Options(client_secret="right")) as emulator:
        connection = connection_to(emulator.url)
        async with new_client(connection) as client:
            with pytest.raises(errors.IdentityRefusedError, match="emulated"):
                await TokenSource(client, connection, ACCOUNT).get()
