"""The least that a LiteLLM provider can do: what LiteLLM itself costs is measured with it."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator
from typing import Any

from litellm.llms.custom_llm import CustomLLM
from litellm.types.utils import Choices, Delta, Message, ModelResponse, ModelResponseStream, StreamingChoices, Usage


class DoNothing(CustomLLM):
    """Answers at once with as many words, one a chunk, as the model's name says: `nothing/200`."""

    async def acompletion(self, *_: Any, **given: Any) -> ModelResponse:
        """A whole answer."""
        return ModelResponse(
            model=given["model"],
            choices=[Choices(finish_reason="stop", message=Message(content="word " * int(given["model"])))],
            usage=Usage(prompt_tokens=1, completion_tokens=1, total_tokens=2),
        )

    async def astreaming(self, *_: Any, **given: Any) -> AsyncGenerator[ModelResponseStream, None]:  # type: ignore[override] # LiteLLM's type names its older chunk form only
        """An answer in chunks."""
        same: dict[str, Any] = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": "nothing"}

        def chunk(finish_reason: str | None = None, **delta: Any) -> ModelResponseStream:
            choice = StreamingChoices(finish_reason=finish_reason, delta=Delta(**delta))
            return ModelResponseStream(choices=[choice], **same)

        for _word in range(int(given["model"])):
            yield chunk(content="word ")
        usage = chunk()
        usage.usage = Usage(prompt_tokens=1, completion_tokens=1, total_tokens=2)
        yield usage
        yield chunk(finish_reason="stop")


do_nothing = DoNothing()
