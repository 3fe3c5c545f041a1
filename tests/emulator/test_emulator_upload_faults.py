"""Every fault of an upload by name: what comes of the form and of the post, and that the next ones are good."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from emulator import FAULTS, Emulator, Reply
from tests.emulator.conftest import Start
from tests.emulator.emulator_client import Client, announce, post

UPLOAD_FAULTS = {name for name, fault in FAULTS.items() if fault.hits in ("form", "store")}
FORM_REFUSALS = {
    "form_refused": (400, "file_name is not allowed."),
    "form_forbidden": (403, ""),
    "form_rate_limited": (429, "INFERENCE_3008_CHAT_RATE_LIMIT_EXCEEDED"),
    "form_down": (503, "Unavailable"),
    "form_web_page": (200, "<p>Sign in.</p>"),
}
STORE_REFUSALS = {
    "store_refused": (403, "<Code>AccessDenied</Code>"),
    "store_too_large": (400, "<Code>EntityTooLarge</Code>"),
    "store_down": (503, "<Code>SlowDown</Code>"),
}
ODD_FORMS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "form_incomplete": lambda form: form.keys() == {"id", "form"},
    "form_odd_address": lambda form: form["url"] == "file:///etc/hostname",
    "form_unknown_id": lambda form: form["id"] == "01JQ0000000000000000000000",
}
TESTED_BY_NAME = {"form_slow", "form_drop", "store_slow", "store_drop"}


def test_every_fault_of_an_upload_is_tested() -> None:
    assert {*FORM_REFUSALS, *STORE_REFUSALS, *ODD_FORMS, *TESTED_BY_NAME} == UPLOAD_FAULTS


@pytest.mark.parametrize(("name", "expected"), FORM_REFUSALS.items())
def test_a_form_is_refused_once(client: Client, emulator: Emulator, name: str, expected: tuple[int, str]) -> None:
    emulator.script(Reply(fault=name))
    answer = announce(client)
    assert (answer.status_code, expected[1] in answer.text) == (expected[0], True)
    assert announce(client).json()["url"]


@pytest.mark.parametrize(("name", "expected"), STORE_REFUSALS.items())
def test_a_post_is_refused_once(client: Client, emulator: Emulator, name: str, expected: tuple[int, str]) -> None:
    emulator.script(Reply(fault=name))
    form = announce(client).json()
    answer = post(form)
    assert (answer.status_code, answer.text) == (expected[0], f"<Error>{expected[1]}</Error>")
    assert post(form).status_code == 204


@pytest.mark.parametrize(("name", "is_odd"), ODD_FORMS.items())
def test_a_form_is_odd_once(
    client: Client, emulator: Emulator, name: str, is_odd: Callable[[dict[str, Any]], bool]
) -> None:
    emulator.script(Reply(fault=name))
    assert is_odd(announce(client).json())
    assert post(announce(client).json()).status_code == 204


def test_an_id_that_is_not_known_is_no_file_to_the_agent(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply(fault="form_unknown_id"))
    form = announce(client).json()
    assert post(form).status_code == 204
    assert client.chat(streaming=False, upload_ids=[form["id"]]).json()["upload_ids"] == {}


@pytest.mark.parametrize("fault", ["form_drop", "store_drop"])
def test_a_dropped_request_gets_no_byte(client: Client, emulator: Emulator, fault: str) -> None:
    emulator.script(Reply(fault=fault))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        post(announce(client).json())
    assert emulator.requests[-1].dropped


@pytest.mark.parametrize("fault", ["form_slow", "store_slow"])
def test_a_slow_request_is_answered_in_the_end(client: Client, emulator: Emulator, fault: str) -> None:
    emulator.script(Reply(fault=fault, seconds=0.01))
    assert post(announce(client).json()).status_code == 204


def test_an_upload_may_be_held(client: Client, emulator: Emulator) -> None:
    form = announce(client).json()
    emulator.script(Reply(fault="store_slow", seconds=0, hold=True))
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(form["url"], data=form["form"], files={"file": b"x"}, timeout=0.1)
    emulator.wait_for(lambda e: e.requests[-1].disconnected)


def test_a_fault_of_an_upload_leaves_other_requests_alone(start: Start) -> None:
    client = start(fault="store_down")
    assert client.chat().status_code == 200
    form = announce(client).json()
    assert [post(form).status_code for _ in range(2)] == [503, 503]


def test_the_style_of_errors_that_nobody_knows_is_not_that_of_the_object_store(start: Start) -> None:
    client = start(error_body="html", fault="store_refused")
    assert post(announce(client).json()).headers["content-type"] == "application/xml"


@pytest.mark.parametrize(
    ("style", "told"),
    [
        ("objects", {"source": [{"knowledge_source_id": "a", "name": "a"}], "cross_account_source": []}),
        (
            "links",
            {
                "source": [{"id": "a", "title": "About a", "url": "https://knowledge.example.com/a"}],
                "cross_account_source": [],
            },
        ),
        ("texts", {"source": ["a"], "cross_account_source": []}),
        ("ids", {"source": [], "cross_account_source": []}),
        ("cross_account", {"source": [], "cross_account_source": [{"knowledge_source_id": "a", "name": "a"}]}),
    ],
)
def test_sources_are_told_in_every_likely_form(start: Start, style: str, told: dict[str, Any]) -> None:
    body: dict[str, Any] = {"return_ks_in_response": True, "knowledge_source_ids": ["a"]}
    answer = json.loads(start(sources=style).chat(streaming=False, **body).content)
    assert answer["knowledge_source_id"] == ["a"]
    assert {name: answer[name] for name in told} == told
