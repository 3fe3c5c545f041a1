"""The provider in LiteLLM's SDK: sync and async, whole and streamed, against the emulator."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import litellm
import openai
import pytest
from litellm.exceptions import ContextWindowExceededError, MidStreamFallbackError

from custom_handler import FusionLLM, StackspotLLM, fusion_llm, stackspot_llm
from custom_handler.errors import IdentityRefusedError, SettingError
from custom_handler.markers import render_call
from custom_handler.provider import AgentLLM, obstacle
from emulator import Emulator, Options, Reply
from tests.conftest import settings_for
from tests.support.files import PDF, PNG, data_url
from tests.support.services import NOT_FOR_FUSION, Served

pytestmark = pytest.mark.usefixtures("settings_set")

HI = [{"role": "user", "content": "Hi"}]
TOOLS = [{"type": "function", "function": {"name": "run", "parameters": {"type": "object"}}}]
TWO_CALLS = "Vou ver.\n" + render_call("run", '{"a": "é"}') + "\n" + render_call("run", '{"a": 2}')


Ask = Callable[..., Any]

#: A provider lives as long as its program; one that is dropped before its event loop would leave connections open.
_KEPT: list[AgentLLM] = []
_PROVIDERS: Mapping[str, type[StackspotLLM | FusionLLM]] = {"stackspot": StackspotLLM, "fusion": FusionLLM}


def started(provider: str) -> Iterator[AgentLLM]:
    before = litellm.custom_provider_map
    _KEPT.append(_PROVIDERS[provider]())
    litellm.custom_provider_map = [{"provider": provider, "custom_handler": _KEPT[-1]}]
    litellm.utils.custom_llm_setup()  # type: ignore[no-untyped-call] # LiteLLM's; the proxy calls it too
    yield _KEPT[-1]
    litellm.custom_provider_map = before


@pytest.fixture
def provider(service: Served) -> Iterator[AgentLLM]:
    """A provider of the test's own: tokens and connections of one emulator are of no use with the next."""
    yield from started(service.provider)


@pytest.fixture
def stackspot() -> Iterator[StackspotLLM]:
    """The same of StackSpot, for what only it has."""
    for each in started("stackspot"):
        assert isinstance(each, StackspotLLM)
        yield each


@pytest.fixture
def ask(service: Served, provider: AgentLLM) -> Ask:
    """Asks the default agent."""
    assert provider is _KEPT[-1]
    return lambda **given: litellm.completion(**{"model": service.named("chat"), "messages": HI, **given})


@pytest.fixture
def aask(service: Served, provider: AgentLLM) -> Ask:
    """The same, to be awaited."""
    assert provider is _KEPT[-1]
    return lambda **given: litellm.acompletion(**{"model": service.named("chat"), "messages": HI, **given})


def folded(chunks: list[Any]) -> dict[str, Any]:
    """Chunks put together as a client of OpenAI's API does it."""
    calls: dict[int, dict[str, str]] = {}
    for delta in (chunk.choices[0].delta for chunk in chunks):
        for call in delta.tool_calls or []:
            known = calls.setdefault(call.index, {"id": call.id, "name": call.function.name, "arguments": ""})
            known["arguments"] += call.function.arguments
    return {
        "content": "".join(chunk.choices[0].delta.content or "" for chunk in chunks) or None,
        "calls": [calls[index] for index in sorted(calls)],
        "finish_reason": next(c.choices[0].finish_reason for c in chunks if c.choices[0].finish_reason),
    }


def whole(answer: Any) -> dict[str, Any]:
    message = answer.choices[0].message
    calls = [
        {"id": call.id, "name": call.function.name, "arguments": call.function.arguments}
        for call in message.tool_calls or []
    ]
    return {"content": message.content or None, "calls": calls, "finish_reason": answer.choices[0].finish_reason}


def test_a_whole_answer(emulator: Emulator, ask: Ask, service: Served) -> None:
    emulator.script(Reply("Olá!"))
    answer = ask()
    assert answer.choices[0].message.content == "Olá!"
    assert answer.choices[0].finish_reason == "stop"
    assert service.asked(emulator.chats[0]) == service.agent


