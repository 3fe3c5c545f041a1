"""Every fault by name, as the bytes that come: each test fails when its fault does something else."""

import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from emulator import FAULTS, Emulator, Reply
from tests.emulator.conftest import Start
from tests.emulator.emulator_client import Client, body_of, data_of, frames_of, read_chunks, text_of
from tests.emulator.test_emulator_upload_faults import UPLOAD_FAULTS

TEXT = "Olá, 🙂 mundo. FUNCTION_CALL_START\nf\narguments: {}\nFUNCTION_CALL_END"
END_OF_CHUNKS = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """One streamed answer: as bytes on the wire, and the body in it."""

    raw: bytes
    body: bytes

    @property
    def whole(self) -> bool:
        """Whether the terminating chunk came."""
        return self.raw.endswith(END_OF_CHUNKS)

    @property
    def text(self) -> str:
        return text_of(self.body)

    @property
    def final(self) -> dict[str, Any]:
        return frames_of(self.body)[-1]


Check = Callable[[Answer], bool]


def final_tokens(expected: object) -> Check:
    """The text is whole and the final frame has these tokens."""
    return lambda answer: answer.text == TEXT and answer.final["tokens"] == expected


def error_frame(**expected: object) -> Check:
    """Five characters of text, then a last event with these fields, then a clean end."""
    return lambda answer: (
        answer.whole and TEXT[:5] in answer.text and answer.final == expected and "stop_reason" not in answer.final
    )


def extra_data(*expected: str) -> Check:
    """These data come behind five characters of text; the rest is as if nothing had happened."""

    def check(answer: Answer) -> bool:
        data = data_of(answer.body)
        place = data.index(expected[0])
        before, rest = data[:place], data[place + len(expected) :]
        texts = ["".join(json.loads(one).get("message", "") for one in part) for part in (before, rest)]
        return data[place : place + len(expected)] == list(expected) and texts == [TEXT[:5], TEXT[5:]] and answer.whole

    return check


ERROR_EVENT = b'event: error\r\ndata: {"message":"The model failed."}\r\n\r\n'
EVENT_AND_PINGS = b'id: 7\r\ndata: {"message":""}\r\n\r\n: ping\r\n\r\ndata: \r\n\r\n'
FAILURE = {"code": "INFERENCE_0000_STREAM", "message": "The model failed."}

