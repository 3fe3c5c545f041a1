"""Two services, each of which takes over where the other fails: LiteLLM's fallbacks, in a program of your own.

In the proxy the same is two lines of config.yaml (router_settings). A service takes over only while nothing of the
answer has come. Without credentials this starts an emulator, of which StackSpot refuses the first two questions.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # otherwise the import downloads the prices of other vendors

import litellm
from litellm.router import Router

from custom_handler import fusion_llm, settings, stackspot_llm
from emulator import Emulator, Reply

FALLBACKS = [{"stackspot-chat": ["fusion-chat"]}, {"fusion-chat": ["stackspot-chat"]}]

litellm.custom_provider_map = [
    {"provider": "stackspot", "custom_handler": stackspot_llm},
    {"provider": "fusion", "custom_handler": fusion_llm},
]


@contextmanager
def services() -> Iterator[None]:
    """The services as the settings say, or an emulator when they have no credentials of either."""
    if settings.find(settings.CLIENT_ID) or settings.find(settings.FUSION_API_KEY):
        yield
        return
    with Emulator() as emulator:
        os.environ.update(
            STACKSPOT_CLIENT_ID="any",
            STACKSPOT_CLIENT_SECRET="any",  # noqa: S106 # the emulator accepts any
            STACKSPOT_REALM="any",
            STACKSPOT_GENAI_AGENT_ID="01ARZ3NDEKTSV4RRFFQ69G5FAV",
            STACKSPOT_IDM_URL=emulator.url,
            STACKSPOT_INFERENCE_URL=emulator.url,
            FUSION_API_KEY="any",
            FUSION_AGENT_ID="00000000-0000-4000-8000-000000000000",
            FUSION_BASE_URL=emulator.fusion_url,
        )
        # The script is one for both services: each refusal strikes StackSpot, and what is behind it answers.
        emulator.script(Reply(fault="forbidden"), Reply("17 * 3 = 51"), Reply(fault="forbidden"), Reply("1, 2, 3"))
        yield


async def main() -> None:
    """Two questions to StackSpot, which Fusion answers if it must: a whole answer, and one as it is written."""
    router = Router(
        model_list=[
            {"model_name": "stackspot-chat", "litellm_params": {"model": "stackspot/chat"}},
            {"model_name": "fusion-chat", "litellm_params": {"model": "fusion/chat"}},
        ],
        fallbacks=FALLBACKS,
        num_retries=0,  # the provider repeats a call itself, where that is safe
        disable_cooldowns=True,
    )
    question: Any = [{"role": "user", "content": "How much is 17 * 3?"}]
    answer = await router.acompletion("stackspot-chat", question)
    print(answer.choices[0].message.content)
    question = [{"role": "user", "content": "Count from 1 to 3."}]
    async for chunk in await router.acompletion("stackspot-chat", question, stream=True):
        print(chunk.choices[0].delta.content or "", end="", flush=True)
    print()


if __name__ == "__main__":
    with services():
        asyncio.run(main())
