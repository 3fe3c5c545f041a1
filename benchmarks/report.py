"""The results as they stand in docs/benchmarks.md, and how they get there."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version

from tests.support.program import ROOT
from tests.support.published import Place

DOCUMENT = ROOT / "docs" / "benchmarks.md"
PLACE = Place.of("make bench")

_REPORT = """
Measured in one run of {minutes:.0f} minutes on {cores} cores with Python {python} and LiteLLM {litellm}.

## Proxy

Five programs, each with one worker, stand in front of one service and are asked in turn, a block of requests each, so
that a change of the machine's speed hits all of them, and each time another one goes first:

- **the proxy** as `make run` starts it, without quotas, in front of a service that speaks as StackSpot does and closes
  the connection behind every answer as StackSpot does;
- **do-nothing provider**: LiteLLM and a `CustomLLM` that asks nobody and answers at once;
- **LiteLLM's `openai/`** provider, in front of the same service speaking OpenAI's API, on connections that are kept;
- **FastAPI + httpx** that passes OpenAI's API through, byte for byte;
- **one-to-one provider**: LiteLLM and a `CustomLLM` that asks StackSpot with httpx and gives a chunk for each event.

A request is a short chat. In parentheses: the proxy's figure as a multiple of this one. CPU is the processor time of
the program, all its threads, as the kernel counts it; memory is what it has after everything; start-up ends with its
first answer. *Added to the first token* is the time to it in a stream, less what the service alone takes.

Chunks are the service's: 200 a stream, 16 streams at once, each chunk written as soon as the one before it is gone.
*Text a CPU second* is what the clients get of them. At 100 tokens a second, a chunk follows the one before it after
10 ms: 64 such streams are more than LiteLLM can pass on one by one, 16 are less.

{proxy}

The service and the load kept at most {beside:.2f} of a core busy meanwhile.

## Building prompts

From the request to the prompt that is sent: checked, rendered, and weighed against the model's limit. Processor time,
the best of 20; for tools that were never seen, and for those that were in an earlier request.

{prompts}

## Reading answers

Megabytes a second of processor time on the way from what the agent writes to what the client gets: parsed, mended,
checked, given out. For answers that come in pieces of so many characters. Memory is the most that reading takes, beside
the answer itself.

{reading}

## Tools

What tools cost in the prompt, in LiteLLM's own tokens: our declarations against the same tools as JSON Schema without
spaces. *Structure* is what is left without names, descriptions and enum values, which no form can leave out; the last
column does not count the names that `required` repeats either. The explanation of the notation costs {notation} tokens,
once a prompt.

{tools}

"""


@dataclass(frozen=True, slots=True)
class Measured:
    """All tables; the cores that the service and the load took; the tokens of the notation; the minutes of it all."""

    proxy: str
    beside: float
    prompts: str
    reading: str
    tools: str
    notation: int
    minutes: float


def report(measured: Measured) -> str:
    """All results, each with a word on how it was come by."""
    return _REPORT.format(
        minutes=measured.minutes,
        cores=os.cpu_count(),
        python=platform.python_version(),
        litellm=version("litellm"),
        proxy=measured.proxy,
        beside=measured.beside,
        prompts=measured.prompts,
        reading=measured.reading,
        tools=measured.tools,
        notation=measured.notation,
    )
