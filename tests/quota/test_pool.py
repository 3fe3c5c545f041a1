"""Where turns come from: the settings, the account, the event loop."""

from __future__ import annotations

import asyncio

import pytest
import redis

from custom_handler.quota.tickets import Group, Limits
from custom_handler.settings import Account, read_account
from custom_handler.upstream.base import Query
from custom_handler.upstream.pool import Asking, Pools
from custom_handler.upstream.stackspot import StackspotAgent
from custom_handler.upstream.stackspot_pool import StackspotPool
from emulator import Emulator
from tests.conftest import AGENT
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.usefixtures("settings_set")


async def agent_of(pools: Pools[StackspotPool], account: Account | None = None, caller: str = "") -> StackspotAgent:
    return (await pools.current()).agent(AGENT, account or read_account(), Asking(caller=caller))


async def ask(agent: StackspotAgent) -> None:
    async for _ in agent.stream(Query("hi")):
        pass


def test_the_limits_are_those_in_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look() -> None:
        pools = Pools(StackspotPool)
        agent = await agent_of(pools, caller="someone")
        assert agent.turns.quota.core.limits == Limits(1_000_000, 1000)
        assert (agent.turns.max_wait, agent.turns.client) == (600.0, "someone")
        monkeypatch.setenv("STACKSPOT_MAX_RPM", "7")
        monkeypatch.setenv("STACKSPOT_MAX_CONCURRENT", "3")
        monkeypatch.setenv("STACKSPOT_MAX_WAIT", "5")
        later = await agent_of(pools)
        assert later.turns.quota is agent.turns.quota
        assert later.turns.quota.core.limits == Limits(7, 3)
        assert later.turns.max_wait == 5.0

    asyncio.run(look())


def test_the_model_may_have_a_budget_of_its_own_and_the_question_a_timeout() -> None:
    async def look() -> None:
        pool = await Pools(StackspotPool).current()
        group = Group("reviewer", Limits(at_once=1))
        agent = pool.agent(AGENT, read_account(), Asking(7.0, group=group, max_wait=3.0))
        assert (agent.turns.group, agent.turns.timeout, agent.turns.max_wait) == (group, 7.0, 3.0)

    asyncio.run(look())


def test_a_realm_and_a_client_id_have_one_quota_whatever_loop_or_secret(emulator: Emulator) -> None:
    pools = Pools(StackspotPool)

    async def quota_of(*account: str) -> object:
        agent = await agent_of(pools, Account(*account))
        await ask(agent)
        return agent.turns.quota

    first, same, *others = (
        asyncio.run(quota_of(*account))
        for account in (("r", "c", "secret"), ("r", "c", "new secret"), ("r", "d", "secret"), ("s", "c", "secret"))
    )
    assert first is same
    assert len({id(quota) for quota in (first, *others)}) == 3
    assert len(emulator.chats) == 4


def test_without_redis_each_of_the_workers_has_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKERS", "4")
    monkeypatch.setenv("STACKSPOT_MAX_RPM", "90")

    async def budget() -> int:
        return (await agent_of(Pools(StackspotPool))).turns.quota.core.budget(0)

    assert asyncio.run(budget()) == 22


def test_with_redis_the_workers_share_and_a_loop_that_ends_takes_leave(
    emulator: Emulator, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_server.url)
    monkeypatch.setenv("WORKERS", "4")
    pools = Pools(StackspotPool)

    async def ask_twice(client: redis.Redis) -> None:
        for _ in range(2):
            agent = await agent_of(pools)
            await ask(agent)
        assert not agent.turns.quota.alone
        assert agent.turns.quota.core.budget(0) == 1_000_000, "all of it, and no share"
        assert client.zcard(name("workers")) == 1

    def name(of: str) -> str:
        (found,) = client.scan_iter(f"agent-proxy:quota:*:{of}")
        return str(found)

    with redis.Redis.from_url(redis_server.url, decode_responses=True) as client:
        for _ in range(2):
            asyncio.run(ask_twice(client))
        assert not list(client.scan_iter("agent-proxy:quota:*:workers"))
        assert client.zcard(name("starts:")) == 4
        known = "".join(map(str, client.scan_iter("*")))
    assert len(emulator.chats) == 4
    for secret in ("emulated-client", "emulated-secret"):
        assert secret not in known