def test_usage_is_what_the_service_counts(emulator: Emulator, ask: Ask) -> None:
    emulator.script(Reply("Olá!", tokens=(749, 5)))
    usage = ask().usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (749, 5, 754)


def test_usage_is_counted_where_the_service_does_not_tell(emulator: Emulator, ask: Ask) -> None:
    emulator.script(Reply("Olá, mundo!", fault="no_tokens"))
    usage = ask().usage
    assert 1 <= usage.prompt_tokens < 100
    assert 1 <= usage.completion_tokens < 10


def test_a_streamed_answer_has_one_id_and_the_role_once(emulator: Emulator, ask: Ask) -> None:
    emulator.script(Reply("Olá, mundo!", chunk=2))
    chunks = list(ask(stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Olá, mundo!"
    assert len({chunk.id for chunk in chunks}) == 1
    assert [chunk.choices[0].delta.role for chunk in chunks if chunk.choices[0].delta.role] == ["assistant"]


def test_streamed_usage_is_what_the_service_counts(emulator: Emulator, ask: Ask) -> None:
    emulator.script(Reply("Olá, mundo!", chunk=2, tokens=(749, 5)))
    chunks = list(ask(stream=True, stream_options={"include_usage": True}))
    (usage,) = [chunk.usage for chunk in chunks if getattr(chunk, "usage", None)]
    assert (usage.prompt_tokens, usage.completion_tokens) == (749, 5)


@pytest.mark.parametrize("text", ["Olá!", TWO_CALLS, render_call("run", "{}"), ""])
def test_streamed_and_whole_answers_do_not_differ(emulator: Emulator, text: str, ask: Ask) -> None:
    emulator.script(Reply(text, chunk=3), Reply(text))
    headers = {"correlation-id": "same"}
    streamed = folded(list(ask(tools=TOOLS, stream=True, extra_headers=headers)))
    assert streamed == whole(ask(tools=TOOLS, extra_headers=headers))


async def test_async_answers_are_the_same(emulator: Emulator, aask: Ask) -> None:
    emulator.script(Reply(TWO_CALLS), Reply(TWO_CALLS, chunk=4))
    headers = {"correlation-id": "same"}
    answer = await aask(tools=TOOLS, extra_headers=headers)
    chunks = [chunk async for chunk in await aask(tools=TOOLS, stream=True, extra_headers=headers)]
    assert folded(chunks) == whole(answer)
    assert whole(answer)["finish_reason"] == "tool_calls"
    assert [call["arguments"] for call in whole(answer)["calls"]] == ['{"a": "é"}', '{"a": 2}']


@pytest.fixture
def knowing() -> Iterator[Emulator]:
    """An emulator whose every frame carries all fields, sources among them."""
    with Emulator(Options(rpm=None, frame_style="base")) as running:
        yield running


def test_sources_are_the_same_streamed_and_whole(knowing: Emulator, monkeypatch: pytest.MonkeyPatch, ask: Ask) -> None:
    for name, value in settings_for(knowing).items():
        monkeypatch.setenv(name, value)
    knowing.script(Reply("Olá", chunk=1), Reply("Olá"))
    given: dict[str, Any] = {"model_info": {"knowledge_sources": ["a", "b"]}}
    streamed = [getattr(chunk.choices[0].delta, "annotations", None) for chunk in ask(stream=True, **given)]
    (annotations,) = filter(None, streamed)
    assert annotations == ask(**given).choices[0].message.annotations
    assert [each["url_citation"]["title"] for each in annotations] == ["a", "b"]


def test_a_file_is_sent_without_the_gate_too(emulator: Emulator, ask: Ask) -> None:
    file = {"type": "file", "file": {"filename": "a.pdf", "file_data": data_url(PDF, "")}}
    image = {"type": "image_url", "image_url": {"url": data_url(PNG), "detail": "high"}}
    answer = ask(messages=[{"role": "user", "content": [{"type": "text", "text": "Look"}, file, image]}])
    assert "a.pdf" in answer.choices[0].message.content
    assert sorted(stored.content or b"" for stored in emulator.files) == sorted([PDF, PNG])


@pytest.mark.parametrize("hosts", ["", "other.example"])
def test_a_file_on_a_host_that_is_not_listed_never_leaves_the_process(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, hosts: str, ask: Ask
) -> None:
    monkeypatch.setenv("STACKSPOT_FILE_HOSTS", hosts)
    image = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}
    with pytest.raises(openai.BadRequestError, match="STACKSPOT_FILE_HOSTS"):
        ask(messages=[{"role": "user", "content": [image]}])
    assert not emulator.requests


def test_call_ids_are_unique_in_a_conversation_and_the_same_when_a_turn_is_replayed(
    emulator: Emulator, ask: Ask
) -> None:
    emulator.script(*[Reply(TWO_CALLS)] * 4)

    def ids(messages: list[dict[str, str]], correlation_id: str) -> list[str]:
        answer = ask(messages=messages, tools=TOOLS, extra_headers={"correlation-id": correlation_id})
        return [call.id for call in answer.choices[0].message.tool_calls]

    first, replayed = ids(HI, "a"), ids(HI, "a")
    later, elsewhere = ids([*HI, *HI], "a"), ids(HI, "b")
    assert first == replayed
    assert len({*first, *later, *elsewhere}) == 6


def test_an_agent_can_be_asked_by_its_id(emulator: Emulator, ask: Ask, service: Served) -> None:
    emulator.script(Reply("x"))
    ask(model=service.named(service.other_agent))
    assert service.asked(emulator.chats[0]) == service.other_agent


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "error", "status"),
    [
        ("forbidden", openai.PermissionDeniedError, 403),
        ("too_long", ContextWindowExceededError, 400),
        ("unprocessable", openai.BadRequestError, 400),
    ],
)
def test_errors_before_the_answer_are_litellms(
    emulator: Emulator, fault: str, error: type[Exception], status: int, stream: bool, ask: Ask
) -> None:
    emulator.script(Reply(fault=fault))
    with pytest.raises((error, MidStreamFallbackError)) as raised:
        list(ask(stream=stream))
    # LiteLLM wraps what a stream fails with before its first chunk, so that its router may fall back.
    original = getattr(raised.value, "original_exception", raised.value)
    assert isinstance(original, error)
    assert getattr(original, "status_code", None) == status


