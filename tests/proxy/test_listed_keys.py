"""What a key of the list may do, on a real proxy that runs on while the list changes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from custom_handler.key_list import digest
from tests.proxy import endpoints
from tests.proxy.conftest import AGENT, KEY, Proxies

#: Name of a key, after which its text is `sk-…`, and the fields of its entry.
ENTRIES: Mapping[str, Mapping[str, Any]] = {
    "anything": {},
    "chat-only": {"models": ["stackspot-chat"]},
    "agents-only": {"models": ["stackspot/*"]},
    "nothing": {"models": []},
    "once": {"rpm": 1},
    "old": {"expires": "2020-02-29"},
    "new": {"expires": "9999-12-31"},
    "watcher": {"models": [], "admin": True},
}


def write(file: Path, entries: Mapping[str, Mapping[str, Any]]) -> None:
    """Replace the list, as an operator should: in one step."""
    listed = [{"name": name, "hash": digest(f"sk-{name}").hex(), **fields} for name, fields in entries.items()]
    new = file.with_suffix(".new")
    new.write_text(json.dumps(listed))
    new.replace(file)


@pytest.fixture(autouse=True)
def _entries(proxies: Proxies) -> Iterator[None]:
    write(proxies.keys_file, ENTRIES)
    yield
    write(proxies.keys_file, {})


class Caller:
    """A client that sends the key of an entry."""

    def __init__(self, name: str, stranger: httpx.Client, url: str) -> None:
        self._headers, self._http, self._url = {"authorization": f"Bearer sk-{name}"}, stranger, url

    def ask(self, path: str = endpoints.CHAT, model: str = "stackspot-chat", **fields: Any) -> httpx.Response:
        body = endpoints.request(path, model, **fields)
        return self._http.post(f"{self._url}{path}", json=body, headers=self._headers)

    def get(self, path: str) -> httpx.Response:
        return self._http.get(f"{self._url}{path}", headers=self._headers)


@pytest.fixture
def caller(request: pytest.FixtureRequest, proxies: Proxies, stranger: httpx.Client) -> Caller:
    """The one that the test names."""
    return Caller(request.param, stranger, proxies.closed.url)


def named(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("caller", [name], indirect=True, ids=str)


def told(answer: httpx.Response) -> tuple[int, str, str, str | None]:
    error = answer.json()["error"]
    return answer.status_code, error["type"], error["code"], error["param"]


@pytest.mark.parametrize("path", endpoints.ALL)
@pytest.mark.parametrize("model", ["stackspot-chat", f"stackspot/{AGENT}"])
@named("anything")
def test_a_key_without_models_may_use_all(caller: Caller, path: str, model: str) -> None:
    assert caller.ask(path, model).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", endpoints.ALL)
@pytest.mark.parametrize(
    ("caller", "allowed", "refused", "may"),
    [
        ("chat-only", "stackspot-chat", f"stackspot/{AGENT}", "stackspot-chat"),
        ("agents-only", f"stackspot/{AGENT.lower()}", "stackspot-chat", "stackspot/<agent id>"),
    ],
    indirect=["caller"],
)
def test_another_model_is_a_403_that_lists_those_of_the_key(
    caller: Caller, allowed: str, refused: str, may: str, path: str, stream: bool
) -> None:
    streamed = {"stream": True} if stream and path in endpoints.STREAMING else {}
    assert caller.ask(path, allowed, **streamed).status_code == 200
    answer = caller.ask(path, refused, **streamed)
    assert told(answer) == (403, "permission_error", "model_not_allowed", "model")
    assert answer.json()["error"]["message"].endswith(f"may not use the model '{refused}'. It may use: {may}.")


@named("chat-only")
def test_a_model_that_does_not_exist_is_a_404_that_does_not_name_those_of_others(caller: Caller) -> None:
    answer = caller.ask(model="gpt-4o")
    assert told(answer) == (404, "invalid_request_error", "model_not_found", "model")
    assert answer.json()["error"]["message"].endswith("Available: stackspot-chat.")


@named("nothing")
def test_a_key_without_any_model_is_told_so(caller: Caller) -> None:
    assert "It may use: none." in caller.ask().json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/models", "/models", "/v1/model/info", "/model/info"])
@pytest.mark.parametrize(
    ("caller", "pattern"),
    [("anything", ".+"), ("chat-only", "stackspot-chat"), ("agents-only", "stackspot/.+"), ("nothing", "")],
    indirect=["caller"],
)
def test_a_key_sees_the_models_that_it_may_use(caller: Caller, client: httpx.Client, path: str, pattern: str) -> None:
    def names(answer: httpx.Response) -> list[str]:
        return [model.get("model_name") or model["id"] for model in answer.json()["data"]]

    seen = caller.get(path)
    assert int(seen.headers["content-length"]) == len(seen.content)
    assert names(seen) == [name for name in names(client.get(path)) if re.fullmatch(pattern, name)]
    assert bool(names(seen)) == bool(pattern)


@named("once")
def test_too_many_requests_are_a_429_that_says_when_to_come_back(caller: Caller) -> None:
    assert caller.ask("/v1/completions", "no-such-model").status_code == 404, "what is refused does not count"
    assert caller.ask().status_code == 200
    for path in endpoints.ALL:
        answer = caller.ask(path)
        assert told(answer) == (429, "rate_limit_error", "rate_limit_exceeded", None)
        assert 0 < int(answer.headers["retry-after"]) <= 60
    assert caller.get("/v1/models").status_code == 200, "only requests to models count"


@named("old")
def test_an_expired_key_is_told_so(caller: Caller) -> None:
    assert told(caller.ask()) == (401, "authentication_error", "invalid_api_key", None)
    message = caller.ask().json()["error"]["message"]
    assert message == "This API key (old) has expired, on 2020-02-29 23:59+00:00."
    assert caller.get("/v1/models").status_code == 401


@pytest.mark.parametrize("caller", ["nobody", "anything2"], indirect=True)
def test_whoever_has_no_key_of_the_list_does_not_learn_what_is_in_it(caller: Caller) -> None:
    message = caller.ask().json()["error"]["message"]
    assert message.startswith("This API key is wrong. Send ")
    assert not any(name in message for name in ENTRIES)


@pytest.mark.parametrize("path", ["/health", "/metrics/"])
@named("anything")
def test_figures_and_health_are_for_administrators(caller: Caller, path: str) -> None:
    assert told(caller.get(path)) == (403, "permission_error", "not_allowed", None)


@named("watcher")
def test_a_key_may_be_for_watching_alone(caller: Caller) -> None:
    assert caller.get("/metrics/").status_code == 200
    assert caller.ask().status_code == 403


def reached(answer: httpx.Response) -> dict[str, Any]:
    """What the provider told about the request, in the answer of any endpoint."""
    (found,) = re.findall(r'{\\"messages\\": .*?}(?=")', answer.text)
    return json.loads(json.loads(f'"{found}"'))  # type: ignore[no-any-return]


@pytest.mark.parametrize("path", endpoints.STREAMING)
@named("new")
def test_the_provider_knows_the_key_by_its_hash_on_every_endpoint(caller: Caller, path: str) -> None:
    assert reached(caller.ask(path))["key_hash"] == digest("sk-new").hex()


@named("new")
def test_figures_and_the_log_have_the_name_of_the_key_and_never_the_key(
    caller: Caller, client: httpx.Client, proxies: Proxies
) -> None:
    assert caller.ask().status_code == 200
    assert 'api_key_alias="new"' in client.get("/metrics/").text
    for text in (client.get("/metrics/").text, proxies.closed.log_text()):
        assert "sk-new" not in text
        assert KEY not in text


@named("guest")
def test_the_list_changes_without_a_restart(caller: Caller, proxies: Proxies) -> None:
    assert caller.ask().status_code == 401
    write(proxies.keys_file, {"guest": {"models": ["stackspot-chat"]}})
    assert caller.ask().status_code == 200
    assert caller.ask(model=f"stackspot/{AGENT}").status_code == 403
    write(proxies.keys_file, {"guest": {"expires": "2020-01-01"}})
    assert caller.ask().status_code == 401


@named("chat-only")
def test_a_list_that_broke_opens_and_closes_nothing(caller: Caller, client: httpx.Client, proxies: Proxies) -> None:
    assert caller.ask().status_code == 200
    write(proxies.keys_file, {"chat-only": {"models": ["stackspot-chat"], "rmp": 5}})
    assert caller.ask().status_code == 200
    assert caller.ask(model=f"stackspot/{AGENT}").status_code == 403
    assert client.get("/v1/models").status_code == 200
    said = "entry 1 (chat-only): rmp is no field; there are name, hash, models, rpm, expires, admin. Until that is"
    assert proxies.closed.log_text().count(said) == 1
