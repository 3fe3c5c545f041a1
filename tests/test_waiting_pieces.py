"""Pieces that wait for LiteLLM become one chunk, none waits for another, and nothing changes but their number."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from custom_handler import StackspotLLM
from custom_handler.markers import render_call
from emulator import Emulator, Reply

pytestmark = pytest.mark.usefixtures("settings_set")

HI = [{"role": "user", "content": "Hi"}]
TOOLS = [{"type": "function", "function": {"name": "write", "parameters": {"type": "object"}}}]
WORDS = "".join(f"word{number} " for number in range(200))
CODE = '{"path": "a.py", "content": "' + WORDS * 3 + '"}'


@pytest.fixture
async def provider() -> StackspotLLM:
    return StackspotLLM()


def content(chunk: Any) -> str:
    """The text in a chunk, or the arguments of the call in it."""
    delta = chunk.choices[0].delta
    return "".join([delta.content or "", *(call.function.arguments for call in delta.tool_calls or ())])


async def asked(provider: StackspotLLM, emulator: Emulator, reply: Reply) -> tuple[str, list[str]]:
    """The first content of an answer, and what comes once the service has written everything."""
    emulator.script(reply)
    chunks = provider.astreaming(model="chat", messages=HI, optional_params={"tools": TOOLS})
    contents = (text async for chunk in chunks if (text := content(chunk)))
    first = await anext(contents)
    emulator.release()
    await asyncio.to_thread(emulator.wait_for, lambda e: e.chats[0].finished)
    return first, [text async for text in contents]


@pytest.mark.parametrize("size", [1, 6, 40])
async def test_the_first_piece_comes_while_the_service_holds_back_the_second(
    provider: StackspotLLM, emulator: Emulator, size: int
) -> None:
    first, rest = await asked(provider, emulator, Reply(WORDS, chunk=size, hold_after=size))
    assert first == WORDS[:size]
    assert first + "".join(rest) == WORDS


async def test_what_waits_becomes_few_chunks_of_the_same_text(provider: StackspotLLM, emulator: Emulator) -> None:
    first, rest = await asked(provider, emulator, Reply(WORDS, chunk=6, hold_after=6))
    assert first + "".join(rest) == WORDS
    assert len(rest) <= 10, "of some 230 frames"


async def test_so_do_arguments_of_a_call_that_is_sent_as_it_comes(provider: StackspotLLM, emulator: Emulator) -> None:
    text = render_call("write", CODE)
    begun = text.index(CODE) + 1200  # beyond what is held to be checked
    first, rest = await asked(provider, emulator, Reply(text, chunk=6, hold_after=begun))
    assert first
    assert first + "".join(rest) == CODE
    assert len(rest) <= 10, "of some 400 frames"