def test_bad_requests_never_leave_the_process(emulator: Emulator, ask: Ask) -> None:
    with pytest.raises(openai.BadRequestError, match=r"messages\[0\]\.role"):
        ask(messages=[{"role": "wizard", "content": "x"}])
    assert not emulator.requests


def test_a_header_that_is_no_correlation_id_is_a_bad_request(ask: Ask) -> None:
    with pytest.raises(openai.BadRequestError, match="correlation-id"):
        ask(extra_headers={"correlation-id": "a b"})


def test_an_unknown_model_is_not_found(ask: Ask, service: Served) -> None:
    with pytest.raises(openai.NotFoundError, match=service.named("chat")):
        ask(model=service.named("gpt-9"))


def test_a_missing_setting_is_named_at_the_first_request(
    monkeypatch: pytest.MonkeyPatch, ask: Ask, service: Served
) -> None:
    monkeypatch.delenv(service.credential.partition(" ")[0])
    with pytest.raises(openai.InternalServerError, match=f"{service.credential} is not set"):
        ask()


def test_a_fault_of_our_own_tells_nothing_but_where_to_look(monkeypatch: pytest.MonkeyPatch, ask: Ask) -> None:
    monkeypatch.setattr("custom_handler.engine.render", lambda _: 1 / 0)
    with pytest.raises(openai.InternalServerError, match="its log has the details under abc") as raised:
        ask(extra_headers={"correlation-id": "abc"})
    assert "division" not in str(raised.value)


