"""The provider in a Python program of your own: LiteLLM's SDK, without the proxy.

It reads the same settings as the proxy. Without credentials it starts an emulator in StackSpot's place.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # otherwise the import downloads the prices of other vendors

import litellm

from custom_handler import settings, stackspot_llm
from emulator import Emulator

litellm.custom_provider_map = [{"provider": "stackspot", "custom_handler": stackspot_llm}]


@contextmanager
def stackspot() -> Iterator[None]:
    """StackSpot as the settings say, or an emulator when they have no credentials."""
    if settings.find(settings.CLIENT_ID):
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
        )
        yield


if __name__ == "__main__":
    with stackspot():
        answer = litellm.completion(
            model="stackspot/chat",
            messages=[{"role": "user", "content": "How much is 17 * 3?"}],
            extra_headers={"correlation-id": "litellm-sdk-example"},
        )
        print(answer.choices[0].message.content)
        print(f"tokens: {answer.usage.prompt_tokens} in, {answer.usage.completion_tokens} out")
        for chunk in litellm.completion(
            model="stackspot/chat", messages=[{"role": "user", "content": "Count from 1 to 5."}], stream=True
        ):
            print(chunk.choices[0].delta.content or "", end="", flush=True)
        print()
