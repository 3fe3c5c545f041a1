"""What an API is here: how to ask, and how to read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.reliability.answer import Told, error_code

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as every API needs it, each in a form of its own."""

    name: str
    description: str
    parameters: Json


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, for each API to say in its own form.

    Attributes:
        image: a PNG as base64, sent along with the prompt; empty for none.
    """

    prompt: str
    tools: tuple[Tool, ...] = ()
    image: str = ""


@dataclass(frozen=True, slots=True)
class Api:
    """One API.

    Attributes:
        name: as the tables call it.
        path: where it is served.
        fields: those of a request that ask a question.
        whole: what an answer in one piece means.
        streamed: what the events of a stream mean.
    """

    name: str
    path: str
    fields: Callable[[Question], Json]
    whole: Callable[[Json], Told]
    streamed: Callable[[Iterator[Json]], Told]

    def body(self, model: str, question: Question | str, *, stream: bool) -> Json:
        """A request; a text is a question without more."""
        asked = Question(question) if isinstance(question, str) else question
        return {"model": model, "stream": stream, **self.fields(asked)}

    def read(self, status: int, body: str) -> Told:
        """What an answer means. A body that is no JSON is an error without form."""
        try:
            if body.startswith(("data:", "event:", ":")):
                return self.streamed(_events(body))
            value = json.loads(body)
            return self.whole(value) if status < 400 else Told(error=error_code(value["error"]))
        except (ValueError, LookupError, TypeError):
            return Told(error="formless")


def _events(body: str) -> Iterator[Json]:
    whole_events, _, _cut = body.rpartition("\n\n")
    for line in whole_events.split("\n"):  # not splitlines: U+2028 is no line end here
        if line.startswith("data: {"):
            yield json.loads(line.removeprefix("data: "))
