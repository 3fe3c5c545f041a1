"""Anthropic's Messages API."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.reliability.answer import Calls, Told, error_code
from tests.reliability.apis.api import Api, Json, Question

_LENGTH = 100_000  # tokens of an answer at most; the API asks for a number


def _fields(question: Question) -> Json:
    custom = [
        {"name": tool.name, "description": tool.description, "input_schema": tool.parameters} for tool in question.tools
    ]
    source = {"type": "base64", "media_type": "image/png", "data": question.image}
    image = [{"type": "image", "source": source}] if question.image else []
    messages = [{"role": "user", "content": [{"type": "text", "text": question.prompt}, *image]}]
    return {"max_tokens": _LENGTH, "messages": messages, **({"tools": custom} if custom else {})}


def _whole(answer: Json) -> Told:
    text = "".join(part["text"] for part in answer["content"] if part["type"] == "text")
    calls = [(part["name"], json.dumps(part["input"])) for part in answer["content"] if part["type"] == "tool_use"]
    return Told(text, tuple(calls), complete=answer["stop_reason"] is not None)


def _streamed(events: Iterator[Json]) -> Told:
    texts, calls, complete, error = [], Calls(), False, None
    for event in events:
        match event:
            case {"type": "content_block_start", "index": index, "content_block": {"type": "tool_use", "name": name}}:
                calls.add(index, name, None)
            case {"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}}:
                texts.append(text)
            case {"type": "content_block_delta", "index": index, "delta": {"partial_json": arguments}}:
                calls.add(index, None, arguments)
            case {"type": "message_stop"} | {"type": "message_delta", "delta": {"stop_reason": str()}}:
                complete = True
            case {"type": "error"}:
                error = error_code(event.get("error"))
    return Told("".join(texts), calls.all(), complete, error)


MESSAGES = Api("messages", "/v1/messages", _fields, _whole, _streamed)
