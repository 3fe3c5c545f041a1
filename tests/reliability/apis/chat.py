"""Chat completions."""

from __future__ import annotations

from collections.abc import Iterator

from tests.reliability.answer import Calls, Told, error_code
from tests.reliability.apis.api import Api, Json, Question


def _fields(question: Question) -> Json:
    functions = [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
        }
        for tool in question.tools
    ]
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{question.image}"}}
    content = [{"type": "text", "text": question.prompt}, *([image] if question.image else [])]
    return {"messages": [{"role": "user", "content": content}], **({"tools": functions} if functions else {})}


def _whole(answer: Json) -> Told:
    choice = answer["choices"][0]
    message = choice["message"]
    calls = tuple((c["function"]["name"], c["function"]["arguments"]) for c in message.get("tool_calls") or ())
    return Told(message["content"] or "", calls, complete=choice["finish_reason"] is not None)


def _streamed(events: Iterator[Json]) -> Told:
    texts, calls, complete, error = [], Calls(), False, None
    for event in events:
        if "error" in event:
            error = error_code(event["error"])
        for choice in event.get("choices", ()):
            texts.append(choice["delta"].get("content") or "")
            for call in choice["delta"].get("tool_calls") or ():
                calls.add(call["index"], call["function"].get("name"), call["function"].get("arguments"))
            complete = complete or choice.get("finish_reason") is not None
    return Told("".join(texts), calls.all(), complete, error)


CHAT = Api("chat", "/v1/chat/completions", _fields, _whole, _streamed)
