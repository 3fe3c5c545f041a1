"""A client cannot make LiteLLM send a prompt elsewhere, or change what the operator has set."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.proxy import endpoints
from tests.proxy.conftest import AGENT, KEY, Proxies
from tests.proxy.vendor import Vendor

#: Bodies that make a bare LiteLLM send the prompt to a vendor, or answer with something of the client's.
STEERED: dict[str, dict[str, Any]] = {
    "custom_llm_provider": {"custom_llm_provider": "openai"},
    "azure": {"azure": True},
    "deployment_id": {"deployment_id": "gpt-4o"},
    "fallbacks": {"fallbacks": [{"model": "openai/gpt-4o"}]},
    "api_base": {"api_base": "http://127.0.0.1:9"},
    "base_url": {"base_url": "http://127.0.0.1:9"},
    "api_key": {"api_key": "sk-mine"},
    "model_list": {"model_list": [{"model_name": "x", "litellm_params": {"model": "openai/x"}}]},
    "user_config": {"user_config": {"model_list": []}},
    "mock_response": {"mock_response": "mine"},
    "guardrails": {"guardrails": ["none"]},
    "model_info": {"model_info": {"agent_id": "mine"}},
    "extra_body": {"extra_body": {"api_base": "http://127.0.0.1:9"}},
    "extra_headers": {"extra_headers": {"x": "y"}},
    "litellm_metadata": {"litellm_metadata": {"tags": ["x"]}},
    "litellm_params": {"litellm_params": {"model": "openai/x"}},
    "router_settings_override": {"router_settings_override": {"fallbacks": []}},
    "drop_params": {"drop_params": False},
    "tags": {"tags": ["other"]},
    "timeout": {"timeout": 0.001},
    "num_retries": {"num_retries": 5},
}
VENDOR_MODELS = (
    "replicate/x",
    "stackspot/replicate",
    "stackspot/clarifai",
    "stackspot/ft:gpt-3.5-turbo",
    "ft:gpt-3.5-turbo:acme",
    "openai/gpt-4o",
    "azure/gpt-4o",
    "anthropic/claude-3-5-sonnet-latest",
    "groq/llama-3.1-8b-instant",
    "text-embedding-3-small",
    "bedrock/anthropic.claude-v2",
    "stackspot-chat,openai/gpt-4o",
    "https://example.com/model",
)
PASS_THROUGH = (
    "/anthropic/v1/messages",
    "/openai/v1/chat/completions",
    "/openai/deployments/gpt-4o/chat/completions",
    "/engines/gpt-4o/chat/completions",
    "/vertex_ai/v1/projects/p/locations/l/publishers/google/models/gemini-pro:generateContent",
    "/bedrock/model/anthropic.claude-v2/converse",
    "/gemini/v1beta/models/gemini-pro:generateContent",
    "/v1beta/models/gemini-pro:generateContent",
    "/models/gemini-pro:generateContent",
    "/cohere/v1/chat",
    "/azure/openai/deployments/x/chat/completions",
    "/assemblyai/v2/transcript",
    "/v1/rerank",
    "/v1/audio/speech",
    "/v1/images/generations",
    "/v1/moderations",
    "/cursor/chat/completions",
    "/queue/chat/completions",
    "/utils/transform_request",
)


@pytest.mark.parametrize("path", endpoints.ALL)
@pytest.mark.parametrize("field", STEERED)
def test_a_field_that_steers_litellm_is_refused_by_name(client: httpx.Client, path: str, field: str) -> None:
    answer = client.post(path, json=endpoints.request(path) | STEERED[field])
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == field
    assert answer.json()["error"]["message"].startswith(f"{field} cannot be set")


@pytest.mark.parametrize("path", endpoints.ALL)
@pytest.mark.parametrize("model", VENDOR_MODELS)
def test_a_name_of_a_vendors_model_is_unknown_and_nothing_leaves(
    client: httpx.Client, vendor: Vendor, path: str, model: str
) -> None:
    before = len(vendor.requests)
    assert client.post(path, json=endpoints.request(path, model)).status_code == 404
    assert client.post(path, json=endpoints.request(path), params={"model": model}).status_code == 200
    assert vendor.requests[before:] == []


@pytest.mark.parametrize("path", PASS_THROUGH)
def test_what_litellm_passes_through_to_vendors_is_closed(client: httpx.Client, vendor: Vendor, path: str) -> None:
    before = len(vendor.requests)
    answer = client.post(path, json=endpoints.request(endpoints.CHAT, "gpt-4o"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_url")
    assert vendor.requests[before:] == []


@pytest.mark.parametrize(
    ("path", "fields", "params"),
    [
        (endpoints.CHAT, {}, {"model": "stackspot/replicate"}),
        (endpoints.CHAT, {"model": "stackspot/replicate"}, {}),
        (endpoints.CHAT, {"model": "stackspot/ft:gpt-3.5-turbo"}, {}),
        (endpoints.CHAT, {"custom_llm_provider": "openai"}, {}),
        (endpoints.CHAT, {"azure": True}, {}),
        (endpoints.CHAT, {"deployment_id": "gpt-4o"}, {}),
        ("/openai/deployments/stackspot%2Freplicate/chat/completions", {}, {}),
        ("/anthropic/v1/messages", {}, {}),
    ],
)
def test_without_the_gate_the_prompt_would_leave(
    proxies: Proxies, stranger: httpx.Client, vendor: Vendor, path: str, fields: dict[str, Any], params: dict[str, str]
) -> None:
    """What the tests above stand on: the vendor's server does see a prompt that leaves."""
    before = len(vendor.requests)
    body = endpoints.request(endpoints.CHAT) | fields
    stranger.post(f"{proxies.bare.url}{path}", json=body, params=params, headers={"x-api-key": KEY})
    assert vendor.requests[before:] != []


