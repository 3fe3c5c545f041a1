"""What LiteLLM calls with every stream."""

from __future__ import annotations

from collections.abc import AsyncIterator

from litellm.types.utils import Delta, ModelResponseStream, StreamingChoices, Usage

from custom_handler.hooks import proxy_hooks


def chunk(created: int, content: str | None = None) -> ModelResponseStream:
    return ModelResponseStream(id="x", created=created, choices=[StreamingChoices(delta=Delta(content=content))])


async def of(*chunks: ModelResponseStream) -> AsyncIterator[ModelResponseStream]:
    for one in chunks:
        yield one


async def through_hook(*chunks: ModelResponseStream) -> list[ModelResponseStream]:
    hook = proxy_hooks.async_post_call_streaming_iterator_hook
    return [one async for one in hook(response=of(*chunks), request_data={})]


async def test_all_chunks_of_an_answer_have_the_time_of_the_first() -> None:
    chunks = await through_hook(chunk(100, "a"), chunk(101, "b"), chunk(102))
    assert [one.created for one in chunks] == [100, 100, 100]


async def test_a_chunk_with_nothing_but_usage_has_no_choices() -> None:
    last = chunk(100)
    last.usage = Usage(prompt_tokens=1, completion_tokens=1, total_tokens=2)
    chunks = await through_hook(chunk(100, "a"), last)
    assert [len(one.choices) for one in chunks] == [1, 0]
