"""Which models there are."""

from __future__ import annotations

import httpx
import pytest

from tests.proxy import endpoints
from tests.proxy.conftest import AGENT


@pytest.mark.parametrize("path", endpoints.ALL)
@pytest.mark.parametrize("model", ["gpt-4o", "stackspot/", "stackspot/*", "*", f"STACKSPOT/{AGENT}", f"other/{AGENT}"])
def test_an_unknown_model_is_a_404_that_names_those_that_exist(client: httpx.Client, path: str, model: str) -> None:
    answer = client.post(path, json=endpoints.request(path, model))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (404, "model_not_found", "model")
    assert f"'{model}'" in error["message"]
    assert "stackspot-chat" in error["message"]
    assert "stackspot/<agent id>" in error["message"]


def test_a_bare_agent_id_is_told_its_prefix(client: httpx.Client) -> None:
    answer = client.post(endpoints.CHAT, json=endpoints.request(endpoints.CHAT, AGENT))
    assert answer.status_code == 404
    assert f"ask for stackspot/{AGENT}" in answer.json()["error"]["message"]


@pytest.mark.parametrize("agent", [AGENT, AGENT.lower()])
def test_any_agent_can_be_asked_for_by_its_id(client: httpx.Client, agent: str) -> None:
    # The scripted provider does not know this name and answers with the first chunk of any other.
    answer = client.post(endpoints.CHAT, json=endpoints.request(endpoints.CHAT, f"stackspot/{agent}"))
    assert answer.status_code == 200


def test_models_are_listed(client: httpx.Client) -> None:
    listed = {model["id"] for model in client.get("/v1/models").json()["data"]}
    assert "stackspot-chat" in listed
    assert client.get("/v1/model/info").json()["data"][0]["model_name"] == "stackspot-chat"