def test_a_cut_stream_is_an_error_and_no_end(emulator: Emulator, ask: Ask) -> None:
    emulator.script(Reply("Hello, world", fault="drop_in_stream", after=6, chunk=2))
    chunks = ask(stream=True)
    seen = ""
    while seen != "Hello,":
        seen += next(chunks).choices[0].delta.content
    with pytest.raises(openai.APIError, match="broke before the answer was complete"):
        next(chunks)


def test_the_timeout_of_the_caller_holds(emulator: Emulator, provider: AgentLLM) -> None:
    emulator.script(Reply("x", hold=True))
    with pytest.raises(openai.APIError, match="did not answer in time"):
        next(provider.streaming(model="chat", messages=HI, timeout=0.2))
    assert len(emulator.chats) == 1


def test_a_stream_that_is_dropped_closes_the_connection(emulator: Emulator, provider: AgentLLM) -> None:
    emulator.script(Reply("Hello, world", hold_after=5))
    chunks = provider.streaming(model="chat", messages=HI)
    next(chunks)
    chunks.close()  # type: ignore[attr-defined] # an iterator made by a generator
    emulator.wait_for(lambda e: e.chats[0].disconnected, timeout=1)


def test_a_stream_that_is_forgotten_in_a_cycle_of_references_stops_nobody(
    emulator: Emulator, provider: AgentLLM
) -> None:
    emulator.script(Reply("Hello, world", hold_after=5), Reply("Hello again"))
    chunks = provider.streaming(model="chat", messages=HI)
    next(chunks)
    cycle: list[Any] = [chunks]
    cycle.append(cycle)
    del chunks, cycle

    async def collect() -> None:  # where Python happens to: in the thread of the provider's loop
        gc.collect()

    asyncio.run_coroutine_threadsafe(collect(), provider._thread._running_loop()).result(timeout=5)
    assert provider.completion(model="chat", messages=HI).choices[0].message.content == "Hello again"
    emulator.wait_for(lambda e: e.chats[0].disconnected, timeout=1)


async def test_a_request_that_is_cancelled_closes_the_connection(emulator: Emulator, provider: AgentLLM) -> None:
    emulator.script(Reply("x", hold=True))
    request = asyncio.ensure_future(provider.acompletion(model="chat", messages=HI))
    await asyncio.to_thread(emulator.wait_for, lambda e: bool(e.chats) and e.chats[0].held)
    request.cancel()
    await asyncio.to_thread(emulator.wait_for, lambda e: e.chats[0].disconnected, 1)


async def test_fifty_cold_requests_fetch_one_token_and_fifty_with_a_revoked_one_one_more(
    emulator: Emulator, aask: Ask
) -> None:
    async def fifty() -> set[str]:
        answers = await asyncio.gather(*(aask() for _ in range(50)))
        return {answer.choices[0].finish_reason for answer in answers}

    assert await fifty() == {"stop"}
    assert len(emulator.token_requests) == 1
    emulator.revoke_tokens()
    assert await fifty() == {"stop"}
    assert len(emulator.token_requests) == 2


def test_authenticate_signs_in_and_shows_no_secret(emulator: Emulator) -> None:
    token = StackspotLLM().authenticate()
    assert token.value
    assert token.value not in repr(token)
    assert len(emulator.token_requests) == 1


