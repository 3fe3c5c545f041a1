"""The same faults for Fusion: they do to its frames what they do to StackSpot's."""

import gzip
import json
from collections.abc import Callable

import httpx
import pytest

from emulator import FAULTS, Emulator, Reply
from tests.emulator.conftest import StartFusion
from tests.emulator.emulator_client import body_of, data_of
from tests.emulator.fusion_caller import AGENT, Fusion, tokens_of
from tests.emulator.test_emulator_faults import REFUSALS, STREAM_CHECKS, TEXT, Answer

OF_USAGE = {"null_tokens", "tokens_is_null", "string_tokens", "user_enrichment_tokens", "no_tokens"}
"""Fusion tells no usage, so these change nothing."""

TESTED_BY_NAME = {"done_marker", "gzip"}

CODES = {
    "unauthorized_once": "unauthorized",
    "expired_token": "unauthorized",
    "forbidden": "forbidden",
    "rate_limited": "rate_limit_exceeded",
    "too_long": "bad_request",
    "not_found": "not_found",
    "unprocessable": "validation_error",
    "server_error": "server_error",
    "bad_gateway": "<html>",
    "unavailable": "Unavailable",
    "gateway_timeout": "<html>",
}


def as_stackspot(raw: bytes) -> Answer:
    """A stream of Fusion in the words of StackSpot, so that the same checks can judge it."""
    body = body_of(raw).replace(b'{"token":', b'{"message":')
    return Answer(raw, body.replace(b"[DONE]", b'{"stop_reason":"stop"}'))


@pytest.mark.parametrize("name", sorted(STREAM_CHECKS.keys() - OF_USAGE - TESTED_BY_NAME))
def test_a_fault_of_the_stream_is_the_same_for_fusion(start_fusion: StartFusion, name: str) -> None:
    fusion = start_fusion(fusion_chat_told="header")
    fusion.emulator.script(Reply(TEXT, fault=name, after=5))
    answer = as_stackspot(fusion.raw_chat())
    assert STREAM_CHECKS[name](answer), answer.raw[-500:]


@pytest.mark.parametrize("name", sorted(OF_USAGE | {"done_marker"}))
def test_a_fault_without_a_meaning_leaves_the_stream_good(fusion: Fusion, emulator: Emulator, name: str) -> None:
    emulator.script(Reply(TEXT, fault=name))
    data = fusion.stream()
    assert tokens_of(data) == TEXT
    assert data.count("[DONE]") == (2 if name == "done_marker" else 1)


def test_a_stream_can_be_compressed(fusion: Fusion, emulator: Emulator) -> None:
    emulator.script(Reply(TEXT, fault="gzip"))
    assert tokens_of(data_of(gzip.decompress(body_of(fusion.raw_chat())))) == TEXT


def test_json_comes_where_a_stream_was_asked_for(fusion: Fusion, emulator: Emulator) -> None:
    emulator.script(Reply(TEXT, fault="json_body"))
    assert fusion.answer("hello", stream=True) == TEXT


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_has_its_status_and_the_words_of_fusion(fusion: Fusion, emulator: Emulator, name: str) -> None:
    emulator.script(Reply(fault=name), Reply("well again"))
    refused = fusion.chat()
    assert (refused.status_code, CODES[name] in refused.text) == (REFUSALS[name][0], True)
    assert "INFERENCE" not in refused.text
    assert fusion.get("/chat") == {"chats": []}, "no chat is made by a request that was refused"
    assert fusion.answer() == "well again"


BODIES: dict[str, Callable[[bytes], object]] = {
    "envelope": lambda body: json.loads(body)["error"].keys() == {"code", "message"},
    "detail": lambda body: isinstance(json.loads(body)["detail"], str),
    "text": lambda body: b"{" not in body and b"<" not in body and body,
    "html": lambda body: body.startswith(b"<html>"),
    "empty": lambda body: body == b"",
}


