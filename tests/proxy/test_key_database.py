"""With a database the keys are LiteLLM's: the gate knows the master key, and asks LiteLLM about others."""

from __future__ import annotations

import httpx
import pytest

from custom_handler import keys, routes
from custom_handler.errors import KeyRefusedError
from custom_handler.key_list import digest
from custom_handler.keys import KeysOfDatabase
from tests.proxy import endpoints
from tests.proxy.conftest import KEY, Proxies

_MANAGEMENT = sorted(routes.KEY_ROUTES)


async def _knows_alice(hashed: str) -> bool:
    return hashed == digest("sk-alice").hex()


KEYS = KeysOfDatabase(lambda: KEY, _knows_alice)


async def test_the_master_key_may_administrate_and_a_key_of_the_database_may_not() -> None:
    assert (await KEYS.check(KEY, {})).admin
    key = await KEYS.check("sk-alice", {})
    assert (key.admin, key.hash) == (False, digest("sk-alice").hex())


@pytest.mark.parametrize("sent", ["", "sk-bob", digest("sk-alice").hex()])
async def test_no_other_key_passes(sent: str) -> None:
    with pytest.raises(KeyRefusedError, match="API key"):
        await KEYS.check(sent, {})


async def test_without_a_master_key_nobody_may_administrate() -> None:
    with pytest.raises(KeyRefusedError):
        await KeysOfDatabase(lambda: None, _knows_alice).check(KEY, {})


def test_litellm_gets_no_custom_auth_so_that_it_checks_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    import custom_handler

    assert custom_handler.require_key is keys.require_key
    monkeypatch.setenv("DATABASE_URL", "postgresql://litellm@localhost/litellm")
    assert custom_handler.require_key is None


@pytest.mark.parametrize("path", endpoints.ALL)
def test_while_the_database_is_gone_a_key_is_neither_right_nor_wrong(
    proxies: Proxies, stranger: httpx.Client, path: str
) -> None:
    headers = {"authorization": "Bearer sk-alice"}
    answer = stranger.post(f"{proxies.cut_off.url}{path}", json=endpoints.request(path), headers=headers)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["code"]) == (503, "server_error", "keys_unavailable")
    assert "The database with the keys does not answer" in proxies.cut_off.log_text()
    assert "sk-alice" not in proxies.cut_off.log_text()


@pytest.mark.parametrize("path", endpoints.ALL)
def test_the_master_key_works_without_the_database(proxies: Proxies, stranger: httpx.Client, path: str) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    answer = stranger.post(f"{proxies.cut_off.url}{path}", json=endpoints.request(path), headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(("method", "path"), _MANAGEMENT)
def test_keys_are_managed_with_the_master_key_where_there_is_a_database(
    proxies: Proxies, stranger: httpx.Client, client: httpx.Client, method: str, path: str
) -> None:
    url = f"{proxies.cut_off.url}{path}"
    assert client.request(method, path, json={}).status_code == 404, "there is no database"
    assert stranger.request(method, url, json={}).status_code == 401
    assert stranger.request(method, url, json={}, headers={"x-api-key": "sk-alice"}).status_code == 503
    # Some of LiteLLM's addresses fall over without the database, and uvicorn then closes the connection by itself.
    headers = {"x-api-key": KEY, "connection": "close"}
    answer = stranger.request(method, url, json={"key": "x"}, headers=headers)
    assert answer.status_code >= 400
    assert answer.json()["error"]["code"] not in {"unknown_url", "invalid_api_key", "not_allowed"}
