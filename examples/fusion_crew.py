# mypy: disable-error-code="import-not-found"
# CrewAI is not among the packages that the tests install: its own dependencies do not go with the proxy's.
"""A CrewAI crew of two agents and two tasks, both thought by an agent of Fusion, without the proxy."""

import os

# CrewAI reports to its vendor otherwise.
os.environ["CREWAI_DISABLE_TELEMETRY"] = "true"
os.environ["CREWAI_TRACING_ENABLED"] = "false"
os.environ["OTEL_SDK_DISABLED"] = "true"

from crewai import Agent, Crew, Task

from fusion_client.integrations.crewai import FusionLLM

if __name__ == "__main__":
    # The key and the address come from FUSION_API_KEY and FUSION_BASE_URL.
    llm = FusionLLM(os.environ["FUSION_AGENT_ID"])
    researcher = Agent(role="researcher", goal="Find figures", backstory="You answer in one line.", llm=llm)
    writer = Agent(role="writer", goal="Write reports", backstory="You write one sentence.", llm=llm)
    research = Task(description="How much is 17 * 3?", expected_output="The result alone.", agent=researcher)
    report = Task(description="Report the result.", expected_output="One sentence.", agent=writer, context=[research])
    crew = Crew(agents=[researcher, writer], tasks=[research, report])
    for output in crew.kickoff().tasks_output:
        print(f"{output.agent}: {output.raw}")
