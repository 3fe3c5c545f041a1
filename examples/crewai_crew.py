# mypy: disable-error-code="import-not-found, untyped-decorator"
# CrewAI is not among the packages that the tests install: its own dependencies do not go with the proxy's.
"""A CrewAI crew of one agent with a tool."""

import os

# CrewAI reports to its vendor otherwise.
os.environ["CREWAI_DISABLE_TELEMETRY"] = "true"
os.environ["CREWAI_TRACING_ENABLED"] = "false"
os.environ["OTEL_SDK_DISABLED"] = "true"

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool

llm = LLM(
    model="openai/stackspot-chat",
    base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:4000/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "none"),
)


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    print(f"get_weather({city!r})")
    return f"28 degrees and sunny in {city}"


if __name__ == "__main__":
    reporter = Agent(
        role="reporter",
        goal="Report the weather",
        backstory="You report the weather in one line.",
        tools=[get_weather],
        llm=llm,
    )
    task = Task(
        description="What is the weather in Recife?", expected_output="One line about the weather.", agent=reporter
    )
    print(Crew(agents=[reporter], tasks=[task]).kickoff().raw)
