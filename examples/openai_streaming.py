"""An answer printed as it is written, and its usage at the end, with the OpenAI SDK."""

import os

from openai import OpenAI

client = OpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:4000/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "none"),
)
stream = client.chat.completions.create(
    model="stackspot-chat",
    messages=[{"role": "user", "content": "Count from 1 to 20."}],
    stream=True,
    stream_options={"include_usage": True},
)
for chunk in stream:
    for choice in chunk.choices:  # the last chunk has no choice, only the usage
        print(choice.delta.content or "", end="", flush=True)
    if chunk.usage:
        print(f"\ntokens: {chunk.usage.prompt_tokens} in, {chunk.usage.completion_tokens} out")
