"""What a test does with the emulator: script, hold, release, observe; in Python and over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import fields

import httpx
import pytest

from emulator import Emulator, Options, Reply
from tests.conftest import AGENT
from tests.emulator.emulator_client import Client, body_of, connected, read_all, read_until, request_bytes, text_of


def test_replies_are_used_in_order_and_then_the_brain_answers(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply("one"), Reply("two"))
    emulator.script(Reply("three"))
    assert [client.text("Say four") for _ in range(4)] == ["one", "two", "three", "four"]


def test_a_request_that_is_refused_for_good_reasons_uses_up_no_reply(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply("kept"))
    assert client.chat(agent="unknown").status_code == 403
    assert client.chat("").status_code == 400
    emulator.revoke_tokens()
    assert client.chat().status_code == 401
    client.sign_in()
    assert client.text() == "kept"


def test_a_reply_in_json_has_the_fields_of_a_reply(client: Client) -> None:
    for one in fields(Reply):
        value = {one.name: getattr(Reply(), one.name)}
        assert client.http.post("/_emulator/script", json=value).status_code == 200, one.name


@pytest.mark.parametrize(
    "wrong", [{"chunk": 0}, {"hold_after": -1}, {"seconds": -0.5}, {"body": "yaml"}, {"fault": "none"}]
)
def test_a_reply_that_cannot_be_is_refused_at_once(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=str(next(iter(wrong.values())))):
        Reply(**wrong)  # type: ignore[arg-type]  # that is the point


def test_a_held_answer_has_sent_nothing_until_it_is_released(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply("hello", hold=True))
    with client.open_chat() as connection:
        emulator.wait_for(lambda e: e.chats[0].held)
        assert (emulator.chats[0].status, emulator.chats[0].frames) == (None, 0)
        emulator.release()
        assert text_of(body_of(read_all(connection))) == "hello"
    emulator.wait_for(lambda e: e.chats[0].finished)


def test_an_answer_held_after_n_characters_has_sent_exactly_these(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply("hello world", hold_after=7))
    with client.open_chat() as connection:
        emulator.wait_for(lambda e: e.chats[0].held)
        assert emulator.chats[0].frames == 3, "an empty one, `hell` and `o w`"
        received = read_until(connection, b'{"message":"o w"}\r\n\r\n\r\n')
        assert text_of(body_of(received)) == "hello w"
        emulator.chats[0].release()
        assert text_of(body_of(received + read_all(connection))) == "hello world"


def test_an_answer_may_be_held_twice(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply("hello", hold=True, hold_after=2))
    with client.open_chat() as connection:
        emulator.wait_for(lambda e: e.chats[0].held)
        emulator.release()
        emulator.wait_for(lambda e: e.chats[0].held and e.chats[0].frames == 2)
        emulator.release()
        assert text_of(body_of(read_all(connection))) == "hello"


def test_an_answer_that_is_not_streamed_can_be_held_too(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply("hello", hold_after=2))
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(client.chat, streaming=False)
        emulator.wait_for(lambda e: e.chats[0].held)
        emulator.release()
        assert answer.result().json()["message"] == "hello"


def test_each_held_answer_can_be_released_alone(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply("first", hold=True), Reply("second", hold=True))
    with client.open_chat() as first, client.open_chat() as second:
        emulator.wait_for(lambda e: sum(chat.held for chat in e.chats) == 2)
        emulator.chats[1].release()
        assert text_of(body_of(read_all(second))) == "second"
        assert emulator.chats[0].held
        emulator.chats[0].release()
        assert text_of(body_of(read_all(first))) == "first"


def test_releasing_what_is_not_held_does_nothing(client: Client, emulator: Emulator) -> None:
    client.chat()
    emulator.release()
    emulator.chats[0].release()
    assert emulator.chats[0].outcome == "finished"


@pytest.mark.parametrize("reply", [Reply("hello", hold=True), Reply("hello", hold_after=2)])
def test_a_client_that_leaves_is_noticed(client: Client, emulator: Emulator, reply: Reply) -> None:
    emulator.script(reply)
    with client.open_chat():
        emulator.wait_for(lambda e: e.chats[0].held)
        assert not emulator.chats[0].disconnected
    emulator.wait_for(lambda e: e.chats[0].disconnected)
    assert not emulator.chats[0].finished
    assert not emulator.chats[0].held


def test_a_finished_answer_is_not_taken_for_a_disconnect(client: Client, emulator: Emulator) -> None:
    client.chat()
    emulator.wait_for(lambda e: e.chats[0].finished)
    assert (emulator.chats[0].disconnected, emulator.chats[0].dropped) == (False, False)


def test_a_request_whose_body_never_came_whole_is_not_recorded(client: Client, emulator: Emulator) -> None:
    with connected(emulator) as connection:
        connection.sendall(request_bytes("/acme/oidc/oauth/token", {}, b"x" * 100)[:-50])
    client.sign_in()
    assert [len(request.body) > 0 and request.status for request in emulator.requests] == [200]


def test_waiting_in_vain_tells_what_was_recorded(client: Client, emulator: Emulator) -> None:
    with pytest.raises(TimeoutError, match=r"not true within 0.01 s; recorded: nothing"):
        emulator.wait_for(lambda e: len(e.chats) == 99, timeout=0.01)
    client.sign_in()
    with pytest.raises(TimeoutError, match="POST /acme/oidc/oauth/token -> 200"):
        emulator.wait_for(lambda e: len(e.chats) == 99, timeout=0.01)


def test_a_request_is_recorded_with_all_that_it_said(client: Client, emulator: Emulator) -> None:
    client.sign_in("acme")
    client.http.post(
        f"/v1/agent/{AGENT}/chat?x=1", json={"user_prompt": "hi", "upload_ids": []}, headers=client.headers()
    )
    token, chat = emulator.requests
    assert (token.form["client_id"], token.realm, token.client_id) == ("client-a", "acme", "client-a")
    assert (chat.method, chat.path, chat.query) == ("POST", f"/v1/agent/{AGENT}/chat", "x=1")
    assert chat.json == {"user_prompt": "hi", "upload_ids": []}
    assert chat.headers["authorization"] == f"Bearer {client.token}"
    assert (chat.realm, chat.client_id, chat.status) == ("acme", "client-a", 200)
    assert (emulator.token_requests, emulator.chats) == ([token], [chat])


def test_requests_to_nowhere_are_recorded_too(client: Client, emulator: Emulator) -> None:
    assert client.http.get("/nowhere").status_code == 404
    assert [(request.path, request.status) for request in emulator.requests] == [("/nowhere", 404)]


def test_reset_forgets_everything_but_the_tokens(client: Client, emulator: Emulator) -> None:
    client.text("my name is Ana", use_conversation=True, conversation_id=AGENT)
    emulator.script(Reply("never used"), Reply(fault="identity_down"))
    emulator.reset()
    assert emulator.requests == []
    assert "Ana" not in client.text("what is my name?", use_conversation=True, conversation_id=AGENT)
    assert len(emulator.token_requests) == 0, "the token held"
    assert client.sign_in().status_code == 200


def test_reset_gives_the_quota_back(client: Client, emulator: Emulator) -> None:
    while client.chat().status_code == 200:
        pass
    emulator.reset()
    assert client.chat().status_code == 200


def test_reset_lets_held_answers_go(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply("hello", hold=True))
    with client.open_chat() as connection:
        emulator.wait_for(lambda e: e.chats[0].held)
        emulator.reset()
        assert text_of(body_of(read_all(connection))) == "hello"


def test_leaving_the_emulator_ends_answers_that_are_held() -> None:
    with ExitStack() as stack:
        http = stack.enter_context(httpx.Client(verify=False))  # noqa: S501  # plain HTTP
        with Emulator(Options()) as emulator:
            http.base_url = httpx.URL(emulator.url)
            emulator.script(Reply("hello", hold=True))
            connection = stack.enter_context(Client(emulator, http).open_chat())
            emulator.wait_for(lambda e: e.chats[0].held)
        assert read_all(connection) == b""


def test_an_emulator_that_does_not_run_has_no_url() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        Emulator().url  # noqa: B018  # reading it is what fails


def test_a_port_that_is_taken_is_an_os_error(emulator: Emulator) -> None:
    port = int(emulator.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"), Emulator(Options(port=port)):
        pass


def test_the_emulator_can_listen_on_ipv6() -> None:
    with Emulator(Options(host="::1")) as emulator:
        assert httpx.get(emulator.url + "/nowhere", verify=False).status_code == 404  # noqa: S501


def test_the_script_can_be_given_over_http(client: Client) -> None:
    replies = [{"text": "hi", "chunk": 1, "tokens": [7, 3]}, {"fault": "drop_in_stream", "text": "hello", "after": 2}]
    assert client.http.post("/_emulator/script", json=replies).json() == {"scripted": 2}
    assert client.http.post("/_emulator/script", json={"text": "alone"}).json() == {"scripted": 1}
    assert b'"tokens":{"input":7,"output":3}' in client.chat().content
    assert text_of(body_of(client.raw_chat())) == "he"
    assert client.text() == "alone"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (b"{", "Expecting"),
        (b'["hi"]', "a reply is an object, not str"),
        (b'[{"txt": "hi"}]', "unknown field 'txt'; known are text, chunk, "),
        (b'[{"fault": "no_such"}]', "unknown fault 'no_such'; known are "),
        (b'[{"text": 7}]', "text cannot be 7"),
        (b'[{"tokens": [1]}]', "tokens are two whole numbers, input and output, not [1]"),
        (b'[{"tokens": [1, null]}]', "tokens are two whole numbers"),
        (b'[{"after": -1}]', "after must be at least 0, not -1"),
    ],
)
def test_a_script_that_cannot_be_is_refused_as_a_whole(client: Client, script: bytes, message: str) -> None:
    response = client.http.post("/_emulator/script", content=script)
    assert response.status_code == 400
    assert message in response.json()["error"]


def test_the_records_can_be_had_over_http_without_secrets(client: Client) -> None:
    client.chat("hi")
    text = client.http.get("/_emulator/requests").text
    token, chat = client.http.get("/_emulator/requests").json()["requests"]
    assert client.token not in text
    assert "secret-a" not in text
    assert token["form"]["client_id"] == "client-a"
    assert (chat["json"]["user_prompt"], chat["status"], chat["finished"]) == ("hi", 200, True)


def test_control_requests_are_not_recorded(client: Client, emulator: Emulator) -> None:
    client.http.get("/_emulator/requests")
    assert emulator.requests == []


def test_a_held_answer_can_be_released_over_http(client: Client, emulator: Emulator) -> None:
    client.http.post("/_emulator/script", json=[{"text": "hello", "hold": True}])
    with client.open_chat() as connection:
        emulator.wait_for(lambda e: e.chats[0].held)
        assert client.http.post("/_emulator/release").json() == {"released": 1}
        assert text_of(body_of(read_all(connection))) == "hello"
    assert client.http.post("/_emulator/release").json() == {"released": 0}


def test_tokens_can_be_revoked_and_everything_reset_over_http(client: Client, emulator: Emulator) -> None:
    client.sign_in()
    client.http.post("/_emulator/revoke")
    assert client.chat().status_code == 401
    client.http.post("/_emulator/reset")
    assert emulator.requests == []


def test_a_log_line_tells_path_and_outcome_but_not_the_prompt(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "emulator"), httpx.Client(verify=False) as http:  # noqa: S501  # plain HTTP
        with Emulator(Options()) as emulator:
            http.base_url = httpx.URL(emulator.url)
            Client(emulator, http).chat("my secret plan")
        assert f"POST /v1/agent/{AGENT}/chat -> 200 (finished)" in caplog.text
        assert "secret" not in caplog.text


# Several clients at once, each with a realm of its own


@pytest.fixture
def clients(client: Client, emulator: Emulator) -> dict[str, Client]:
    """Two clients of one emulator, by their realms."""
    both = {"north": client, "south": Client(emulator, client.http)}
    for realm, one in both.items():
        one.sign_in(realm)
    client.http.post("/_emulator/reset")
    return both


def test_a_reply_for_a_realm_answers_nobody_else(clients: dict[str, Client], emulator: Emulator) -> None:
    emulator.script(Reply("for south", realm="south"), Reply("for anybody"), Reply("for south again", realm="south"))
    assert clients["north"].text() == "for anybody"
    assert [clients["south"].text() for _ in range(2)] == ["for south", "for south again"]


def test_a_token_can_be_refused_to_one_realm(clients: dict[str, Client], emulator: Emulator) -> None:
    emulator.script(Reply(fault="identity_down", realm="south"))
    assert [clients[realm].sign_in(realm).status_code for realm in ("north", "south")] == [200, 503]


def test_a_realm_can_be_looked_at_and_forgotten_alone(clients: dict[str, Client], emulator: Emulator) -> None:
    emulator.script(Reply("cut", fault="drop_before", realm="south"), Reply("left over", realm="south"))
    clients["north"].chat()
    with pytest.raises(httpx.HTTPError):
        clients["south"].chat()
    south, http = "/_emulator/realms/south", clients["south"].http
    assert http.get(south).json() == {"chats": ["dropped"], "tokens": [], "waiting": [None]}
    http.delete(south)
    assert http.get(south).json() == {"chats": [], "tokens": [], "waiting": []}
    assert [record.realm for record in emulator.chats] == ["north"]


def test_the_tokens_of_one_realm_can_be_revoked(clients: dict[str, Client]) -> None:
    clients["north"].http.post("/_emulator/revoke?realm=south")
    assert [clients[realm].chat().status_code for realm in ("north", "south")] == [200, 401]
