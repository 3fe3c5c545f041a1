"""Conversations that the service remembers: what is sent, who may go on with them, and what becomes of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import openai
import pytest
from redis.asyncio import Redis

from benchmarks.conversations import Case, play, sent
from custom_handler.correlation import MADE_HEADER
from custom_handler.provider import AgentLLM, FusionLLM, StackspotLLM
from emulator import Emulator, Options, Recorded, Reply
from emulator.conversations import Memory
from tests.conftest import settings_for
from tests.support.redis_server import RedisServer
from tests.support.services import FUSION, STACKSPOT, Served

pytestmark = pytest.mark.usefixtures("settings_set")

Json = dict[str, Any]


class Client:
    """A client that sends its whole history with every request, to one worker or another."""

    def __init__(self, *workers: AgentLLM, key: str = "hash-of-a-key", correlation_id: str = "bank-1") -> None:
        self.workers = list(workers)
        self.messages: list[Json] = []
        self.model_info: Json = {}
        self._headers = {"correlation-id": correlation_id}
        self._key = key

    async def ask(self, text: str) -> str:
        """The answer to `text`, behind all that was said. Workers take turns."""
        messages = [*self.messages, {"role": "user", "content": text}]
        answer: Any = await self.workers[0].acompletion(
            model="chat",
            messages=messages,
            litellm_params={
                "proxy_server_request": {"headers": self._headers},
                "metadata": {"user_api_key_hash": self._key},
                "model_info": self.model_info,
            },
        )
        said = str(answer.choices[0].message.content)
        self.messages = [*messages, {"role": "assistant", "content": said}]
        self.workers.append(self.workers.pop(0))
        return said


#: A provider lives as long as its program; one that is dropped before its event loop would leave connections open.
_KEPT: list[AgentLLM] = []


def new_worker(service: Served) -> AgentLLM:
    _KEPT.append(FusionLLM() if service is FUSION else StackspotLLM())
    return _KEPT[-1]


@pytest.fixture
def worker(service: Served) -> AgentLLM:
    return new_worker(service)


@pytest.fixture
def client(worker: AgentLLM) -> Client:
    return Client(worker)


def ids(chats: Iterable[Recorded]) -> list[str | None]:
    """The conversations in which the service was asked; None for none."""
    return [(FUSION if chat.fusion else STACKSPOT).conversation(chat) for chat in chats]


def continued(emulator: Emulator) -> bool:
    """Whether the last request went on with the conversation of the one before, and sent only what was new."""
    before, last = emulator.chats[-2:]
    return ids([before]) == ids([last]) != [None] and "<conversation>" not in told(last)


def sent_anew(emulator: Emulator) -> bool:
    """Whether the last request sent everything, in a conversation in which nobody was asked before."""
    *before, last = emulator.chats
    return ids([last])[0] not in ids(before) and "<conversation>" in told(last)


def apart(emulator: Emulator) -> bool:
    """Whether no request was to be remembered for another. Fusion's are always in a chat, so each was in its own."""
    named = [each for each in ids(emulator.chats) if each is not None]
    return len(set(named)) == len(named) and not any("use_conversation" in chat.json for chat in emulator.chats)


def told(chat: Recorded) -> str:
    """What the agent was asked."""
    return (FUSION if chat.fusion else STACKSPOT).prompt(chat)


# What it is good for


async def test_of_thirty_turns_with_tools_the_service_is_sent_a_quarter_and_answers_the_same(
    emulator: Emulator, worker: AgentLLM
) -> None:
    case = Case("coding_agent", 4_000)  # 24 tools, and results of 4,000 characters
    characters, answers = [], []
    for headers, stream in (({}, False), ({"correlation-id": "one"}, False), ({"correlation-id": "two"}, True)):
        answers.append((await play(case, worker, headers, stream=stream)).answers)
        characters.append(sent(emulator))
        emulator.reset()
    assert len(answers[0]) == 60
    assert sum(len(calls) for _, calls in answers[0]) == 30
    assert answers[1] == answers[2] == answers[0]
    assert characters[1] == characters[2] <= 0.25 * characters[0]