@pytest.mark.parametrize("style", BODIES)
def test_an_error_body_comes_in_every_style_since_nobody_knows_it(start_fusion: StartFusion, style: str) -> None:
    fusion = start_fusion(error_body=style)
    for fault, (status, _) in REFUSALS.items():
        fusion.emulator.script(Reply(fault=fault))
        refused = fusion.chat()
        assert (refused.status_code, bool(BODIES[style](refused.content))) == (status, True), fault


def test_a_chat_whose_answer_broke_off_lacks_the_answer(fusion: Fusion, emulator: Emulator) -> None:
    emulator.script(Reply(TEXT, fault="drop_in_stream"))
    fusion.raw_chat()
    (chat,) = fusion.get("/chat")["chats"]
    assert [one["message"] for one in fusion.get(f"/chat/{chat['id']}/messages")["messages"]] == ["hello"]


OTHERS: dict[str, tuple[str, str, object]] = {
    "a list of agents": ("GET", "/agents", None),
    "an agent": ("GET", f"/agents/{AGENT}", None),
    "a list of chats": ("GET", "/chat", None),
    "a document": ("POST", "/knowledge", {"name": "a", "content": "b"}),
}


@pytest.mark.parametrize("case", OTHERS)
def test_a_fault_can_hit_any_other_request_instead(fusion: Fusion, emulator: Emulator, case: str) -> None:
    method, path, body = OTHERS[case]
    emulator.script(
        Reply(fault="unavailable", hits="other", headers={"retry-after": "7"}),
        Reply(fault="drop_before", hits="other"),
        Reply(fault="slow_first_byte", seconds=0.001, hits="other"),
    )
    assert fusion.chat().status_code == 200, "a chat request does not use it up"
    refused = fusion.ask(method, path, json=body)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "7")
    with pytest.raises(httpx.RemoteProtocolError):
        fusion.ask(method, path, json=body)
    assert fusion.ask(method, path, json=body).is_success


def test_other_processes_can_aim_a_fault_as_well(fusion: Fusion) -> None:
    script = [{"fault": "unavailable", "hits": hits} for hits in ("other", "none")]
    answers = [fusion.http.post("/_emulator/script", json=one) for one in script]
    assert [answer.status_code for answer in answers] == [200, 400]
    assert fusion.ask("GET", "/agents").status_code == 503


def test_a_kind_of_request_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown kind of request 'read'; known are chat, token, form, store, other"):
        Reply(hits="read")  # type: ignore[arg-type]  # that is what is refused


@pytest.mark.parametrize(
    ("name", "status"), [("store_refused", 403), ("store_too_large", 400), ("store_down", 503), ("store_slow", 200)]
)
def test_the_faults_of_the_object_store_hit_uploads(fusion: Fusion, emulator: Emulator, name: str, status: int) -> None:
    emulator.script(Reply(fault=name, seconds=0.001))
    answered = fusion.upload()
    assert answered.status_code == status
    assert answered.json().keys() == ({"error"} if status != 200 else {"file_id", "filename", "size", "content_type"})
    assert len(emulator.files) == (status == 200)


def test_an_upload_may_get_no_byte(fusion: Fusion, emulator: Emulator) -> None:
    emulator.script(Reply(fault="store_drop"))
    with pytest.raises(httpx.RemoteProtocolError):
        fusion.upload()
    assert fusion.upload().is_success


def test_every_fault_of_a_stream_is_tested() -> None:
    changed = {name for name, fault in FAULTS.items() if fault.change} - {"reset_in_stream", "endless_empty"}
    assert changed <= STREAM_CHECKS.keys()


def test_a_reset_breaks_the_connection_with_an_error(fusion: Fusion, emulator: Emulator) -> None:
    emulator.script(Reply(TEXT, fault="reset_in_stream", after=5))
    with pytest.raises(ConnectionResetError):
        fusion.raw_chat()
    assert emulator.chats[0].dropped


def test_empty_tokens_go_on_until_the_client_leaves(fusion: Fusion, emulator: Emulator) -> None:
    emulator.script(Reply(TEXT, fault="endless_empty", after=5))
    with fusion.open_chat() as connection:
        received = b""
        while received.count(b'{"token":""}') < 20:
            received += connection.recv(65536)
    emulator.wait_for(lambda e: e.chats[0].disconnected)