def test_unknown_fields_are_accepted_and_left_out(client: httpx.Client) -> None:
    unknown = {"some_new_field": {"deep": [1]}, "metadata": {"tags": ["x"]}, "service_tier": "auto", "store": True}
    answer = client.post(endpoints.CHAT, json=endpoints.request(endpoints.CHAT, temperature=0.5) | unknown)
    reached = json.loads(answer.json()["choices"][0]["message"]["content"])
    assert reached["parameters"] == {"temperature": 0.5, "stream": False, "max_retries": 0}  # LiteLLM adds the last two


def test_what_the_operator_set_reaches_the_provider(client: httpx.Client) -> None:
    answer = client.post(endpoints.CHAT, json=endpoints.request(endpoints.CHAT))
    assert json.loads(answer.json()["choices"][0]["message"]["content"])["model_info"]["agent_id"] == AGENT


def test_headers_cannot_steer_litellm(client: httpx.Client) -> None:
    steering = {
        "x-litellm-timeout": "0.001",
        "x-litellm-tags": "a,b",
        "x-litellm-num-retries": "9",
        "x-litellm-model": "openai/gpt-4o",
        "x-litellm-disable-callbacks": "prometheus",
        "openai-organization": "mine",
        "langfuse_host": "http://127.0.0.1:9",
    }
    answer = client.post(endpoints.CHAT, json=endpoints.request(endpoints.CHAT), headers=steering)
    reached = json.loads(answer.json()["choices"][0]["message"]["content"])["headers"]
    ours = {"correlation-id", "correlation-id-made"}
    assert set(reached) <= {"host", "user-agent", "accept", "content-type", "content-length", *ours}


def test_tools_that_run_on_a_server_are_left_out(client: httpx.Client, vendor: Vendor) -> None:
    function = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    server = [{"type": "mcp", "server_label": "x", "server_url": vendor.url}, {"type": "web_search"}, {"type": "bash"}]
    before = len(vendor.requests)
    answer = client.post(endpoints.CHAT, json=endpoints.request(endpoints.CHAT, tools=[*server, function]))
    reached = json.loads(answer.json()["choices"][0]["message"]["content"])
    assert reached["parameters"]["tools"] == [function]
    only_theirs = client.post(endpoints.CHAT, json=endpoints.request(endpoints.CHAT, tools=server))
    assert "tools" not in json.loads(only_theirs.json()["choices"][0]["message"]["content"])["parameters"]
    assert vendor.requests[before:] == []


@pytest.mark.parametrize("path", [endpoints.CHAT, endpoints.MESSAGES, endpoints.COUNT_TOKENS, endpoints.RESPONSES])
def test_litellm_fetches_nothing_that_a_message_points_at(client: httpx.Client, vendor: Vendor, path: str) -> None:
    target = f"{vendor.url}/picture.png"
    parts = {
        endpoints.CHAT: {"type": "image_url", "image_url": {"url": target}},
        endpoints.RESPONSES: {"type": "input_image", "image_url": target},
    }
    part = parts.get(path, {"type": "image", "source": {"type": "url", "url": target}})
    field = "input" if path == endpoints.RESPONSES else "messages"
    before = len(vendor.requests)
    for stream in (False, True):
        fields: dict[str, Any] = {field: [{"role": "user", "content": [part]}], "stream": stream}
        client.post(path, json=endpoints.request(path) | fields)
    assert vendor.requests[before:] == []


def test_litellm_sends_nothing_of_its_own(proxies: Proxies, client: httpx.Client, vendor: Vendor) -> None:
    """No telemetry, no download of prices or tokenizers: neither at the start nor with a request."""
    before = len(vendor.requests)
    for path in endpoints.ALL:
        client.post(path, json=endpoints.request(path))
    assert (proxies.sent_at_start, vendor.requests[before:]) == ((), [])
