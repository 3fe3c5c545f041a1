"""The identity service: who gets a token, and how long it holds."""

import jwt
import pytest

from emulator import Emulator
from tests.emulator.conftest import Start
from tests.emulator.emulator_client import CREDENTIALS, Client


def test_good_credentials_get_a_bearer_token_for_1199_seconds(client: Client) -> None:
    answer = client.sign_in().json()
    assert answer.keys() == {"access_token", "token_type", "expires_in"}
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 1199)


def test_the_token_is_a_jwt_whose_exp_can_be_read_without_a_key(client: Client) -> None:
    client.sign_in()
    claims = jwt.decode(client.token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 1199


def test_the_token_may_be_an_opaque_string(start: Start) -> None:
    client = start(opaque_tokens=True)
    client.sign_in()
    with pytest.raises(jwt.DecodeError):
        jwt.decode(client.token, options={"verify_signature": False})
    assert client.chat().status_code == 200


def test_expires_in_may_be_missing(start: Start) -> None:
    assert "expires_in" not in start(expires_in=None).sign_in().json()


def test_two_tokens_are_never_the_same(client: Client) -> None:
    assert client.sign_in().json()["access_token"] != client.sign_in().json()["access_token"]


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"client_id": "someone-else"}, 401, "invalid_client"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 400, "unsupported_grant_type"),
        ({"realm": "another"}, 404, "realm_not_found"),
    ],
)
def test_a_request_that_deserves_no_token_is_told_why(
    start: Start, fields: dict[str, str], status: int, error: str
) -> None:
    client = start(realm="acme", client_id="client-a", client_secret="secret-a")
    assert client.sign_in().status_code == 200
    response = client.sign_in(**fields)
    assert (response.status_code, response.json()) == (status, {"error": error})


def test_credentials_that_are_not_form_encoded_are_refused(client: Client) -> None:
    response = client.http.post("/acme/oidc/oauth/token", json=CREDENTIALS)
    assert (response.status_code, response.json()) == (400, {"error": "invalid_request"})


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer forged", "Basic {token}", "{token}"])
def test_a_chat_without_a_token_of_ours_is_unauthorized(client: Client, authorization: str) -> None:
    client.sign_in()
    headers = {"Authorization": authorization.format(token=client.token)}
    response = client.http.post("/v1/agent/x/chat", json={"user_prompt": "hi"}, headers=headers)
    assert response.status_code == 401


def test_a_token_expires(client: Client, emulator: Emulator) -> None:
    assert client.chat().status_code == 200
    emulator.advance(1100)
    assert client.chat().status_code == 200
    emulator.advance(99)
    assert client.chat().status_code == 401
    client.sign_in()
    assert client.chat().status_code == 200


def test_the_clock_does_not_go_back(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="only moves forward"):
        emulator.advance(-1)


def test_revoked_tokens_do_not_come_back(client: Client, emulator: Emulator) -> None:
    client.sign_in()
    emulator.revoke_tokens()
    assert client.chat().status_code == 401
    client.sign_in()
    assert client.chat().status_code == 200