async def test_without_a_correlation_id_that_the_client_chose_everything_is_sent_every_time(
    emulator: Emulator, client: Client
) -> None:
    for headers in ({}, {"correlation-id": "x", MADE_HEADER: "yes"}):
        client._headers = headers
        await client.ask("my name is Ana")
        assert "Ana" in await client.ask("what is my name?")
        assert apart(emulator)


async def test_with_conversations_off_everything_is_sent_every_time(
    emulator: Emulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACKSPOT_CONVERSATIONS", "off")
    await client.ask("my name is Ana")
    assert "Ana" in await client.ask("what is my name?")
    assert apart(emulator)


async def test_a_conversation_goes_on_turn_after_turn(emulator: Emulator, client: Client) -> None:
    await client.ask("my name is Ana")
    for _ in range(5):
        assert "Ana" in await client.ask("what is my name?")
        assert continued(emulator)
    assert [told(chat) for chat in emulator.chats][1:] == ["what is my name?"] * 5


def test_a_conversation_goes_on_in_another_event_loop(emulator: Emulator, client: Client) -> None:
    asyncio.run(client.ask("my name is Ana"))
    assert "Ana" in asyncio.run(client.ask("what is my name?"))
    assert continued(emulator)


# Whose it is


async def test_nobody_goes_on_with_the_conversation_of_another(
    emulator: Emulator, client: Client, worker: AgentLLM, monkeypatch: pytest.MonkeyPatch, service: Served
) -> None:
    for name, value in settings_for(emulator).items():
        monkeypatch.setenv(name.replace("_", "_PAYMENTS_", 1), f"{value}-of-payments")
    await client.ask("my name is Ana")
    others = [Client(worker, key="hash-of-another-key"), Client(worker, key=""), Client(worker, correlation_id="b")]
    of_agent, of_account = Client(worker), Client(worker)
    of_agent.model_info, of_account.model_info = {"agent_id": service.other_agent}, {"account": "payments"}
    for other in (*others, of_agent, of_account):
        other.messages = client.messages  # everything of it is known but the key
        await other.ask("what is my name?")
        assert sent_anew(emulator)
    await client.ask("what is my name?")
    first, *_, last = ids(emulator.chats)
    assert first == last is not None


async def test_an_id_tells_nothing_and_is_never_used_again(emulator: Emulator, service: Served) -> None:
    for _ in range(3):
        await Client(new_worker(service)).ask("hello")
    made = ids(emulator.chats)
    assert len(set(made)) == 3
    assert len({str(each)[10:] for each in made}) == 3


# What is no longer what it was


async def test_an_edited_history_begins_another_conversation(emulator: Emulator, client: Client) -> None:
    await client.ask("my name is Ana")
    await client.ask("I live in Recife")
    client.messages[0] = {"role": "user", "content": "my name is Eva"}
    assert "Eva" in await client.ask("what is my name?")
    assert sent_anew(emulator)
    assert "Eva" in await client.ask("what is my name?")
    assert continued(emulator)


async def test_an_answer_that_is_generated_again_is_of_another_conversation(emulator: Emulator, client: Client) -> None:
    await client.ask("my name is Ana")
    before = client.messages
    await client.ask("call me Eva")
    client.messages = before
    assert "Ana" in await client.ask("what is my name?")
    assert sent_anew(emulator)


async def test_two_that_go_on_from_the_same_place_do_not_meet(emulator: Emulator, client: Client) -> None:
    await client.ask("my name is Ana")
    fork = Client(*client.workers)
    fork.messages = client.messages
    for text in ("my color is blue", "what is my color?"):
        await client.ask(text)
    assert "not told" in await fork.ask("what is my color?")
    assert "not told" in await fork.ask("what is my color?")
    assert continued(emulator)
    assert "blue" in await client.ask("what is my color?")
    assert len(set(ids(emulator.chats))) == 2


@pytest.mark.parametrize("count", [2, 20])
async def test_requests_at_the_same_time_are_never_in_one_conversation(
    emulator: Emulator, client: Client, count: int
) -> None:
    await client.ask("my name is Ana")
    clients = [Client(*client.workers) for _ in range(count)]
    for each in clients:
        each.messages = client.messages
    emulator.script(*[Reply(hold=True)] * count)
    asking = asyncio.gather(*(each.ask("what is my name?") for each in clients))
    await asyncio.to_thread(emulator.wait_for, lambda e: sum(chat.held for chat in e.chats) == count)
    at_once = ids(emulator.chats[1:])
    assert len(set(at_once)) == count
    assert at_once.count(ids(emulator.chats)[0]) == 1
    emulator.release()
    assert {"Ana" in said for said in await asking} == {True}
    await clients[0].ask("what is my name?")
    assert ids(emulator.chats)[-1] in at_once
    await clients[1].ask("what is my name?")  # it was told the very same as the first, which went on from there
    assert ids(emulator.chats)[-1] not in ids(emulator.chats[:-1])


async def test_first_requests_at_the_same_time_are_never_in_one_conversation(
    emulator: Emulator, worker: AgentLLM
) -> None:
    clients = [Client(worker) for _ in range(20)]
    await asyncio.gather(*(each.ask(f"my name is N{number}") for number, each in enumerate(clients)))
    assert len(set(ids(emulator.chats))) == 20
    answers = await asyncio.gather(*(each.ask("what is my name?") for each in clients))
    assert all(f"N{number}." in said for number, said in enumerate(answers))
    assert len(set(ids(emulator.chats))) == 20


# What goes wrong


async def test_after_an_answer_that_broke_everything_is_sent(emulator: Emulator, client: Client) -> None:
    await client.ask("my name is Ana")
    emulator.script(Reply("You told me", fault="drop_in_stream", after=4, chunk=2))
    with pytest.raises(openai.APIError):
        await client.ask("what is my name?")
    assert "Ana" in await client.ask("what is my name?")
    assert sent_anew(emulator)


async def test_after_a_request_that_was_cancelled_everything_is_sent(emulator: Emulator, client: Client) -> None:
    await client.ask("my name is Ana")
    emulator.script(Reply(hold=True))
    asking = asyncio.ensure_future(client.ask("what is my name?"))
    await asyncio.to_thread(emulator.wait_for, lambda e: e.chats[1].held)
    asking.cancel()
    await asyncio.to_thread(emulator.wait_for, lambda e: e.chats[1].disconnected)
    assert "Ana" in await client.ask("what is my name?")
    assert sent_anew(emulator)


async def test_what_the_service_may_have_taken_in_is_not_said_twice(emulator: Emulator, client: Client) -> None:
    await client.ask("my name is Ana")
    emulator.script(Reply(fault="unavailable"))
    assert "Ana" in await client.ask("what is my name?")
    assert len(emulator.chats) == 3
    assert sent_anew(emulator)
    assert "Ana" in await client.ask("what is my name?")
    assert continued(emulator)


async def test_a_refusal_for_the_quota_does_not_end_a_conversation(emulator: Emulator, client: Client) -> None:
    await client.ask("my name is Ana")
    emulator.script(Reply(fault="rate_limited", headers={"retry-after": "1"}))
    assert "Ana" in await client.ask("what is my name?")
    assert len(emulator.chats) == 3
    assert continued(emulator), "a question that was refused was not taken in"


async def test_a_service_that_has_forgotten_is_told_everything_from_then_on(
    emulator: Emulator, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    for text in ("my name is Ana", "x" * 2_000):
        await client.ask(text)
    emulator.forget_conversations()
    assert "Ana" not in await client.ask("what is my name?")
    assert "has forgotten" in caplog.text
    for _ in range(2):
        assert "Ana" in await client.ask("what is my name?")
        assert ids(emulator.chats)[-1] is None


@pytest.mark.parametrize(("memory", "used"), [("ignored", True), ("pretended", False)])
async def test_a_service_without_memory_does_little_harm(
    memory: Memory, used: bool, monkeypatch: pytest.MonkeyPatch, service: Served
) -> None:
    with Emulator(Options(rpm=None, memory=memory)) as emulator:
        for name, value in settings_for(emulator).items():
            monkeypatch.setenv(name, value)
        client = Client(new_worker(service))
        await client.ask("my name is Ana. " + "x" * 2_000)
        known = ["Ana" in await client.ask("what is my name?") for _ in range(4)]
        assert known == [used, True, True, True]
        assert (ids(emulator.chats)[-1] is not None) == used


async def test_a_conversation_that_the_service_finds_too_long_is_sent_anew(
    monkeypatch: pytest.MonkeyPatch, service: Served
) -> None:
    with Emulator(Options(rpm=None, max_input_tokens=900)) as emulator:
        for name, value in settings_for(emulator).items():
            monkeypatch.setenv(name, value)
        client = Client(new_worker(service))
        client.messages = [{"role": "system", "content": "Be careful. " * 80}]
        await client.ask("my name is Ana")
        for _ in range(4):
            assert "Ana" in await client.ask("what is my name?")
        assert [chat.status for chat in emulator.chats].count(400) >= 1


async def test_what_is_older_than_the_time_to_live_is_sent_anew(
    emulator: Emulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACKSPOT_CONVERSATION_TTL", "0.000001")
    await client.ask("my name is Ana")
    assert "Ana" in await client.ask("what is my name?")
    assert sent_anew(emulator)


# Several workers


async def test_a_worker_that_was_started_again_knows_nothing_without_redis(
    emulator: Emulator, client: Client, service: Served
) -> None:
    await client.ask("my name is Ana")
    client.workers = [new_worker(service)]
    assert "Ana" in await client.ask("what is my name?")
    assert sent_anew(emulator)


@pytest.fixture
def shared(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> RedisServer:
    """A Redis that every worker uses."""
    monkeypatch.setenv("REDIS_URL", redis_server.url)
    return redis_server


@pytest.mark.usefixtures("shared")
async def test_workers_take_turns_in_one_conversation(emulator: Emulator, service: Served) -> None:
    client = Client(new_worker(service), new_worker(service))
    await client.ask("my name is Ana")
    for _ in range(5):
        assert "Ana" in await client.ask("what is my name?")
        assert continued(emulator)
    client.workers = [new_worker(service)]
    await client.ask("what is my name?")
    assert continued(emulator)


async def test_redis_is_told_no_text_and_no_name(client: Client, shared: RedisServer) -> None:
    await client.ask("my name is Ana")
    async with Redis.from_url(shared.url, decode_responses=True) as redis:
        (key,) = await redis.keys("agent-proxy:conversation*")
        value = json.loads(str(await redis.get(key)))
    assert set(map(type, value.values())) == {str, int, bool}
    for secret in ("Ana", "bank-1", "hash-of-a-key"):
        assert secret not in str(key) + json.dumps(value)


async def test_no_request_fails_because_redis_is_gone(emulator: Emulator, shared: RedisServer, service: Served) -> None:
    client = Client(new_worker(service))
    await client.ask("my name is Ana")
    shared.stop()
    assert "Ana" in await client.ask("what is my name?")
    assert sent_anew(emulator)
    assert "Ana" in await client.ask("what is my name?")
    assert continued(emulator), "this worker has a memory of its own"
    shared.start()
    assert "Ana" in await client.ask("what is my name?")
    assert continued(emulator), "and it still has it"
    assert "Ana" in await client.ask("what is my name?")
