"""What the proxy is measured against: LiteLLM providers that do less than any real one."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import AsyncGenerator
from typing import Any

import httpx
from litellm.llms.custom_llm import CustomLLM
from litellm.types.utils import Choices, Delta, Message, ModelResponse, ModelResponseStream, StreamingChoices, Usage


def _usage() -> Usage:
    return Usage(prompt_tokens=1, completion_tokens=1, total_tokens=2)


class DoNothing(CustomLLM):
    """Answers without asking anybody: one word, or streamed, as many as the first message says, one a chunk."""

    async def acompletion(self, *_: Any, **given: Any) -> ModelResponse:
        """A whole answer."""
        choice = Choices(finish_reason="stop", message=Message(content="word "))
        return ModelResponse(model=given["model"], choices=[choice], usage=_usage())

    async def astreaming(self, *_: Any, **given: Any) -> AsyncGenerator[ModelResponseStream, None]:  # type: ignore[override] # LiteLLM's type names its older chunk form only
        """An answer in chunks."""
        same: dict[str, Any] = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": "nothing"}

        def chunk(finish_reason: str | None = None, **delta: Any) -> ModelResponseStream:
            choice = StreamingChoices(finish_reason=finish_reason, delta=Delta(**delta))
            return ModelResponseStream(choices=[choice], **same)

        for _word in range(int(given["messages"][0]["content"])):
            yield chunk(content="word ")
        usage = chunk()
        usage.usage = _usage()
        yield usage
        yield chunk(finish_reason="stop")


class BareCall(DoNothing):
    """Does nothing but send the one request that cannot be left out, with httpx alone, and throw its answer away."""

    def __init__(self) -> None:
        super().__init__()
        self._client: httpx.AsyncClient | None = None

    async def acompletion(self, *_: Any, **given: Any) -> ModelResponse:
        """A whole answer."""
        client = self._client = self._client or await _signed_in()
        url = f"/v1/agent/{os.environ['GENAI_AGENT_ID']}/chat"
        async with client.stream("POST", url, json={"user_prompt": "Hi", "streaming": True}) as response:
            response.raise_for_status()
            async for _data in response.aiter_bytes():
                pass
        return await super().acompletion(**given)


async def _signed_in() -> httpx.AsyncClient:
    client = httpx.AsyncClient(base_url=os.environ["STACKSPOT_INFERENCE_URL"])
    form = {"grant_type": "client_credentials", "client_id": "bench", "client_secret": "bench"}
    token = (await client.post("/bench/oidc/oauth/token", data=form)).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return client


do_nothing = DoNothing()
bare_call = BareCall()
