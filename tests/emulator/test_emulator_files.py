"""Files: the form for an upload, the object store, and the ids in a chat."""

from typing import Any

import httpx
import pytest

from emulator import Emulator
from tests.emulator.conftest import Start
from tests.emulator.emulator_client import FILE, Client, announce, frames_of, post


def test_a_file_is_announced_posted_and_seen_by_the_agent(client: Client) -> None:
    form = announce(client).json()
    assert post(form).status_code == 204
    answer = client.chat("What is in it?", streaming=False, upload_ids=[form["id"]]).json()
    assert answer["upload_ids"] == {form["id"]: "relatório.txt"}
    assert "relatório.txt (7 bytes)" in answer["message"]
    assert [(file.file_name, file.content) for file in client.emulator.files] == [("relatório.txt", b"content")]


def test_a_file_that_was_announced_but_not_posted_is_not_there(client: Client) -> None:
    form = announce(client).json()
    assert client.chat(streaming=False, upload_ids=[form["id"], "no-such", 7]).json()["upload_ids"] == {}


def test_a_form_needs_a_token(client: Client) -> None:
    assert client.http.post("/v2/file-upload/form", json=FILE).status_code == 401


@pytest.mark.parametrize(
    "fields",
    [
        {"file_name": ""},
        {"file_name": None},
        {"target_type": "OTHER"},
        {"expiration": 0},
        {"expiration": "60"},
        {"expiration": True},
    ],
)
def test_a_form_for_half_a_file_is_refused(client: Client, fields: dict[str, object]) -> None:
    response = announce(client, **fields)
    assert response.status_code == 400
    assert next(iter(fields)) in response.json()["details"]


def test_a_form_for_no_object_is_refused(client: Client) -> None:
    assert client.http.post("/v2/file-upload/form", json=[], headers=client.headers()).status_code == 400


def test_the_object_store_refuses_an_authorization_header(client: Client) -> None:
    response = post(announce(client).json(), Authorization="Bearer x")
    assert (response.status_code, "InvalidArgument" in response.text) == (400, True)


def test_the_object_store_takes_only_forms(client: Client) -> None:
    assert httpx.post(announce(client).json()["url"], content=b"x").status_code == 412


def test_fields_behind_the_file_do_not_count(client: Client) -> None:
    form = announce(client).json()
    fields = [(name, (None, value)) for name, value in form["form"].items()]
    file = ("file", ("a.txt", b"content"))
    for parts in ([file, *fields], [*fields[:-1], file, fields[-1]]):
        assert post(form, parts).status_code == 403
    assert post(form, [*fields, file]).status_code == 204


@pytest.mark.parametrize("files", [[], [("file", ("a", b"1")), ("file", ("b", b"2"))]])
def test_exactly_one_file_is_taken(client: Client, files: list[Any]) -> None:
    form = announce(client).json()
    fields = [(name, (None, value)) for name, value in form["form"].items()]
    assert post(form, fields + files).status_code == 400


@pytest.mark.parametrize("status", [200, 201, 204])
def test_an_object_store_may_say_in_three_ways_that_it_took_a_file(start: Start, status: int) -> None:
    client = start(stored_status=status)
    assert post(announce(client).json()).status_code == status
    assert len(client.emulator.files) == 1


def test_a_file_must_be_a_file(client: Client) -> None:
    form = announce(client).json()
    fields = [(name, (None, value)) for name, value in form["form"].items()]
    assert post(form, [*fields, ("file", (None, "just text"))]).status_code == 400


def test_a_forged_field_is_refused(client: Client) -> None:
    form = announce(client).json()
    form["form"]["policy"] = "forged"
    assert post(form).status_code == 403


def test_an_unknown_upload_is_not_found(client: Client) -> None:
    form = announce(client).json()
    form["url"] += "x"
    assert post(form).status_code == 404


def test_a_file_that_is_too_large_is_refused(start: Start) -> None:
    assert post(announce(start(max_upload_bytes=6)).json()).status_code == 400
    assert post(announce(start(max_upload_bytes=7)).json()).status_code == 204


@pytest.mark.parametrize(("unit", "ends"), [("minutes", 3600), ("seconds", 60)])
def test_a_form_expires_in_minutes_or_seconds(start: Start, unit: str, ends: int) -> None:
    client = start(expiration_unit=unit)
    form = announce(client).json()
    client.emulator.advance(ends - 30)
    assert post(form).status_code == 204
    client.emulator.advance(30)
    assert post(form).status_code == 403


@pytest.mark.parametrize("expire", [False, True])
def test_files_may_end_with_their_forms(start: Start, expire: bool) -> None:
    client = start(expiration_unit="seconds", files_expire=expire)
    form = announce(client).json()
    post(form)
    client.emulator.advance(60)
    assert (client.chat(streaming=False, upload_ids=[form["id"]]).json()["upload_ids"] == {}) == expire
    assert len(client.emulator.files) == (0 if expire else 1)


def test_reset_forgets_files(client: Client, emulator: Emulator) -> None:
    form = announce(client).json()
    post(form)
    emulator.reset()
    assert post(form).status_code == 404


def test_files_stay_known_in_a_conversation(client: Client) -> None:
    form = announce(client).json()
    post(form)
    conversation: dict[str, Any] = {"use_conversation": True, "conversation_id": "01KJJB4T9SP5V1SYDEYHTZ5N6Y"}
    client.chat("Look at it.", upload_ids=[form["id"]], **conversation)
    assert "relatório.txt" in client.text("And now?", **conversation)
    assert frames_of(client.chat("And now?", **conversation).content)[-1]["stop_reason"] == "stop"
