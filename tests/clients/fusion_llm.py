"""Calls of CrewAI to an agent of Fusion, in CrewAI's environment; what came of them, as JSON."""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from __future__ import annotations

import asyncio
import copy
import json
import os
from typing import Any

from crewai import Agent, Crew, Task
from crewai.events import BaseEventListener, LLMCallCompletedEvent, LLMCallFailedEvent, LLMStreamChunkEvent
from crewai.tools import tool
from pydantic import BaseModel

from fusion_client import AgentNotFoundError
from fusion_client.integrations.crewai import FusionLLM

AGENT = os.environ["FUSION_AGENT_ID"]


class City(BaseModel):
    name: str


class Listener(BaseEventListener):  # type: ignore[misc]
    """Notes what CrewAI is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        super().__init__()

    def setup_listeners(self, bus: Any) -> None:
        for kind in (LLMCallCompletedEvent, LLMCallFailedEvent, LLMStreamChunkEvent):
            bus.on(kind)(lambda _source, event: self.heard.append(event.type))


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"28 degrees in {city}"


def crew_with_a_tool() -> str:
    agent = Agent(role="reporter", goal="Report", backstory="Brief.", tools=[get_weather], llm=FusionLLM(AGENT))
    task = Task(description="The weather in Recife?", expected_output="One line.", agent=agent)
    return str(Crew(agents=[agent], tasks=[task]).kickoff().raw)


def failure() -> str:
    try:
        FusionLLM(AGENT).call("Hello")
    except AgentNotFoundError as error:
        return type(error).__name__
    return "none"


def refusal(**arguments: Any) -> str:
    try:
        FusionLLM(AGENT).call("Hello", **arguments)
    except ValueError as error:
        return str(error)
    return "none"


if __name__ == "__main__":
    listener = Listener()
    streaming = FusionLLM(AGENT, stream=True, stop=["Four"], folder="counts")
    told = {
        "tool": crew_with_a_tool(),
        "whole": FusionLLM(AGENT, stop=["Four"]).call([{"role": "user", "content": "Count"}]),
        "async": asyncio.run(FusionLLM(AGENT).acall("Count")),
        "streamed": streaming.call("Count"),
        "streamed async": asyncio.run(copy.deepcopy(streaming).acall("Count")),
        "model": FusionLLM(AGENT).call("A city", response_model=City).name,
        "failure": failure(),
        "tools": refusal(tools=[{}]),
        "key in sight": os.environ["FUSION_API_KEY"] in f"{streaming!r}{streaming.model_dump()}",
    }
    print(json.dumps({**told, "heard": sorted(set(listener.heard))}))  # noqa: T201  # what the test reads
