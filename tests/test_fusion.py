"""What is Fusion's own: its chats, what nobody knows of its streams, its errors, its quota."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

import fusion_client
from custom_handler import errors
from custom_handler.markers import render_call
from custom_handler.model_info import ModelInfo
from custom_handler.provider import FusionLLM
from custom_handler.quota.tickets import Limits
from custom_handler.settings import read_fusion_account
from custom_handler.transport import new_client
from custom_handler.upstream.base import Delta, Query, Report
from custom_handler.upstream.fusion_errors import OF_AGENT, OF_FILE, Place, as_bridge_error
from custom_handler.upstream.fusion_pool import FusionPool
from custom_handler.upstream.pool import Asking
from emulator import Emulator, Options, Reply
from tests.conftest import settings_for
from tests.support.files import PDF, attachment
from tests.support.services import FUSION
from tests.support.upstreams import RunningAgent, ask

pytestmark = pytest.mark.usefixtures("settings_set")

TEXT = "Olá, mundo! 😀 Tudo bem?"


@pytest.fixture
async def agent(emulator: Emulator) -> AsyncIterator[Any]:
    async with RunningAgent(FUSION, emulator) as running:
        yield running


async def test_a_chat_begins_and_goes_on_with_what_the_service_wants_and_nothing_else(
    emulator: Emulator, agent: Any
) -> None:
    _, report = await ask(agent, Query("Olá?", conversation_id=""))
    await ask(agent, Query("E?", conversation_id=report.conversation_id, continues=True))
    first, second = emulator.chats
    assert (first.path, first.headers["accept"]) == ("/fusion/v1/chat", "text/event-stream")
    assert first.json == {"agent_id": FUSION.agent, "message": "Olá?", "files": [], "folder": None, "stream": True}
    assert second.path == f"/fusion/v1/chat/{report.conversation_id}/message"
    assert second.json == {"message": "E?", "files": [], "stream": True}


async def test_new_chats_are_filed_in_the_folder_of_the_model(emulator: Emulator) -> None:
    async with RunningAgent(FUSION, emulator, info=ModelInfo("reviewer", {"folder": "reviews"})) as agent:
        await ask(agent, Query("Hi"))
    assert emulator.chats[0].json["folder"] == "reviews"


# What nobody knows of its streams

#: A provider lives as long as its program; one that is dropped before its event loop would leave connections open.
_KEPT: list[FusionLLM] = []
Say = Callable[..., Any]


def client_of(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Say:
    """A client that sends its whole history with every request, under one correlation id."""
    for name, value in settings_for(emulator).items():
        monkeypatch.setenv(name, value)
    _KEPT.append(FusionLLM())
    llm, messages = _KEPT[-1], []

    async def say(text: str, **given: Any) -> Any:
        messages.append({"role": "user", "content": text})
        answer: Any = await llm.acompletion(
            model="chat", messages=messages, headers={"correlation-id": "bank-1"}, **given
        )
        messages.append({"role": "assistant", "content": answer.choices[0].message.content})
        return answer.choices[0].message

    return say


@pytest.mark.parametrize(
    ("options", "remembered"),
    [
        ({"fusion_chat_told": "first"}, True),
        ({"fusion_chat_told": "last"}, True),
        ({"fusion_chat_told": "header"}, True),
        ({"fusion_chat_told": "never"}, False),
        ({"fusion_streaming": "json"}, True),
        ({"fusion_streaming": "refused"}, True),
    ],
)
async def test_a_correlation_id_keeps_one_chat_where_the_service_tells_which_it_is(
    options: dict[str, Any], remembered: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with Emulator(Options(rpm=None, **options)) as emulator:
        say = client_of(emulator, monkeypatch)
        await say("my name is Ana")
        for _ in range(3):
            assert "Ana" in (await say("what is my name?")).content
        answered = [chat for chat in emulator.chats if chat.status == 200]
        assert len(set(map(FUSION.conversation, answered))) == (1 if remembered else len(answered))
        assert (FUSION.prompt(answered[-1]) == "what is my name?") == remembered
        assert ("the service did not tell its id" in caplog.text) != remembered
        assert "conversational mode" not in caplog.text  # that is StackSpot's


async def test_a_service_without_streams_is_asked_for_one_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator(Options(rpm=None, fusion_streaming="refused")) as emulator:
        say = client_of(emulator, monkeypatch)
        await say("my name is Ana")
        await say("what is my name?")
        assert [chat.status for chat in emulator.chats] == [422, 200, 200]


async def test_a_hidden_question_goes_to_the_same_chat(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    say = client_of(emulator, monkeypatch)
    tool = {"name": "add", "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}}}
    emulator.script(Reply(render_call("add", '{"n": "five"}')), Reply(render_call("add", '{"n": 5}')))
    message = await say("Add 5.", optional_params={"tools": [{"type": "function", "function": tool}]})
    assert [call.function.arguments for call in message.tool_calls] == ['{"n": 5}']
    begun, hidden = emulator.chats
    assert FUSION.conversation(begun) == FUSION.conversation(hidden) is not None
    assert "Add 5." not in FUSION.prompt(hidden)


async def test_a_chat_that_the_service_does_not_know_any_more_is_begun_anew(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    say = client_of(emulator, monkeypatch)
    await say("my name is Ana")
    emulator.script(Reply(fault="not_found"))
    assert "Ana" in (await say("what is my name?")).content
    first, forgotten, begun = map(FUSION.conversation, emulator.chats)
    assert first == forgotten != begun


async def test_a_file_that_the_service_does_not_keep_any_more_is_sent_again(emulator: Emulator, agent: Any) -> None:
    query = Query("What is in it?", (attachment(PDF, "a.pdf"),))
    await ask(agent, query)
    emulator.reset()
    emulator.forget_files()
    assert (await ask(agent, query))[0] == f"I have received a.pdf ({len(PDF)} bytes)."
    assert [chat.status for chat in emulator.chats] == [404, 200]
    assert len(emulator.files) == 1


# Its quota


async def test_its_quota_is_that_of_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"MAX_RPM": "7", "MAX_CONCURRENT": "3", "MAX_WAIT": "5"}.items():
        monkeypatch.setenv(f"FUSION_{name}", value)
    connection = FusionPool.read_connection()
    pool = FusionPool(connection, new_client(connection))
    agent = pool.agent(FUSION.agent, read_fusion_account(), Asking())
    assert (agent.turns.quota.core.limits, agent.turns.max_wait) == (Limits(7, 3), 5.0)
    await pool.aclose()


async def test_a_refusal_for_the_quota_pauses_the_account_and_is_not_seen(
    emulator: Emulator, agent: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    emulator.script(Reply(fault="rate_limited", headers={"retry-after": "1"}), Reply(TEXT))
    pieces = [piece async for piece in agent.stream(Query("Hi"))]
    assert "".join(piece.text for piece in pieces if isinstance(piece, Delta)) == TEXT
    assert "Fusion refused a request of account fusion for its quota (429): a pause of 1 s" in caplog.text


async def test_a_question_that_would_wait_too_long_is_told_the_settings(emulator: Emulator) -> None:
    async with RunningAgent(FUSION, emulator, Asking(max_wait=0.5)) as agent:
        emulator.script(Reply(fault="rate_limited", headers={"retry-after": "60"}))
        with pytest.raises(
            errors.RateLimitedError, match="The quota of the Fusion account 'fusion' is used up"
        ) as told:
            await anext(agent.stream(Query("Hi")))
    for name in ("FUSION_MAX_WAIT", "FUSION_MAX_RPM", "FUSION_MAX_CONCURRENT"):
        assert name in told.value.message


def test_an_account_is_where_it_is_and_the_hash_of_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUSION_TEAM_B_API_KEY", "another-key")
    default, other = read_fusion_account(), read_fusion_account("team-b")
    assert default.key[0] == other.key[0] != ""
    assert default.key != other.key
    assert other.key_setting == "FUSION_TEAM_B_API_KEY"
    assert (default.name, other.name) == ("fusion", "fusion-team-b")
    assert "another-key" not in repr(other) + str(other.key)


# Its errors

ABOUT = Place("Fusion at api.fusion.com", FUSION.agent, "FUSION_API_KEY", OF_AGENT)
FILE = Place("Fusion at api.fusion.com", "a.pdf", "FUSION_API_KEY", OF_FILE)


def refused(kind: type[fusion_client.FusionError], status: int, prose: str = "", **more: Any) -> Any:
    return kind(f"Fusion said ({status}): {prose}", status=status, **more)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (refused(fusion_client.AuthenticationError, 401), errors.IdentityRefusedError, "check FUSION_API_KEY (401)"),
        (refused(fusion_client.PermissionDeniedError, 403), errors.AgentRefusedError, "FUSION_API_KEY may not ask it"),
        (refused(fusion_client.AgentNotFoundError, 404), errors.RequestError, "its id, and FUSION_BASE_URL (404)"),
        (refused(fusion_client.NotFoundError, 404), errors.UnavailableError, "does not know a file of the question"),
        (refused(fusion_client.ChatNotFoundError, 404), errors.RequestError, "does not know the chat any more"),
        (refused(fusion_client.ValidationError, 422, "a secret"), errors.RequestError, "did not accept the request"),
        (refused(fusion_client.ValidationError, 413), errors.ContextWindowError, "The prompt is too long"),
        (
            refused(fusion_client.ValidationError, 400, "maximum context length is 8192 tokens"),
            errors.ContextWindowError,
            "8192 tokens",
        ),
        (refused(fusion_client.RateLimitError, 429), errors.ServiceQuotaError, "no more requests of this key"),
        (refused(fusion_client.UnsupportedError, 405), errors.UnreachableError, "check FUSION_BASE_URL"),
        (refused(fusion_client.NetworkError, 302), errors.UnreachableError, "check FUSION_BASE_URL"),
        (refused(fusion_client.TimeoutError, 504), errors.UpstreamTimeoutError, "took too long (504)"),
        (refused(fusion_client.ServerError, 503, code="busy"), errors.UnavailableError, "unavailable (503, busy)"),
        (fusion_client.ServerError("Fusion broke: a secret"), errors.BrokenAnswerError, "Fusion broke."),
        (fusion_client.ValidationError("agent_id must be"), errors.RequestError, "Fusion cannot be asked that"),
        (fusion_client.TimeoutError("no text"), errors.UpstreamTimeoutError, "FUSION_TIMEOUT"),
    ],
)
def test_each_error_of_the_library_has_its_meaning_and_tells_no_prompt(
    error: fusion_client.FusionError, kind: type[errors.BridgeError], words: str
) -> None:
    ours = as_bridge_error(error, ABOUT)
    assert type(ours) is kind
    assert words in ours.message
    assert "a secret" not in ours.message


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (refused(fusion_client.PermissionDeniedError, 403), errors.UploadRefusedError, "FUSION_API_KEY upload 'a.pdf'"),
        (refused(fusion_client.NotFoundError, 404), errors.UpstreamError, "check FUSION_BASE_URL"),
        (refused(fusion_client.ValidationError, 413), errors.RequestError, "did not accept the file 'a.pdf'"),
        (refused(fusion_client.RateLimitError, 429), errors.RateLimitedError, "no more files for now (429)"),
    ],
)
def test_each_error_of_an_upload_has_its_meaning(
    error: fusion_client.FusionError, kind: type[errors.BridgeError], words: str
) -> None:
    ours = as_bridge_error(error, FILE)
    assert type(ours) is kind
    assert words in ours.message


def test_every_error_of_the_library_is_known() -> None:
    for kind in vars(fusion_client).values():
        if isinstance(kind, type) and issubclass(kind, fusion_client.FusionError):
            for place in (ABOUT, FILE):
                assert isinstance(as_bridge_error(kind("x", status=418), place), errors.BridgeError)


def test_of_the_network_it_is_told_what_of_stackspot_is() -> None:
    error = fusion_client.TimeoutError("x")
    error.__cause__ = httpx.ReadTimeout("")
    ours = as_bridge_error(error, ABOUT)
    assert str(ours) == ("Fusion at api.fusion.com did not answer in time. FUSION_TIMEOUT sets how long it may take.")


@pytest.mark.parametrize(("told", "pause"), [(None, 15), (0.2, 1), (7.0, 7), (1e9, 3600)])
def test_a_pause_is_what_the_service_says_within_reason(told: float | None, pause: int) -> None:
    ours = as_bridge_error(refused(fusion_client.RateLimitError, 429, retry_after=told), ABOUT)
    assert ours.retry_after == pause


async def test_a_key_that_is_refused_is_named_and_not_shown() -> None:
    with Emulator(Options(rpm=None, fusion_keys=["another-key"])) as emulator:
        async with RunningAgent(FUSION, emulator) as agent:
            with pytest.raises(errors.IdentityRefusedError, match="check FUSION_API_KEY") as told:
                await ask(agent, Query("Hi"))
    assert "emulated-fusion-key" not in told.value.message


async def test_usage_is_left_to_be_counted(agent: Any) -> None:
    _, report = await ask(agent, Query("Hi"))
    assert report == Report(stop_reason="stop", conversation_id=report.conversation_id)
