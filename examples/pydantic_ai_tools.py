"""A PydanticAI agent with a tool; all requests of a run carry one correlation id, as the proxy's log lines do."""

import os
import uuid

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

provider = OpenAIProvider(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:4000/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "none"),
)
agent = Agent(OpenAIChatModel("stackspot-chat", provider=provider), system_prompt="You answer in one line.")


@agent.tool_plain
def get_weather(city: str) -> str:
    """The weather of a city."""
    print(f"get_weather({city!r})")
    return f"28 degrees and sunny in {city}"


if __name__ == "__main__":
    correlation_id = os.environ.get("CORRELATION_ID") or str(uuid.uuid4())
    print(f"correlation id: {correlation_id}")
    run = agent.run_sync(
        "What is the weather in Recife?",
        model_settings=ModelSettings(extra_headers={"correlation-id": correlation_id}),
    )
    print(run.output)
    print(f"{run.usage.requests} requests, tokens: {run.usage.input_tokens} in, {run.usage.output_tokens} out")
