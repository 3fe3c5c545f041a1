"""Events → OpenAI's shapes, as LiteLLM types them: one chunk an event, or all of them folded into one answer."""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, Sequence
from typing import Any

import orjson
from litellm.types.llms.openai import ChatCompletionAnnotation, ChatCompletionAnnotationURLCitation
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

from custom_handler.events import (
    CallArguments,
    CallBegan,
    Event,
    Finish,
    FinishReason,
    Reasoning,
    Source,
    Sources,
    Text,
    ToolCall,
    Usage,
)
from custom_handler.folding import Folded
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
            case Reasoning(text):
                return self._chunk(reasoning_content=text)
            case ToolCall() | CallBegan():
                return self._chunk(tool_calls=[self._begin_call(event)])
            case CallArguments(text):
                return self._chunk(tool_calls=[self._continue_call(text)])
            case Sources(sources):
                return self._chunk(annotations=_annotations(sources))
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

    def _begin_call(self, call: ToolCall | CallBegan) -> ChatCompletionDeltaToolCall:
        index = self._calls
        self._calls += 1
        return ChatCompletionDeltaToolCall(
            id=self._call_ids.of(index),
            index=index,
            type="function",
            function=Function(name=call.name, arguments=call.arguments if isinstance(call, ToolCall) else ""),
        )

    def _continue_call(self, arguments: str) -> ChatCompletionDeltaToolCall:
        """More arguments of the last call: its id and name were told and are not told again."""
        function = Function(name=None, arguments=arguments)
        return ChatCompletionDeltaToolCall(id=None, index=self._calls - 1, type=None, function=function)


async def fold(events: AsyncIterable[Event], model: str, call_ids: CallIds) -> ModelResponse:
    """All of `events` as one answer."""
    folded = Folded()
    async for event in events:
        folded.take(event)
    return ModelResponse(
        id=new_answer_id(),
        created=int(time.time()),
        model=model,
        choices=[Choices(finish_reason=folded.finish_reason, index=0, message=_message(folded, call_ids))],
        usage=_usage(folded.usage),
    )


def _message(folded: Folded, call_ids: CallIds) -> Message:
    """The assistant's message."""
    found = list(folded.calls)
    if folded.finish_reason == "length" and found and not _is_json(found[-1].arguments):
        found.pop()  # it was cut on its way; LiteLLM's translations fail on half of it
    calls = [
        ChatCompletionMessageToolCall(
            id=call_ids.of(index), type="function", function=Function(name=call.name, arguments=call.arguments)
        )
        for index, call in enumerate(found)
    ]
    return Message(
        role="assistant",
        content=folded.text or (None if calls else ""),
        tool_calls=calls or None,
        reasoning_content=folded.thoughts or None,
        annotations=_annotations(folded.sources) or None,
    )


def _annotations(sources: Sequence[Source]) -> list[ChatCompletionAnnotation]:
    """OpenAI's form. StackSpot does not tell which of the text a source is for, so none is marked."""
    return [
        ChatCompletionAnnotation(
            type="url_citation",
            url_citation=ChatCompletionAnnotationURLCitation(
                start_index=0, end_index=0, title=source.title, url=source.url
            ),
        )
        for source in sources
    ]


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _usage(usage: Usage) -> LiteLLMUsage:
    return LiteLLMUsage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_tokens=usage.prompt_tokens + usage.completion_tokens,
    )
