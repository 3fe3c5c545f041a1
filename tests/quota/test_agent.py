"""Asking an agent takes a turn: a try, another try, a follow-up. The service's own limit is the emulator's."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from itertools import pairwise
from typing import Any

import httpx
import pytest

from custom_handler.auth import BearerAuth, TokenSource
from custom_handler.errors import AgentRefusedError, RateLimitedError
from custom_handler.quota.account import AccountQuota
from custom_handler.quota.tickets import Limits
from custom_handler.quota.turns import Turns
from custom_handler.settings import Account, Connection
from custom_handler.transport import new_client
from custom_handler.upstream.base import Delta, Query
from custom_handler.upstream.stackspot import StackspotAgent
from custom_handler.upstream.stackspot_files import StackspotFiles
from custom_handler.upstream.uploads import Uploads
from emulator import Emulator, Options, Reply
from tests.conftest import AGENT
from tests.support.turn_taker import until

#: The realm and client that the tests and the others of the same account sign in as.
ACCOUNT = Account("emulated", "client", "secret")


class Asker:
    """Asks one agent of the emulator, as any client."""

    def __init__(self, emulator: Emulator, limits: Limits, minute: float = 60.0) -> None:
        connection = Connection(emulator.url, emulator.url, emulator.url, None, connect_timeout=5, read_timeout=20)
        self.quota = AccountQuota(ACCOUNT.realm, limits, minute)
        self.http = new_client(connection)
        auth = BearerAuth(TokenSource(self.http, connection, ACCOUNT))
        uploads = Uploads(StackspotFiles(self.http, connection, auth), ACCOUNT)
        self._agent = StackspotAgent(self.http, connection, auth, AGENT, Turns(self.quota), uploads)

    def agent(self, client: str = "", **limits: Any) -> StackspotAgent:
        """The agent as `client` asks it."""
        return replace(self._agent, turns=Turns(self.quota, client=client, **limits))

    async def ask(self, prompt: str, client: str = "", *, follow_up: bool = False, **limits: Any) -> str:
        """The text of one answer."""
        query = Query(prompt, follow_up=follow_up)
        async with aclosing(self.agent(client, **limits).stream(query)) as pieces:
            return "".join([piece.text async for piece in pieces if isinstance(piece, Delta)])


@pytest.fixture
async def asker(emulator: Emulator) -> AsyncIterator[Asker]:
    """One that asks one question at a time."""
    asker = Asker(emulator, Limits(per_minute=1000, at_once=1))
    async with asker.http:
        yield asker


async def when(emulator: Emulator, count: int) -> None:
    """Wait until so many questions have come, and the last one is held."""
    await asyncio.to_thread(emulator.wait_for, lambda e: len(e.chats) == count and e.chats[-1].held)


def prompts(emulator: Emulator, status: int = 200) -> list[str]:
    return [chat.json["user_prompt"] for chat in emulator.chats if chat.status == status]


# A turn lasts as long as its answer


async def test_a_question_waits_until_the_answer_before_has_ended(emulator: Emulator, asker: Asker) -> None:
    emulator.script(Reply("first answer", hold_after=5), Reply("second answer"))
    tasks = [asyncio.create_task(asker.ask(name)) for name in ("first", "second")]
    await when(emulator, 1)
    assert not tasks[0].done()
    assert asker.quota.waiting
    emulator.release()
    assert await asyncio.gather(*tasks) == ["first answer", "second answer"]


async def test_an_answer_that_is_left_has_ended(emulator: Emulator, asker: Asker) -> None:
    emulator.script(Reply("first answer", hold_after=5), Reply("second answer"))
    pieces = asker.agent().stream(Query("first"))
    await anext(pieces)
    second = asyncio.create_task(asker.ask("second"))
    await asyncio.sleep(0)
    assert asker.quota.waiting
    await pieces.aclose()
    assert await second == "second answer"


async def test_an_answer_that_fails_has_ended(emulator: Emulator, asker: Asker) -> None:
    emulator.script(Reply(fault="forbidden"), Reply("second answer"))
    with pytest.raises(AgentRefusedError):
        await asker.ask("first")
    assert await asker.ask("second") == "second answer"


async def test_a_client_that_leaves_while_its_question_waits_asks_nothing(emulator: Emulator, asker: Asker) -> None:
    emulator.script(Reply("first answer", hold=True), Reply("third answer"))
    first, second, third = (asyncio.create_task(asker.ask(name)) for name in ("first", "second", "third"))
    await when(emulator, 1)
    second.cancel()
    emulator.release()
    assert [await first, await third] == ["first answer", "third answer"]
    assert prompts(emulator) == ["first", "third"]


async def test_every_try_takes_a_turn_and_a_question_that_is_tried_again_goes_first(
    emulator: Emulator, asker: Asker
) -> None:
    emulator.script(Reply(fault="unavailable"), Reply("b", hold=True))
    tasks = [asyncio.create_task(asker.ask(name)) for name in "abc"]
    await when(emulator, 2)
    await until(lambda: len(asker.quota.core.waiting) == 2)
    emulator.release()
    await asyncio.gather(*tasks)
    assert [chat.json["user_prompt"] for chat in emulator.chats] == ["a", "b", "a", "c"]
    assert len(asker.quota.core._account.starts) == 4


async def test_a_follow_up_goes_before_questions_that_came_earlier(emulator: Emulator, asker: Asker) -> None:
    emulator.script(Reply("a", hold=True))
    tasks = [asyncio.create_task(asker.ask(name)) for name in "abc"]
    await when(emulator, 1)
    tasks.append(asyncio.create_task(asker.ask("follow up", follow_up=True)))
    await asyncio.sleep(0)
    emulator.release()
    await asyncio.gather(*tasks)
    assert prompts(emulator) == ["a", "follow up", "b", "c"]


# The service says no

SPEED = 150.0  # a minute of the emulator lasts 0.4 s


def fast(rpm: int, **options: object) -> Emulator:
    return Emulator(Options(rpm=rpm, clock_speed=SPEED, token_lifetime=1e9, **options))  # type: ignore[arg-type] # of Options


@pytest.mark.parametrize("retry_after", [False, True])
async def test_a_refusal_is_never_seen_and_keeps_the_order_of_each_client(retry_after: bool) -> None:
    with fast(rpm=10, retry_after=retry_after) as emulator:
        asker = Asker(emulator, Limits(per_minute=40, at_once=4), 60 / SPEED)
        async with asker.http:
            tasks = [asker.ask(f"{client} {number}", client) for number in range(12) for client in "ab"]
            await asyncio.gather(*tasks)
        order = prompts(emulator)
        assert Counter(order) == Counter(f"{client} {number}" for number in range(12) for client in "ab")
        assert prompts(emulator, 429), "the limits here are higher than those of the service"
        for client in "ab":
            numbers = [int(prompt.split()[1]) for prompt in order if prompt.startswith(client)]
            # Those that are under way together, at most four, may come in any order.
            assert all(later > earlier - 4 for earlier, later in pairwise(numbers))


async def test_one_at_a_time_the_order_is_kept_through_every_refusal() -> None:
    with fast(rpm=3) as emulator:
        asker = Asker(emulator, Limits(per_minute=1000, at_once=1), 60 / SPEED)
        async with asker.http:
            await asyncio.gather(*(asker.ask(str(number)) for number in range(7)))
        assert prompts(emulator) == [str(number) for number in range(7)]
        assert prompts(emulator, 429)


async def test_other_users_of_the_account_are_absorbed() -> None:
    with fast(rpm=20) as emulator:
        asker = Asker(emulator, Limits(per_minute=18, at_once=4), 60 / SPEED)
        async with asker.http:
            await others_use_up(emulator, 20)
            answers = await asyncio.gather(*(asker.ask(f"question {number}") for number in range(20)))
        assert len(answers) == 20
        assert 1 <= len(prompts(emulator, 429)) < 20, "most waited, and did not try in vain"


async def others_use_up(emulator: Emulator, count: int) -> None:
    """Somebody else asks so often with the same account."""
    async with httpx.AsyncClient(base_url=emulator.url, trust_env=False) as client:
        form = {
            "grant_type": "client_credentials",
            "client_id": ACCOUNT.client_id,
            "client_secret": ACCOUNT.client_secret,
        }
        token = (await client.post(f"/{ACCOUNT.realm}/oidc/oauth/token", data=form)).json()["access_token"]
        for _ in range(count):
            body, headers = {"user_prompt": "hello", "streaming": True}, {"Authorization": f"Bearer {token}"}
            await client.post(f"/v1/agent/{AGENT}/chat", json=body, headers=headers)


async def test_a_refusal_is_an_error_only_where_the_pause_is_longer_than_the_question_may_wait(
    emulator: Emulator, asker: Asker
) -> None:
    emulator.script(Reply(fault="rate_limited", headers={"Retry-After": "700"}))
    with pytest.raises(RateLimitedError) as refused:
        await asker.ask("a", max_wait=600.0)
    assert refused.value.retry_after in (99, 100)
    with pytest.raises(RateLimitedError):
        await asker.ask("b", timeout=30.0)
    assert len(emulator.chats) == 1
