"""Asking an agent of any service: every variant and fault of the contracts, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from custom_handler import errors
from custom_handler.attachments import Attachment
from custom_handler.upstream.asking import tries
from custom_handler.upstream.base import ConversationLostError, Delta, Query
from custom_handler.upstream.pool import Asking
from custom_handler.upstream.retry import retrying
from emulator import Emulator, Reply
from tests.support.files import PDF, PNG, attachment
from tests.support.services import FUSION, Served
from tests.support.upstreams import RunningAgent
from tests.support.upstreams import ask as asked

TEXT = "Olá, mundo! 😀 Tudo bem?"


@pytest.fixture
async def agent(service: Served, emulator: Emulator) -> AsyncIterator[Any]:
    async with RunningAgent(service, emulator) as running:
        yield running


async def ask(agent: Any, prompt: str = "Hi", files: tuple[Attachment, ...] = ()) -> str:
    """The text of one answer, asked without waiting between tries."""
    return (await asked(agent, Query(prompt, files)))[0]


FILES = (attachment(PDF, "a.pdf"), attachment(PNG, "b.png"))


def begun(service: Served) -> str:
    """The id of a conversation that begins; one of the two services chooses it."""
    return "" if service is FUSION else "01KJJB4T9SP5V1SYDEYHTZ5N6Y"


async def test_a_conversation_goes_on_where_the_service_said_that_it_remembers(
    emulator: Emulator, agent: Any, service: Served
) -> None:
    emulator.script(Reply(TEXT), Reply("Sim."))
    _, report = await asked(agent, Query("Olá?", conversation_id=begun(service)))
    assert report.conversation_id
    _, later = await asked(agent, Query("E?", conversation_id=report.conversation_id, continues=True))
    assert later.conversation_id == report.conversation_id
    assert service.conversation(emulator.chats[1]) == report.conversation_id
    assert service.prompt(emulator.chats[1]) == "E?"


async def test_what_is_asked_again_is_asked_without_its_conversation(
    emulator: Emulator, agent: Any, service: Served
) -> None:
    emulator.script(*[Reply(fault="unavailable")] * 2, Reply(TEXT))
    each = tries(Query("Olá?", conversation_id=begun(service)))
    pieces = [piece async for piece in retrying(lambda: agent._ask(next(each)), delays=(0, 0, 0))]
    assert pieces[0] == Delta(TEXT)
    of_its_own = emulator.chats[-1].chat_id  # what is answered by Fusion is always in a chat
    assert [service.conversation(chat) for chat in emulator.chats] == [begun(service) or None, None, of_its_own]


async def test_what_needs_its_conversation_is_not_asked_again(emulator: Emulator, agent: Any, service: Served) -> None:
    _, report = await asked(agent, Query("Hi", conversation_id=begun(service)))
    emulator.script(Reply(fault="unavailable"))
    each = tries(Query("And now?", conversation_id=report.conversation_id, continues=True))
    with pytest.raises(ConversationLostError):
        await anext(retrying(lambda: agent._ask(next(each)), delays=(0, 0, 0)))
    assert len(emulator.chats) == 2


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("json_body", TEXT),
        ("no_final_frame", TEXT),
        ("no_blank_line", TEXT),
        ("no_line_end", TEXT),
        ("done_marker", TEXT),
        ("null_tokens", TEXT),
        ("tokens_is_null", TEXT),
        ("no_tokens", TEXT),
        ("string_tokens", TEXT),
        ("user_enrichment_tokens", TEXT),
        ("ping_after_id", TEXT),
        ("byte_order_mark", TEXT),
        ("split_surrogates", TEXT),
        ("lone_surrogate", "Olá, mundo\ufffd! 😀 Tudo bem?"),
        ("line_separators", "Olá, mundo\u2028\u2029\u0085! 😀 Tudo bem?"),
        ("plain_text_frame", TEXT),
        ("no_space", TEXT),
        ("gzip", TEXT),
    ],
)
async def test_odd_streams_lose_nothing(emulator: Emulator, agent: Any, fault: str, text: str) -> None:
    emulator.script(Reply(TEXT, fault=fault))
    assert await ask(agent) == text
    assert len(emulator.chats) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("forbidden", errors.AgentRefusedError),
        ("too_long", errors.ContextWindowError),
        ("not_found", errors.RequestError),
        ("unprocessable", errors.RequestError),
        ("drop_in_stream", errors.BrokenAnswerError),
        ("cut_in_frame", errors.BrokenAnswerError),
        ("error_event", errors.BrokenAnswerError),
        ("error_type", errors.BrokenAnswerError),
        ("error_object", errors.BrokenAnswerError),
        ("error_text", errors.BrokenAnswerError),
        ("nested", errors.BrokenAnswerError),
    ],
)
async def test_faults_that_stay_are_errors_after_one_try(
    emulator: Emulator, agent: Any, fault: str, error: type[Exception]
) -> None:
    emulator.script(Reply(TEXT, fault=fault, after=8, chunk=2), Reply("must not be asked for"))
    with pytest.raises(error) as raised:
        await ask(agent)
    assert type(raised.value) is error
    assert len(emulator.chats) == 1


@pytest.mark.parametrize(
    "fault", ["server_error", "bad_gateway", "unavailable", "gateway_timeout", "drop_before", "error_event"]
)
async def test_faults_that_pass_are_not_seen(emulator: Emulator, agent: Any, fault: str) -> None:
    emulator.script(*[Reply(TEXT, fault=fault, after=0)] * 3, Reply(TEXT))
    assert await ask(agent) == TEXT
    assert len(emulator.chats) == 4


async def test_a_connection_that_is_reset_never_doubles_or_mixes_text(emulator: Emulator, agent: Any) -> None:
    # A reset discards what the kernel has not delivered, so the error may come before any text was seen.
    emulator.script(Reply("first answer", fault="reset_in_stream", after=8, chunk=2), Reply("second answer"))
    try:
        assert await ask(agent) == "second answer"
    except errors.BrokenAnswerError:
        assert len(emulator.chats) == 1


async def test_an_answer_that_ends_before_it_begins_is_asked_for_again(emulator: Emulator, agent: Any) -> None:
    emulator.script(Reply("", fault="no_final_frame"), Reply(TEXT))
    assert await ask(agent) == TEXT


async def test_a_web_page_instead_of_an_answer_is_an_error_that_suspects_a_proxy(
    emulator: Emulator, agent: Any
) -> None:
    emulator.script(*[Reply(TEXT, headers={"content-type": "text/html"})] * 4)
    with pytest.raises(errors.BrokenAnswerError, match="login page of a proxy"):
        await ask(agent)


async def test_events_without_text_for_too_long_are_a_timeout(emulator: Emulator, service: Served) -> None:
    emulator.script(Reply(TEXT, fault="endless_empty", after=4))
    async with RunningAgent(service, emulator, Asking(timeout=0.05)) as impatient:
        with pytest.raises(errors.UpstreamTimeoutError, match="only empty events"):
            await ask(impatient)


async def test_a_client_that_reads_slowly_is_not_taken_for_a_service_that_is_silent(
    emulator: Emulator, service: Served
) -> None:
    emulator.script(Reply(TEXT, hold_after=len(TEXT)))
    patience = 0.2
    async with RunningAgent(service, emulator, Asking(timeout=patience)) as agent:
        pieces = agent.stream(Query("Hi"))
        text = ""
        while text != TEXT:
            piece = await anext(pieces)
            assert isinstance(piece, Delta)
            text += piece.text
        emulator.wait_for(lambda e: e.chats[0].held)
        emulator.release()
        emulator.wait_for(lambda e: e.chats[0].finished)
        await asyncio.sleep(2 * patience)  # the client's own time
        (report,) = [piece async for piece in pieces]
        assert report.stop_reason == "stop"


async def test_silence_for_too_long_is_a_timeout(emulator: Emulator, service: Served) -> None:
    emulator.script(Reply(TEXT, hold_after=4))
    async with RunningAgent(service, emulator, Asking(timeout=0.2)) as impatient:
        with pytest.raises(errors.UpstreamTimeoutError, match="did not answer in time"):
            await ask(impatient)


async def test_a_service_that_is_not_there_is_named(emulator: Emulator, service: Served) -> None:
    async with RunningAgent(service, emulator, url="http://127.0.0.1:9") as gone:
        with pytest.raises(errors.UnreachableError, match=rf"{service.title} at 127\.0\.0\.1:9"):
            await ask(gone)


@pytest.mark.parametrize("reply", [Reply(TEXT, hold_after=4), Reply(TEXT, fault="endless_empty", after=4)])
async def test_closing_the_answer_closes_the_connection(emulator: Emulator, agent: Any, reply: Reply) -> None:
    emulator.script(reply)
    pieces = agent.stream(Query("Hi"))
    await anext(pieces)
    await pieces.aclose()
    emulator.wait_for(lambda e: e.chats[0].disconnected, timeout=1)


async def test_who_is_cancelled_again_and_again_is_cancelled_and_nothing_else(emulator: Emulator, agent: Any) -> None:
    """As anyio does it when a client hangs up, until its scope is left."""
    emulator.script(Reply(TEXT, hold_after=5))
    began = asyncio.Event()

    async def read() -> None:
        async for _ in agent.stream(Query("Hi")):
            began.set()

    reading = asyncio.create_task(read())
    await began.wait()
    while not reading.done():
        reading.cancel()
        await asyncio.sleep(0)
    assert reading.cancelled()


async def test_half_characters_in_a_prompt_do_not_stop_it(emulator: Emulator, agent: Any, service: Served) -> None:
    emulator.script(Reply(TEXT))
    await ask(agent, "a\ud83d")
    assert service.prompt(emulator.chats[0]) == "a\ufffd"


async def test_files_are_uploaded_before_the_agent_is_asked(emulator: Emulator, agent: Any, service: Served) -> None:
    text = await ask(agent, "What is in them?", FILES)
    assert text == f"I have received a.pdf ({len(PDF)} bytes), b.png ({len(PNG)} bytes)."
    sent = emulator.chats[0].json["files" if service is FUSION else "upload_ids"]
    assert sorted(sent) == sorted(file.id for file in emulator.files)
    assert emulator.requests.index(emulator.chats[0]) == len(emulator.requests) - 1


async def test_a_file_is_uploaded_once(emulator: Emulator, agent: Any) -> None:
    for _ in range(2):
        await ask(agent, "What is in it?", FILES[:1])
    assert len(emulator.files) == 1