def test_authenticate_says_what_is_wrong(
    emulator: Emulator, stackspot: StackspotLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.script(Reply(fault="identity_refused"))
    with pytest.raises(IdentityRefusedError, match="realm 'emulated'"):
        stackspot.authenticate()
    monkeypatch.delenv("STACKSPOT_REALM")
    with pytest.raises(SettingError, match="STACKSPOT_REALM"):
        stackspot.authenticate()


async def test_nothing_stands_in_the_way_where_a_token_can_be_had_and_asking_for_it_costs_no_quota(
    emulator: Emulator, stackspot: StackspotLLM
) -> None:
    assert [await stackspot.obstacle({None}) for _ in range(3)] == [None] * 3
    assert len(emulator.token_requests) == 1
    assert emulator.chats == []


async def test_a_token_that_is_there_is_enough_while_the_identity_service_is_down(
    emulator: Emulator, stackspot: StackspotLLM
) -> None:
    await stackspot.acompletion(model="chat", messages=HI)
    emulator.script(Reply(fault="identity_down"))
    assert await stackspot.obstacle({None}) is None


async def test_what_stands_in_the_way_is_told_without_a_secret(emulator: Emulator, stackspot: StackspotLLM) -> None:
    emulator.script(Reply(fault="identity_refused"))
    reason = await stackspot.obstacle({None})
    assert reason
    assert "refused the credentials of realm 'emulated' (401)" in reason
    assert "emulated-secret" not in reason
    assert "emulated-client" not in reason


async def test_one_account_that_can_sign_in_is_enough(emulator: Emulator, stackspot: StackspotLLM) -> None:
    assert await stackspot.obstacle(("lost", None)) is None
    assert await stackspot.obstacle(("lost", "gone")) == (
        "STACKSPOT_LOST_REALM is not set: the account slug shown beside the access key 'lost'. Set it in the "
        "environment or in .env. STACKSPOT_GONE_REALM is not set: the account slug shown beside the access key 'gone'. "
        "Set it in the environment or in .env."
    )
    assert len(emulator.token_requests) == 1


async def test_who_asks_whether_all_is_well_waits_a_few_seconds_only(
    emulator: Emulator, stackspot: StackspotLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.script(Reply(fault="identity_slow", seconds=0.3))
    with monkeypatch.context() as changed:
        changed.setattr("custom_handler.provider._PATIENCE", 0.01)
        assert await stackspot.obstacle({None}) == "The identity service has not answered within 0.01 s."
    assert await stackspot.obstacle({None}) is None
    assert len(emulator.token_requests) == 1, "the first fetch was given up"


async def test_a_token_that_is_there_is_enough_while_another_account_waits_for_its_own(
    emulator: Emulator, stackspot: StackspotLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stackspot.acompletion(model="chat", messages=HI)
    for name in ("CLIENT_ID", "CLIENT_SECRET", "REALM"):
        monkeypatch.setenv(f"STACKSPOT_SLOW_{name}", "slow")
    monkeypatch.setattr("custom_handler.provider._PATIENCE", 0.1)
    emulator.script(Reply(fault="identity_slow", seconds=1))
    assert await stackspot.obstacle(("slow", None)) is None


async def test_without_a_model_of_stackspot_there_is_nothing_to_sign_in_for(stackspot: StackspotLLM) -> None:
    assert await stackspot.obstacle(()) is None


async def test_one_service_that_can_be_asked_is_enough(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    models = [{"litellm_params": {"model": f"{name}/chat"}} for name in ("stackspot", "fusion")]
    monkeypatch.delenv("STACKSPOT_REALM")
    assert await obstacle(models) is None
    monkeypatch.delenv("FUSION_API_KEY")
    reason = await obstacle(models)
    assert reason is not None
    assert "STACKSPOT_REALM or REALM is not set" in reason
    assert "FUSION" not in reason, "nothing of Fusion is set, so nobody wants it"
    assert await obstacle([]) is None
    assert not emulator.requests


async def test_of_a_service_that_nobody_uses_the_first_setting_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FUSION_API_KEY")
    reason = await obstacle([{"litellm_params": {"model": "fusion/chat"}}])
    assert reason is not None
    assert reason.startswith("FUSION_API_KEY is not set: the key of the Fusion account, ")


def test_what_cannot_hold_for_fusion_is_a_test() -> None:
    here = Path(__file__).parent
    written = "".join(path.read_text("utf-8") for path in here.rglob("test_*.py"))
    assert [name for name in NOT_FOR_FUSION if f"def {name}(" not in written] == []


def test_the_package_exports_the_providers() -> None:
    assert isinstance(stackspot_llm, StackspotLLM)
    assert isinstance(fusion_llm, FusionLLM)
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        __import__("custom_handler").other  # noqa: B018 # looking it up is the test
