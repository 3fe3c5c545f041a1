"""Asking an agent: every variant and fault of the contract, over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from custom_handler import errors
from custom_handler.attachments import Attachment
from custom_handler.auth import BearerAuth, TokenSource
from custom_handler.events import Source
from custom_handler.quota.account import AccountQuota
from custom_handler.quota.tickets import Limits
from custom_handler.quota.turns import Turns
from custom_handler.settings import Account, Connection
from custom_handler.transport import new_client
from custom_handler.upstream.base import Query, Report
from custom_handler.upstream.chat_request import AgentOptions
from custom_handler.upstream.stackspot import StackspotAgent
from custom_handler.upstream.stackspot_files import StackspotFiles
from custom_handler.upstream.uploads import Uploads
from emulator import Emulator, Options, Reply
from tests.conftest import AGENT
from tests.support import upstreams
from tests.support.files import PDF, PNG, attachment

CONVERSATION = "01KJJB4T9SP5V1SYDEYHTZ5N6Y"
TEXT = "Olá, mundo! 😀 Tudo bem?"


def connection_to(emulator: Emulator) -> Connection:
    return Connection(emulator.url, emulator.url, emulator.url, None, connect_timeout=5, read_timeout=5)


@pytest.fixture
async def agent(emulator: Emulator) -> AsyncIterator[StackspotAgent]:
    async with RunningAgent(emulator) as running:
        yield running


class RunningAgent:
    """An agent whose client is closed at the end."""

    def __init__(self, emulator: Emulator) -> None:
        self.connection = connection_to(emulator)
        self.client = new_client(self.connection)

    async def __aenter__(self) -> StackspotAgent:
        account = Account("emulated", "id", "secret")
        tokens = TokenSource(self.client, self.connection, account)
        auth = BearerAuth(tokens)
        turns = Turns(AccountQuota("emulated", Limits()))
        uploads = Uploads(StackspotFiles(self.client, self.connection, auth), account)
        return StackspotAgent(self.client, self.connection, auth, AGENT, turns, uploads)

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()


async def ask(agent: StackspotAgent, prompt: str = "Hi", files: tuple[Attachment, ...] = ()) -> tuple[str, Report]:
    """The text and the report of one answer, asked without waiting between tries."""
    return await upstreams.ask(agent, Query(prompt, files))


async def test_an_agent_is_asked_with_the_prompt_and_nothing_that_was_not_asked_for(
    emulator: Emulator, agent: StackspotAgent
) -> None:
    emulator.script(Reply(TEXT, tokens=(749, 5)))
    assert await ask(agent, "Olá?") == (TEXT, Report(749, 5, "stop"))
    (request,) = emulator.chats
    assert request.path == f"/v1/agent/{AGENT}/chat"
    assert request.headers["accept"] == "text/event-stream"
    assert request.headers["content-type"] == "application/json"
    assert request.json == {
        "user_prompt": "Olá?",
        "streaming": True,
        "stackspot_knowledge": False,
        "return_ks_in_response": False,
    }


async def test_a_conversation_is_named_and_confirmed(emulator: Emulator, agent: StackspotAgent) -> None:
    emulator.script(Reply(TEXT, tokens=(749, 5)))
    asked = Query("Olá?", conversation_id=CONVERSATION)
    pieces = [piece async for piece in agent.stream(asked)]
    assert pieces[-1] == Report(749, 5, "stop", CONVERSATION)
    body = emulator.chats[0].json
    assert (body["use_conversation"], body["conversation_id"]) == (True, CONVERSATION)


@pytest.mark.parametrize("frame_style", ["delta", "base"])
@pytest.mark.parametrize("line_end", ["crlf", "lf"])
@pytest.mark.parametrize("chunk", [1, 3, 1000])
async def test_every_style_of_stream_gives_the_same_answer(frame_style: str, line_end: str, chunk: int) -> None:
    options = Options(rpm=None, frame_style=frame_style, line_end=line_end, chunk=chunk)  # type: ignore[arg-type] # parametrised
    with Emulator(options) as emulator:
        emulator.script(Reply(TEXT, tokens=(749, 5)))
        async with RunningAgent(emulator) as agent:
            assert await ask(agent) == (TEXT, Report(749, 5, "stop"))


@pytest.mark.parametrize(
    ("fault", "text", "report"),
    [
        ("json_body", TEXT, Report(749, 5, "stop")),
        ("no_final_frame", TEXT, Report()),
        ("no_blank_line", TEXT, Report(749, 5, "stop")),
        ("no_line_end", TEXT, Report(749, 5, "stop")),
        ("done_marker", TEXT, Report(749, 5, "stop")),
        ("null_tokens", TEXT, Report(None, None, "stop")),
        ("tokens_is_null", TEXT, Report(None, None, "stop")),
        ("no_tokens", TEXT, Report(None, None, "stop")),
        ("string_tokens", TEXT, Report(749, 5, "stop")),
        ("user_enrichment_tokens", TEXT, Report(749, 5, "stop")),
        ("ping_after_id", TEXT, Report(749, 5, "stop")),
        ("byte_order_mark", TEXT, Report(749, 5, "stop")),
        ("split_surrogates", TEXT, Report(749, 5, "stop")),
        ("lone_surrogate", "Olá, mundo\ufffd! 😀 Tudo bem?", Report(749, 5, "stop")),
        ("line_separators", "Olá, mundo\u2028\u2029\u0085! 😀 Tudo bem?", Report(749, 5, "stop")),
        ("plain_text_frame", TEXT, Report(749, 5, "stop")),
        ("no_space", TEXT, Report(749, 5, "stop")),
        ("gzip", TEXT, Report(749, 5, "stop")),
    ],
)
async def test_odd_streams_tell_what_they_can(
    emulator: Emulator, agent: StackspotAgent, fault: str, text: str, report: Report
) -> None:
    emulator.script(Reply(TEXT, fault=fault, tokens=(749, 5)))
    assert await ask(agent) == (text, report)
    assert len(emulator.chats) == 1


async def test_an_empty_answer_with_a_final_frame_is_an_answer(emulator: Emulator, agent: StackspotAgent) -> None:
    emulator.script(Reply("", tokens=(7, 0)))
    assert await ask(agent) == ("", Report(7, 0, "stop"))


FILES = (attachment(PDF, "a.pdf"), attachment(PNG, "b.png"))


@pytest.mark.parametrize("fault", ["form_down", "form_drop", "form_incomplete", "store_down", "store_drop"])
async def test_uploads_that_fail_for_a_passing_reason_are_not_seen(
    emulator: Emulator, agent: StackspotAgent, fault: str
) -> None:
    emulator.script(*[Reply(fault=fault)] * 3, Reply(TEXT))
    assert (await ask(agent, files=FILES[:1]))[0] == TEXT
    assert len(emulator.chats) == 1


async def test_only_the_upload_that_failed_is_tried_again(emulator: Emulator, agent: StackspotAgent) -> None:
    emulator.script(Reply(fault="form_down"), Reply(TEXT))
    await ask(agent, files=FILES)
    assert sorted(form.json["file_name"] for form in emulator.forms) in (
        ["a.pdf", "a.pdf", "b.png"],
        ["a.pdf", "b.png", "b.png"],
    )


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("form_refused", errors.RequestError),
        ("form_forbidden", errors.UploadRefusedError),
        ("form_rate_limited", errors.RateLimitedError),
        ("store_too_large", errors.RequestError),
        ("store_refused", errors.UpstreamError),
    ],
)
async def test_uploads_that_are_refused_are_errors_after_one_try_and_the_agent_is_not_asked(
    emulator: Emulator, agent: StackspotAgent, fault: str, kind: type[errors.BridgeError]
) -> None:
    emulator.script(Reply(fault=fault))
    with pytest.raises(kind) as raised:
        await ask(agent, files=FILES[:1])
    assert type(raised.value) is kind
    assert not emulator.chats
    assert len(emulator.forms) == 1


async def test_an_upload_that_takes_longer_than_the_caller_waits_is_a_timeout(
    emulator: Emulator, agent: StackspotAgent
) -> None:
    emulator.script(Reply(fault="form_slow", seconds=0, hold=True))
    impatient = replace(agent, connection=replace(agent.connection, read_timeout=0.2), give_up_after=0.1)
    with pytest.raises(errors.UpstreamTimeoutError, match=r"did not take the files in time\. STACKSPOT_READ_TIMEOUT"):
        await ask_once(impatient)
    emulator.release()
    assert (await ask(agent, files=FILES[:1]))[0], "the upload goes on for whoever comes next"
    assert len(emulator.forms) == 1


async def ask_once(agent: StackspotAgent) -> None:
    async for _ in agent.stream(Query("Hi", FILES[:1])):
        pass


async def test_an_id_that_the_service_does_not_know_is_no_error(emulator: Emulator, agent: StackspotAgent) -> None:
    emulator.script(Reply(fault="form_unknown_id"))
    assert "I have received" not in (await ask(agent, "Hello", FILES[:1]))[0]


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (AgentOptions(), {}),
        (
            AgentOptions(knowledge_sources=("ks-1", "ks-2")),
            {"knowledge_source_ids": ["ks-1", "ks-2"], "knowledge_sources": ["ks-1", "ks-2"]},
        ),
        (AgentOptions(deep_search=True), {"deep_search_ks": True}),
        (AgentOptions(version=3), {"agent_version_number": 3}),
        (AgentOptions(selected_model="gpt-5"), {"selected_model": "gpt-5"}),
    ],
)
async def test_an_agent_is_asked_with_what_its_entry_says_and_with_nothing_else(
    emulator: Emulator, agent: StackspotAgent, options: AgentOptions, sent: dict[str, object]
) -> None:
    await ask(replace(agent, options=options))
    body = emulator.chats[0].json
    knowledge = bool(options.knowledge_sources or options.deep_search)
    assert (body["stackspot_knowledge"], body["return_ks_in_response"]) == (False, knowledge)
    plain = {"user_prompt", "streaming", "stackspot_knowledge", "return_ks_in_response"}
    assert {name: value for name, value in body.items() if name not in plain} == sent


@pytest.mark.parametrize("fault", [None, "json_body"])
@pytest.mark.parametrize(
    ("style", "source"),
    [
        ("objects", Source("ks-1", "urn:stackspot:knowledge-source:ks-1")),
        ("links", Source("About ks-1", "https://knowledge.example.com/ks-1")),
        ("texts", Source("ks-1", "urn:stackspot:knowledge-source:ks-1")),
        ("ids", Source("ks-1", "urn:stackspot:knowledge-source:ks-1")),
        ("cross_account", Source("ks-1", "urn:stackspot:knowledge-source:ks-1")),
    ],
)
async def test_sources_are_told_once_however_the_service_tells_them(
    fault: str | None, style: str, source: Source
) -> None:
    with Emulator(Options(rpm=None, frame_style="base", sources=style)) as emulator:  # type: ignore[arg-type] # parametrised
        emulator.script(Reply(TEXT, fault=fault, tokens=(7, 3)))
        async with RunningAgent(emulator) as agent:
            asked = replace(agent, options=AgentOptions(knowledge_sources=("ks-1",)))
            assert await ask(asked) == (TEXT, Report(7, 3, "stop", sources=(source,)))
