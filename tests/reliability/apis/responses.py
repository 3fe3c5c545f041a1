"""OpenAI's Responses API."""

from __future__ import annotations

from collections.abc import Iterator

from tests.reliability.answer import Calls, Told, error_code
from tests.reliability.apis.api import Api, Json, Question


def _fields(question: Question) -> Json:
    functions = [
        {"type": "function", "name": tool.name, "description": tool.description, "parameters": tool.parameters}
        for tool in question.tools
    ]
    image = {"type": "input_image", "image_url": f"data:image/png;base64,{question.image}"}
    content = [{"type": "input_text", "text": question.prompt}, *([image] if question.image else [])]
    return {"input": [{"role": "user", "content": content}], **({"tools": functions} if functions else {})}


def _whole(answer: Json) -> Told:
    parts = [part for item in answer["output"] if item["type"] == "message" for part in item["content"]]
    calls = [(item["name"], item["arguments"]) for item in answer["output"] if item["type"] == "function_call"]
    error = error_code(answer["error"]) if answer.get("error") else None
    text = "".join(part["text"] for part in parts)
    return Told(text, tuple(calls), complete=answer["status"] == "completed", error=error)


def _streamed(events: Iterator[Json]) -> Told:
    """The answer is told twice: in deltas, and whole at the end. Where both differ, it has no form."""
    texts, calls, last = [], Calls(), Told()
    for event in events:
        match event["type"]:
            case "response.output_text.delta":
                texts.append(event["delta"])
            case "response.output_item.added" if event["item"]["type"] == "function_call":
                calls.add(event["item"]["id"], event["item"]["name"], None)
            case "response.function_call_arguments.delta":
                calls.add(event["item_id"], None, event["delta"])
            case "response.completed" | "response.failed" | "response.incomplete":
                last = _whole(event["response"])
            case "error":
                last = Told(error=error_code(event))
    told = Told("".join(texts), calls.all(), last.complete, last.error)
    return Told(error="formless") if last.complete and last != told else told


RESPONSES = Api("responses", "/v1/responses", _fields, _whole, _streamed)
