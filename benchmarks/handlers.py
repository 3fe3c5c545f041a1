"""LiteLLM providers to measure the product's against."""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import httpx
from httpx_sse import aconnect_sse
from litellm.llms.custom_llm import CustomLLM
from litellm.types.utils import Choices, Delta, Message, ModelResponse, ModelResponseStream, StreamingChoices, Usage


class OneToOne(CustomLLM):
    """Asks the agent with httpx, reads its events with httpx-sse, and gives LiteLLM a chunk for each of them."""

    def __init__(self) -> None:
        super().__init__()
        self._client: httpx.AsyncClient | None = None

    async def acompletion(self, *_: Any, **given: Any) -> ModelResponse:
        """A whole answer."""
        text = "".join([word async for word in self._words(given["messages"][-1]["content"])])
        choice = Choices(finish_reason="stop", message=Message(content=text))
        return ModelResponse(model=given["model"], choices=[choice], usage=_usage())

    async def astreaming(self, *_: Any, **given: Any) -> AsyncGenerator[ModelResponseStream, None]:  # type: ignore[override] # LiteLLM's type names its older chunk form only
        """An answer in chunks."""
        same: dict[str, Any] = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": "bench"}

        def chunk(finish_reason: str | None = None, **delta: Any) -> ModelResponseStream:
            choice = StreamingChoices(finish_reason=finish_reason, delta=Delta(**delta))
            return ModelResponseStream(choices=[choice], **same)

        async for word in self._words(given["messages"][-1]["content"]):
            yield chunk(content=word)
        usage = chunk()
        usage.usage = _usage()
        yield usage
        yield chunk(finish_reason="stop")

    async def _words(self, question: str) -> AsyncIterator[str]:
        client = self._client = self._client or await _signed_in()
        url, body = f"/v1/agent/{os.environ['GENAI_AGENT_ID']}/chat", {"user_prompt": question, "streaming": True}
        async with aconnect_sse(client, "POST", url, json=body) as answer:
            async for event in answer.aiter_sse():
                if word := json.loads(event.data).get("message"):
                    yield word


class DoNothing(OneToOne):
    """Answers without asking anybody, with as many words as the question says, one a chunk."""

    async def _words(self, question: str) -> AsyncIterator[str]:
        for number in range(int(re.findall(r"\d+", question)[0])):
            yield f"word{number % 10} "


def _usage() -> Usage:
    return Usage(prompt_tokens=5, completion_tokens=1, total_tokens=6)


async def _signed_in() -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
    client = httpx.AsyncClient(base_url=os.environ["STACKSPOT_INFERENCE_URL"], limits=limits, timeout=60)
    form = {"grant_type": "client_credentials", "client_id": "bench", "client_secret": "bench"}
    token = (await client.post("/bench/oidc/oauth/token", data=form)).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return client


one_to_one = OneToOne()
do_nothing = DoNothing()