STREAM_CHECKS: dict[str, Check] = {
    "drop_before": lambda a: a.raw == b"",
    "drop_in_stream": lambda a: a.text == TEXT[:5] and not a.whole and b"stop_reason" not in a.body,
    "drop_in_marker": lambda a: a.text == TEXT[: TEXT.index("FUNCTION") + 9] and not a.whole,
    "cut_in_frame": lambda a: a.text == TEXT[:5] and a.whole and a.body.endswith(b'{"message":"never '),
    "no_final_frame": lambda a: a.text == TEXT and a.whole and a.body.endswith(b'{"message":""}\r\n\r\n'),
    "no_blank_line": lambda a: a.whole and a.body.endswith(b"}\r\n") and not a.body.endswith(b"\r\n\r\n"),
    "no_line_end": lambda a: a.whole and a.body.endswith(b"}") and b'"stop_reason"' in a.body,
    "done_marker": lambda a: data_of(a.body)[-1] == "[DONE]" and "stop_reason" in data_of(a.body)[-2],
    "null_tokens": final_tokens({"input": None, "output": None}),
    "tokens_is_null": final_tokens(None),
    "string_tokens": final_tokens({"input": "7", "output": "3"}),
    "user_enrichment_tokens": final_tokens({"user": 3, "enrichment": 4, "output": 3}),
    "no_tokens": lambda a: "tokens" not in a.final and a.final["stop_reason"] == "stop",
    "error_event": lambda a: (
        a.whole and a.body.endswith(b'event: error\r\ndata: {"message":"The model failed."}\r\n\r\n')
    ),
    "error_type": error_frame(type="error", **FAILURE),
    "error_object": error_frame(error=FAILURE),
    "error_text": error_frame(error="The model failed."),
    "ping_after_id": lambda a: (
        b'id: 7\r\ndata: {"message":""}\r\n\r\n: ping\r\n\r\ndata: \r\n\r\n' in a.body and a.whole
    ),
    "byte_order_mark": lambda a: a.body.startswith(b"\xef\xbb\xbfdata: ") and text_of(a.body[3:]) == TEXT,
    "split_surrogates": lambda a: (
        rb'\ud83d"}' in a.body and rb'{"message":"\ude42' in a.body and paired(a.text) == TEXT
    ),
    "lone_surrogate": lambda a: rb'{"message":"\ud83d"}' in a.body and a.text == TEXT[:5] + "\ud83d" + TEXT[5:],
    "line_separators": lambda a: "\u2028\u2029\u0085".encode() in a.body and a.whole,
    "nested": extra_data('{"message":"","source":' + "[" * 100_000 + "]" * 100_000 + "}"),
    "plain_text_frame": lambda a: "keep-alive" in data_of(a.body) and a.whole,
    "no_space": lambda a: b"data:{" in a.body and b"data: " not in a.body and a.text == TEXT,
    "gzip": lambda a: b"content-encoding: gzip" in a.raw and text_of(gzip.decompress(a.body)) == TEXT,
}
REFUSALS: dict[str, tuple[int, str]] = {
    "unauthorized_once": (401, "INFERENCE_0000_UNAUTHORIZED"),
    "expired_token": (401, "INFERENCE_0000_UNAUTHORIZED"),
    "forbidden": (403, ""),
    "rate_limited": (429, "INFERENCE_3008_CHAT_RATE_LIMIT_EXCEEDED"),
    "too_long": (400, "INFERENCE_6001_LLM_MODEL_BAD_REQUEST"),
    "not_found": (404, "INFERENCE_0000_AGENT_NOT_FOUND"),
    "unprocessable": (422, "user_prompt"),
    "server_error": (500, "INFERENCE_0000_INTERNAL_ERROR"),
    "bad_gateway": (502, "<html>"),
    "unavailable": (503, "Unavailable"),
    "gateway_timeout": (504, "<html>"),
}
TESTED_BY_NAME = {
    *("identity_refused", "identity_down", "identity_slow", "identity_drop"),
    *("slow_first_byte", "json_body", "reset_in_stream", "endless_empty"),
}


