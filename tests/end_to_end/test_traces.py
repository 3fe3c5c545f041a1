"""What a collector gets of a request: one trace, and no word of it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import httpx
import pytest

from custom_handler.markers import render_call
from emulator import Emulator, Reply
from tests.support.collector import Collector, Span
from tests.support.files import PNG, data_url
from tests.support.proxy import ProxyProcess
from tests.support.services import STACKSPOT, Served

CLIENT = "b7ad6b7169203331"  # the client's span
HI = [{"role": "user", "content": "Hi"}]
REQUEST, CALL = "Received Proxy Server Request", "agent call"
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def traceparent() -> tuple[str, dict[str, str]]:
    """The id of a new trace, and the header in which a client names it and its own span."""
    trace_id = uuid.uuid4().hex
    return trace_id, {"traceparent": f"00-{trace_id}-{CLIENT}-01"}


def body(service: Served, **given: Any) -> dict[str, Any]:
    return {"model": service.model, "messages": HI, **given}


def named(spans: Sequence[Span], name: str) -> list[Span]:
    return [span for span in spans if span.name == name]


def only(spans: Sequence[Span], name: str) -> Span:
    (span,) = named(spans, name)
    return span


PATHS: Mapping[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": HI},
    "/v1/responses": {"input": "Hi"},
    "/v1/messages": {"messages": HI, "max_tokens": 99},
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", PATHS)
def test_a_request_is_one_trace_below_the_span_of_the_client(
    http: httpx.Client, emulator: Emulator, collector: Collector, path: str, stream: bool, service: Served
) -> None:
    emulator.script(Reply("Hello"))
    trace_id, headers = traceparent()
    asked = {"model": service.model, **PATHS[path], "stream": stream}
    http.post(path, json=asked, headers={**headers, "correlation-id": "bank-4711"})
    spans = collector.trace(trace_id, REQUEST, CALL)
    request, call = only(spans, REQUEST), only(spans, CALL)
    assert (request.parent_id, call.parent_id) == (CLIENT, request.span_id)
    assert request.attributes["agent_proxy.correlation_id"] == "bank-4711"
    told = {name: value for name, value in call.attributes.items() if not name.startswith("gen_ai.usage.")}
    assert told == {
        "agent_proxy.account": service.account,
        "agent_proxy.agent_id": service.asked(emulator.chats[0]),
        "agent_proxy.attempt": 1,
        "agent_proxy.conversation": True,
        "agent_proxy.follow_up": False,
        "http.response.status_code": 200,
    }
    assert not any(span.failed for span in spans)


@pytest.mark.parametrize("stream", [False, True])
def test_usage_is_what_the_service_counts(
    http: httpx.Client, emulator: Emulator, collector: Collector, stream: bool, service: Served
) -> None:
    emulator.script(Reply("Hello", tokens=(749, 5)))
    trace_id, headers = traceparent()
    http.post("/v1/chat/completions", json=body(service, stream=stream), headers=headers)
    told = only(collector.trace(trace_id, REQUEST, CALL), CALL).attributes
    assert (told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]) == (749, 5)


def test_each_try_is_a_span_and_the_failed_one_tells_its_code(
    http: httpx.Client, emulator: Emulator, collector: Collector, service: Served
) -> None:
    emulator.script(Reply(fault="unavailable"), Reply("Hello"))
    trace_id, headers = traceparent()
    assert http.post("/v1/chat/completions", json=body(service), headers=headers).status_code == 200
    first, second = named(collector.trace(trace_id, REQUEST, CALL), CALL)
    assert (first.failed, first.attributes["error.type"]) == (True, "upstream_unavailable")
    assert first.attributes["http.response.status_code"] == 503
    assert [call.attributes["agent_proxy.attempt"] for call in (first, second)] == [1, 2]
    assert not second.failed


def test_a_follow_up_is_a_span_with_the_call_below_it(
    http: httpx.Client, emulator: Emulator, collector: Collector, service: Served
) -> None:
    emulator.script(Reply(render_call("add", "{}")), Reply(render_call("add", '{"n": 1}')))
    trace_id, headers = traceparent()
    tools = [{"type": "function", "function": {"name": "add", "parameters": SCHEMA}}]
    assert http.post("/v1/chat/completions", json=body(service, tools=tools), headers=headers).status_code == 200
    spans = collector.trace(trace_id, REQUEST, "follow-up")
    follow_up = only(spans, "follow-up")
    first, second = sorted(named(spans, CALL), key=lambda call: bool(call.attributes["agent_proxy.follow_up"]))
    assert first.parent_id == follow_up.parent_id == only(spans, REQUEST).span_id
    assert second.parent_id == follow_up.span_id
    assert follow_up.attributes == {"agent_proxy.reason": "broken_call"}


def test_a_new_token_is_a_span_below_the_call_that_waited_for_it(
    http: httpx.Client, emulator: Emulator, collector: Collector, service: Served
) -> None:
    http.post("/v1/chat/completions", json=body(service))  # so that there is a token, which is then revoked
    emulator.revoke_tokens()
    trace_id, headers = traceparent()
    assert http.post("/v1/chat/completions", json=body(service), headers=headers).status_code == 200
    spans = collector.trace(trace_id, REQUEST, CALL, "token fetch")
    assert only(spans, "token fetch").parent_id == only(spans, CALL).span_id
    assert only(spans, "token fetch").attributes == {"agent_proxy.account": service.account}


def test_an_upload_is_a_span_below_the_call_that_needs_it(
    http: httpx.Client, collector: Collector, service: Served
) -> None:
    image = {"type": "image_url", "image_url": {"url": data_url(PNG + uuid.uuid4().bytes)}}  # never uploaded before
    trace_id, headers = traceparent()
    asked = body(service, messages=[{"role": "user", "content": [image]}])
    assert http.post("/v1/chat/completions", json=asked, headers=headers).status_code == 200
    spans = collector.trace(trace_id, REQUEST, CALL, "upload")
    assert only(spans, "upload").parent_id == only(spans, CALL).span_id
    assert only(spans, "upload").attributes == {"agent_proxy.account": service.account}


@pytest.mark.parametrize("stream", [False, True])
def test_a_trace_is_complete_when_the_client_has_left(
    http: httpx.Client, emulator: Emulator, collector: Collector, stream: bool, service: Served
) -> None:
    emulator.script(Reply("Hello, world", hold_after=5) if stream else Reply("Hello", hold=True))
    trace_id, headers = traceparent()
    with suppress(httpx.TimeoutException):
        given = {"json": body(service, stream=stream), "headers": headers, "timeout": 0.5}
        with http.stream("POST", "/v1/chat/completions", **given) as answer:  # type: ignore[arg-type] # of three kinds
            next(answer.iter_lines())
    spans = collector.trace(trace_id, REQUEST, CALL)
    assert only(spans, CALL).parent_id == only(spans, REQUEST).span_id


#: Words that stand in one place of a request or an answer each.
WORDS = {
    "system": "albatross",
    "user": "buffalo",
    "assistant": "caribou",
    "arguments": "dromedary",
    "result": "elephant",
    "tool": "flamingo",
    "member": "gazelle",
    "answer": "hedgehog",
    "called": "ibis",
    "name": "jackal",
    "key": "kangaroo",
    "agent": "lemur",
    "schema": "meerkat",
}
TALK: dict[str, Any] = {
    "user": WORDS["name"],
    "messages": [
        {"role": "system", "content": WORDS["system"]},
        {"role": "user", "content": WORDS["user"]},
        {
            "role": "assistant",
            "content": WORDS["assistant"],
            "tool_calls": [
                {
                    "id": "c",
                    "type": "function",
                    "function": {"name": "add", "arguments": json.dumps({"a": WORDS["arguments"]})},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c", "content": WORDS["result"]},
    ],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "add",
                "description": WORDS["tool"],
                "parameters": {"type": "object", "properties": {WORDS["member"]: {"type": "string"}}},
            },
        }
    ],
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "a", "schema": {"type": "object", "title": WORDS["schema"]}},
    },
}
CALLED = json.dumps({"a": WORDS["called"]})
ANSWER = f"{WORDS['answer']}\n{render_call('add', CALLED)}"
REPLIES = {
    "good": Reply(ANSWER),
    "cut": Reply(ANSWER, fault="drop_in_stream", after=40, chunk=3),
    "refused": Reply(fault="forbidden"),
    "too long": Reply(fault="too_long"),
    "in mid-stream": Reply(ANSWER, fault="error_type", after=40, chunk=3),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_no_word_of_a_request_or_of_an_answer_leaves_in_a_trace(
    http: httpx.Client, emulator: Emulator, collector: Collector, reply: Reply, stream: bool, service: Served
) -> None:
    emulator.script(reply, reply)
    trace_id, headers = traceparent()
    private = {"authorization": f"Bearer {WORDS['key']}", "user-agent": WORDS["agent"], "x-api-key": WORDS["key"]}
    answer = http.post(
        "/v1/chat/completions", json=body(service, stream=stream, **TALK), headers={**headers, **private}
    )
    spans = collector.trace(trace_id, REQUEST, CALL, "litellm_request")
    told = "".join(span.everything for span in spans) + collector.resources
    assert [word for word in WORDS.values() if word in told] == []
    assert not any(secret in told for secret in service.secrets)
    assert "Traceback" not in told
    assert (answer.status_code != 200 or "error" in answer.text) == any(span.failed for span in spans)


def test_a_request_that_cannot_be_read_leaves_no_word_either(
    http: httpx.Client, emulator: Emulator, collector: Collector, service: Served
) -> None:
    del emulator
    trace_id, headers = traceparent()
    wrong = body(service, messages=[{"role": "user", "content": [{"type": "buffalo", "text": "buffalo"}]}])
    assert http.post("/v1/chat/completions", json=wrong, headers=headers).status_code == 400
    assert "buffalo" not in "".join(span.everything for span in collector.trace(trace_id, REQUEST))


def test_nothing_of_a_trace_goes_on_to_the_service(http: httpx.Client, emulator: Emulator, service: Served) -> None:
    trace_id, headers = traceparent()
    http.post("/v1/chat/completions", json=body(service), headers={**headers, "tracestate": "a=b", "baggage": "a=b"})
    sent = {name.lower() for request in emulator.requests for name in request.headers}
    assert sent.isdisjoint({"traceparent", "tracestate", "baggage"})
    assert trace_id not in str([request.headers for request in emulator.requests])


def test_requests_to_no_model_are_no_traces(http: httpx.Client, collector: Collector) -> None:
    trace_id, headers = traceparent()
    for path in ("/health/readiness", "/health/liveness", "/metrics", "/v1/models", "/"):
        assert http.get(path, headers=headers).status_code == 200
    last, of_last = traceparent()
    http.post("/v1/chat/completions", json=body(STACKSPOT), headers=of_last)
    collector.trace(last, REQUEST)  # came after whatever there was
    assert collector.trace(trace_id) == []


def test_traces_are_no_noise_in_the_log(proxy: ProxyProcess) -> None:
    """LiteLLM goes on to write into spans that have ended; each time is a warning of OpenTelemetry's."""
    assert "ended span" not in proxy.log_text()
    assert "detach" not in proxy.log_text()
