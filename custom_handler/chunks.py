"""Events → OpenAI's shapes, as LiteLLM types them: one chunk an event, or all of them folded into one answer."""

from __future__ import annotations

import time
from collections.abc import AsyncIterable
from typing import Any

from litellm.types.utils import (
    ChatCompletionDeltaToolCall,
    ChatCompletionMessageToolCall,
    Choices,
    Delta,
    Function,
    Message,
    ModelResponse,
    ModelResponseStream,
    StreamingChoices,
)
from litellm.types.utils import Usage as LiteLLMUsage

from custom_handler.events import Event, Finish, FinishReason, Text, ToolCall, Usage
from custom_handler.ids import CallIds, new_answer_id


class Chunker:
    """Turns the events of one answer into chunks with one id, one timestamp, and `role` in the first of them.

    Args:
        model: the model's name on every chunk.
        call_ids: ids for the calls.
    """

    def __init__(self, model: str, call_ids: CallIds) -> None:
        self._same: dict[str, Any] = {"id": new_answer_id(), "created": int(time.time()), "model": model}
        self._call_ids = call_ids
        self._calls = 0
        self._role: str | None = "assistant"

    def chunk(self, event: Event) -> ModelResponseStream:
        """The chunk of `event`.

        Usage gets a chunk of its own with an empty delta: LiteLLM replaces usage that comes with or after the finish
        reason by an estimate.
        """
        match event:
            case Text(text):
                return self._chunk(content=text)
            case ToolCall():
                return self._chunk(tool_calls=[self._tool_call(event)])
            case Usage():
                chunk = self._chunk()
                chunk.usage = _usage(event)
                return chunk
            case Finish(reason):
                return self._chunk(finish_reason=reason)

    def _chunk(self, finish_reason: FinishReason | None = None, **delta: Any) -> ModelResponseStream:
        role, self._role = self._role, None
        choice = StreamingChoices(finish_reason=finish_reason, delta=Delta(role=role, **delta))
        return ModelResponseStream(choices=[choice], **self._same)

    def _tool_call(self, call: ToolCall) -> ChatCompletionDeltaToolCall:
        index = self._calls
        self._calls += 1
        return ChatCompletionDeltaToolCall(
            id=self._call_ids.of(index),
            index=index,
            type="function",
            function=Function(name=call.name, arguments=call.arguments),
        )


async def fold(events: AsyncIterable[Event], model: str, call_ids: CallIds) -> ModelResponse:
    """All of `events` as one answer."""
    texts: list[str] = []
    calls: list[ToolCall] = []
    usage, reason = Usage(0, 0), "stop"
    async for event in events:
        match event:
            case Text(text):
                texts.append(text)
            case ToolCall():
                calls.append(event)
            case Usage():
                usage = event
            case Finish():
                reason = event.reason
    message = Message(
        role="assistant", content="".join(texts) or (None if calls else ""), tool_calls=_tool_calls(calls, call_ids)
    )
    return ModelResponse(
        id=new_answer_id(),
        created=int(time.time()),
        model=model,
        choices=[Choices(finish_reason=reason, index=0, message=message)],
        usage=_usage(usage),
    )


def _tool_calls(calls: list[ToolCall], call_ids: CallIds) -> list[ChatCompletionMessageToolCall] | None:
    return [
        ChatCompletionMessageToolCall(
            id=call_ids.of(index), type="function", function=Function(name=call.name, arguments=call.arguments)
        )
        for index, call in enumerate(calls)
    ] or None


def _usage(usage: Usage) -> LiteLLMUsage:
    return LiteLLMUsage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_tokens=usage.prompt_tokens + usage.completion_tokens,
    )