def paired(text: str) -> str:
    """`text` with its surrogate halves joined again."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16")


def test_every_fault_is_tested() -> None:
    assert {*STREAM_CHECKS, *REFUSALS, *TESTED_BY_NAME, *UPLOAD_FAULTS} == set(FAULTS)


@pytest.mark.parametrize("name", STREAM_CHECKS)
def test_a_fault_of_the_stream_is_what_its_name_says(client: Client, emulator: Emulator, name: str) -> None:
    emulator.script(Reply(TEXT, fault=name, after=5, tokens=(7, 3)))
    raw = client.raw_chat()
    answer = Answer(raw, body_of(raw))
    assert STREAM_CHECKS[name](answer), answer.raw[-500:]


@pytest.mark.parametrize("name", STREAM_CHECKS)
def test_no_other_answer_passes_the_check_of_a_fault(client: Client, emulator: Emulator, name: str) -> None:
    emulator.script(Reply(TEXT, tokens=(7, 3)))
    raw = client.raw_chat()
    with pytest.raises((AssertionError, ValueError, KeyError, gzip.BadGzipFile, zlib.error)):
        assert STREAM_CHECKS[name](Answer(raw, body_of(raw)))


@pytest.mark.parametrize("name", STREAM_CHECKS)
def test_a_fault_strikes_once(client: Client, emulator: Emulator, name: str) -> None:
    emulator.script(Reply(TEXT, fault=name), Reply("well again"))
    client.raw_chat()
    assert client.text() == "well again"


@pytest.mark.parametrize(("name", "expected"), REFUSALS.items())
def test_a_refusal_has_the_status_and_body_of_its_name(
    client: Client, emulator: Emulator, name: str, expected: tuple[int, str]
) -> None:
    emulator.script(Reply(fault=name))
    response = client.chat()
    assert (response.status_code, expected[1] in response.text) == (expected[0], True)
    assert (response.content == b"") == (name == "forbidden")


def test_the_refusal_of_a_long_prompt_has_both_numbers(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply(fault="too_long"))
    details = client.chat().json()["details"]
    assert "limit of 272000 tokens" in details
    assert "resulted in 300000 tokens" in details


def test_an_unauthorized_once_token_is_good_the_next_time(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply(fault="unauthorized_once"))
    assert [client.chat().status_code for _ in range(2)] == [401, 200]


def test_an_expired_token_stays_expired_until_another_is_fetched(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply(fault="expired_token"))
    assert [client.chat().status_code for _ in range(3)] == [401, 401, 401]
    client.sign_in()
    assert client.chat().status_code == 200


@pytest.mark.parametrize(("name", "status"), [("identity_refused", 401), ("identity_down", 503)])
def test_an_identity_fault_hits_the_next_token_request_only(
    client: Client, emulator: Emulator, name: str, status: int
) -> None:
    client.sign_in()
    emulator.script(Reply(fault=name))
    assert client.chat().status_code == 200, "a chat request does not use it up"
    assert [client.sign_in().status_code for _ in range(2)] == [status, 200]


def test_a_refused_client_is_told_so_as_oauth_does(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply(fault="identity_refused"))
    assert client.sign_in().json() == {"error": "invalid_client"}


def test_a_dropped_token_request_gets_no_byte(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply(fault="identity_drop"))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        client.sign_in()
    assert emulator.token_requests[0].dropped


def test_a_slow_first_byte_has_not_come_when_a_later_answer_is_complete(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply(fault="slow_first_byte", seconds=3600), Reply("quick"))
    with client.open_chat():
        emulator.wait_for(lambda e: e.chats != [])
        assert client.text() == "quick"
        assert (emulator.chats[0].status, emulator.chats[0].outcome) == (None, "open")
    emulator.wait_for(lambda e: e.chats[0].disconnected)


def test_a_slow_token_has_not_come_when_a_later_one_has(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply(fault="identity_slow", seconds=3600))
    with client.open_sign_in():
        emulator.wait_for(lambda e: len(e.token_requests) == 1)
        assert client.sign_in().status_code == 200
        assert (emulator.token_requests[0].status, emulator.token_requests[0].outcome) == (None, "open")
    emulator.wait_for(lambda e: e.token_requests[0].disconnected)


def test_a_slow_answer_comes_in_the_end(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply(fault="identity_slow", seconds=0.01), Reply(TEXT, fault="slow_first_byte", seconds=0.01))
    assert client.sign_in().status_code == 200
    assert client.text() == TEXT


def test_a_json_body_comes_although_a_stream_was_asked_for(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply(TEXT, fault="json_body"))
    response = client.chat(streaming=True)
    assert response.headers["content-type"] == "application/json"
    assert response.json()["message"] == TEXT


def test_a_reset_breaks_the_connection_with_an_error(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply(TEXT, fault="reset_in_stream", after=5))
    with pytest.raises(ConnectionResetError):
        client.raw_chat()
    assert emulator.chats[0].dropped


def test_empty_deltas_go_on_until_the_client_leaves(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply(TEXT, fault="endless_empty", after=5))
    with client.open_chat() as connection:
        received = b""
        while received.count(b'{"message":""}') < 20:
            received += connection.recv(65536)
    assert frames_of(body_of(received[: received.rindex(b"\r\n\r\n\r\n") + 6]))[1:3] == [
        {"message": TEXT[:4]},
        {"message": TEXT[4]},
    ]
    emulator.wait_for(lambda e: e.chats[0].disconnected)


def test_a_compressed_stream_can_be_read_as_it_comes(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply(TEXT, fault="gzip", hold_after=5))
    with client.open_chat() as connection:
        emulator.wait_for(lambda e: e.chats[0].held)
        unpacker = zlib.decompressobj(wbits=31)
        packed = read_chunks(connection, emulator.chats[0].frames)
        assert text_of(unpacker.decompress(packed)) == TEXT[:5]


@pytest.mark.parametrize("after", [0, 1, 4, 5, 8, 1000])
def test_a_stream_is_cut_after_exactly_as_many_characters(client: Client, emulator: Emulator, after: int) -> None:
    emulator.script(Reply(TEXT, fault="drop_in_stream", after=after))
    assert text_of(body_of(client.raw_chat())) == TEXT[:after]


def test_a_marker_is_added_where_there_is_none_to_be_cut_in(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply("no call", fault="drop_in_marker"))
    assert text_of(body_of(client.raw_chat())) == "no call\nFUNCTION_"


def test_a_fault_may_come_on_top_of_what_the_brain_says(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply(fault="done_marker"))
    data = data_of(client.chat("Say pong").content)
    assert "".join(json.loads(one).get("message", "") for one in data[:-1]) == "pong"
    assert data[-1] == "[DONE]"


@pytest.mark.parametrize("fault", ["rate_limited", "drop_in_stream", "identity_refused"])
def test_a_fault_in_the_options_strikes_every_time(start: Start, fault: str) -> None:
    client = start(fault=fault)
    if FAULTS[fault].hits == "token":
        assert [client.sign_in().status_code for _ in range(2)] == [401, 401]
    else:
        assert client.raw_chat()[:20] == client.raw_chat()[:20] != b""
        assert not any(chat.finished and chat.status == 200 for chat in client.emulator.chats)


BODIES: dict[str, Callable[[bytes], object]] = {
    "envelope": lambda body: json.loads(body).keys() == {"type", "code", "details"},
    "oauth": lambda body: json.loads(body).keys() == {"error"},
    "detail": lambda body: json.loads(body).keys() == {"detail"},
    "text": lambda body: b"{" not in body and b"<" not in body and body,
    "html": lambda body: body.startswith(b"<html>"),
    "xml": lambda body: body.startswith(b"<Error><Code>"),
    "empty": lambda body: body == b"",
}


@pytest.mark.parametrize("style", BODIES)
@pytest.mark.parametrize("fault", [name for name, (status, _) in REFUSALS.items() if status not in (400, 403, 429)])
def test_an_error_body_that_nobody_knows_comes_in_every_style(start: Start, fault: str, style: str) -> None:
    client = start(error_body=style)
    client.emulator.script(Reply(fault=fault))
    response = client.chat()
    assert response.status_code == REFUSALS[fault][0]
    assert BODIES[style](response.content)


@pytest.mark.parametrize("style", BODIES)
@pytest.mark.parametrize("fault", ["identity_refused", "identity_down"])
def test_an_error_body_of_the_identity_service_comes_in_every_style(start: Start, fault: str, style: str) -> None:
    client = start(error_body=style)
    client.emulator.script(Reply(fault=fault))
    response = client.sign_in()
    assert response.status_code in (401, 503)
    assert BODIES[style](response.content)


@pytest.mark.parametrize("fault", ["too_long", "forbidden", "rate_limited"])
def test_an_error_body_that_is_known_is_not_for_the_options_to_change(start: Start, fault: str) -> None:
    client = start(error_body="html")
    client.emulator.script(Reply(fault=fault), Reply(fault=fault, body="html"))
    assert "<html>" not in client.chat().text
    assert "<html>" in client.chat().text, "a test that insists gets it all the same"


def test_headers_can_be_added_and_replaced(client: Client, emulator: Emulator) -> None:
    emulator.script(
        Reply(fault="unavailable", headers={"Retry-After": "7"}),
        Reply("hi", headers={"content-type": "text/event-stream; charset=utf-8"}),
    )
    assert client.chat().headers["retry-after"] == "7"
    assert client.chat().headers["content-type"] == "text/event-stream; charset=utf-8"


def test_an_unknown_fault_is_refused_with_the_names_of_all(start: Start) -> None:
    with pytest.raises(ValueError, match="unknown fault 'no_such'; known are identity_refused, "):
        Reply(fault="no_such")
    with pytest.raises(ValueError, match="unknown fault 'no_such'"):
        start(fault="no_such")


def test_nothing_is_logged_as_an_error_when_connections_break(
    client: Client, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("drop_before", "drop_in_stream", "drop_in_marker", "cut_in_frame"):
        emulator.script(Reply(TEXT, fault=name))
        client.raw_chat()
    emulator.script(Reply(TEXT, fault="reset_in_stream"), Reply(TEXT, hold=True))
    with pytest.raises(ConnectionResetError):
        client.raw_chat()
    with client.open_chat():
        emulator.wait_for(lambda e: e.chats[-1].held)
    emulator.wait_for(lambda e: e.chats[-1].disconnected)
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
