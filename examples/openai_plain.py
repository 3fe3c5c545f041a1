"""One question and its answer, with the OpenAI SDK."""

import os

from openai import OpenAI

client = OpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:4000/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "none"),
)
answer = client.chat.completions.create(
    model="stackspot-chat",
    messages=[
        {"role": "system", "content": "You answer in one line."},
        {"role": "user", "content": "How much is 17 * 3?"},
    ],
)
print(answer.choices[0].message.content)
if answer.usage:
    print(f"tokens: {answer.usage.prompt_tokens} in, {answer.usage.completion_tokens} out")
