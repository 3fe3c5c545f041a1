"""Who may ask Fusion: keys, and tokens in their place."""

from typing import Any

import httpx
import pytest

from emulator import Emulator, Reply
from tests.emulator.conftest import StartFusion
from tests.emulator.emulator_client import Client
from tests.emulator.fusion_caller import Fusion

REFRESH = {"client_id": "client-a", "refresh_token": "again"}


def refresh(fusion: Fusion, **fields: Any) -> httpx.Response:
    """Ask for a token, without a key."""
    return fusion.ask("POST", "/auth/refresh", json=REFRESH | fields, headers={"Authorization": ""})


def signed_in(fusion: Fusion, **fields: Any) -> Fusion:
    """A client with a token."""
    return fusion.by(refresh(fusion, **fields).raise_for_status().json()["access_token"])


def test_any_key_is_accepted_but_there_must_be_one(fusion: Fusion) -> None:
    assert fusion.by("anything").chat().status_code == 200
    for header in ({"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": "Basic abc"}):
        refused = fusion.ask("GET", "/agents", headers=header)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "unauthorized")


def test_only_the_keys_of_the_options_are_accepted(start_fusion: StartFusion) -> None:
    fusion = start_fusion(fusion_keys=("good",))
    assert [fusion.by(key).chat().status_code for key in ("good", "bad")] == [200, 401]


def test_a_key_is_recorded_by_its_hash_alone(fusion: Fusion, emulator: Emulator) -> None:
    fusion.chat()
    fusion.by("key-b").get("/agents")
    assert [record.realm for record in emulator.requests] == ["fusion", "fusion"]
    assert len({record.client_id for record in emulator.requests}) == 2
    assert "key-" not in fusion.http.get("/_emulator/requests").text


def test_a_token_takes_the_place_of_a_key(start_fusion: StartFusion) -> None:
    fusion = start_fusion(fusion_keys=(), expires_in=1200)
    answer = refresh(fusion)
    assert answer.json().keys() == {"access_token", "token_type", "expires_in"}
    assert answer.json()["expires_in"] == 1200
    assert signed_in(fusion).chat().status_code == 200
    assert fusion.emulator.chats[0].client_id == "client-a"
    assert len(fusion.emulator.token_requests) == 2


def test_all_tokens_of_a_client_are_one_account(fusion: Fusion) -> None:
    chat_id = signed_in(fusion).begun()
    assert signed_in(fusion).chat("hello", chat_id).status_code == 200
    assert signed_in(fusion, client_id="client-b").chat("hello", chat_id).status_code == 404


def test_a_token_ends_and_is_no_key_afterwards(fusion: Fusion, emulator: Emulator) -> None:
    old = signed_in(fusion)
    emulator.advance(1200)
    assert old.chat().status_code == 401
    assert signed_in(fusion).chat().status_code == 200


def test_a_token_can_be_revoked(fusion: Fusion, emulator: Emulator) -> None:
    for revoke in (emulator.revoke_tokens, lambda: fusion.http.post("/_emulator/revoke?realm=fusion")):
        one = signed_in(fusion)
        revoke()
        assert [one.chat().status_code, fusion.chat().status_code] == [401, 200], "a key is no token"


@pytest.mark.parametrize("hits", ["chat", "other"])
def test_an_expired_token_stays_expired_until_another_is_fetched(fusion: Fusion, emulator: Emulator, hits: Any) -> None:
    emulator.script(Reply(fault="expired_token", hits=hits))
    one, path = signed_in(fusion), {"chat": ("POST", "/chat"), "other": ("GET", "/agents")}[hits]
    assert [one.ask(*path).status_code for _ in range(2)] == [401, 401] if hits == "other" else one.chat().status_code
    assert [one.chat().status_code, signed_in(fusion).chat().status_code] == [401, 200]


@pytest.mark.parametrize(("fault", "status"), [("identity_refused", 401), ("identity_down", 503)])
def test_the_faults_of_tokens_hit_the_refresh(fusion: Fusion, emulator: Emulator, fault: str, status: int) -> None:
    emulator.script(Reply(fault=fault))
    assert [refresh(fusion).status_code for _ in range(2)] == [status, 200]


@pytest.mark.parametrize("field", REFRESH)
@pytest.mark.parametrize("value", [None, "", 7])
def test_a_refresh_needs_both_of_its_fields(fusion: Fusion, field: str, value: object) -> None:
    refused = refresh(fusion, **{field: value})
    assert (refused.status_code, field in refused.json()["error"]["message"]) == (400, True)


def test_a_refresh_needs_a_body(fusion: Fusion) -> None:
    assert fusion.ask("POST", "/auth/refresh", json=[]).status_code == 400


def test_a_refresh_token_is_masked_for_others(fusion: Fusion, emulator: Emulator) -> None:
    refresh(fusion, refresh_token="refresh-secret")
    (seen,) = fusion.http.get("/_emulator/requests").json()["requests"]
    assert seen["json"] == {"client_id": "client-a", "refresh_token": "***"}
    assert emulator.token_requests[0].json["refresh_token"] == "refresh-secret"


def test_a_token_of_one_service_is_none_of_the_other(client: Client, fusion: Fusion) -> None:
    client.sign_in()
    assert fusion.by(client.token).chat().status_code == 401
    client.token = refresh(fusion).json()["access_token"]
    assert client.chat().status_code == 401
    assert client.sign_in("fusion").status_code == 404, "the realm is taken"


@pytest.mark.parametrize("path", ["/agents", "/agents/none"])
def test_every_answer_has_an_id(fusion: Fusion, path: str) -> None:
    ids = {fusion.ask("GET", path).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2


def test_a_reply_may_have_an_id_of_its_own(fusion: Fusion, emulator: Emulator) -> None:
    mine = {"x-request-id": "mine"}
    emulator.script(Reply("hello", headers=mine), Reply(fault="unavailable", headers=mine))
    assert [fusion.chat(stream=True).headers.get_list("x-request-id") for _ in range(2)] == [["mine"], ["mine"]]
