"""Fusion's files and knowledge."""

from typing import Any

import pytest

from emulator import Emulator
from tests.emulator.conftest import StartFusion
from tests.emulator.fusion_caller import UNKNOWN, Fusion


@pytest.mark.parametrize("into_a_chat", [False, True])
def test_a_file_is_sent_and_given_back(fusion: Fusion, emulator: Emulator, into_a_chat: bool) -> None:
    chat_id = fusion.begun() if into_a_chat else ""
    stored = fusion.upload("relatório.pdf", b"%PDF", chat_id).raise_for_status().json()
    assert {**stored, "file_id": ""} == {
        "file_id": "",
        "filename": "relatório.pdf",
        "size": 4,
        "content_type": "application/pdf",
    }
    given = fusion.ask("GET", f"/files/{stored['file_id']}")
    assert (given.content, given.headers["content-type"]) == (b"%PDF", "application/pdf")
    assert [(file.id, file.content) for file in emulator.files] == [(stored["file_id"], b"%PDF")]


def test_a_file_of_an_unknown_type_is_bytes(fusion: Fusion) -> None:
    stored = fusion.upload("noname", b"\x00").json()
    assert stored["content_type"] is None
    given = fusion.ask("GET", f"/files/{stored['file_id']}")
    assert (given.content, given.headers["content-type"]) == (b"\x00", "application/octet-stream")


@pytest.mark.parametrize("form", [{"data": {"file": "text"}}, {"files": {"other": ("a.txt", b"a")}}, {"json": {}}])
def test_a_post_without_a_file_is_refused(fusion: Fusion, form: dict[str, Any]) -> None:
    refused = fusion.ask("POST", "/files", **form)
    assert (refused.status_code, "file is required" in refused.json()["error"]["message"]) == (400, True)


def test_a_file_may_be_too_large(start_fusion: StartFusion) -> None:
    fusion = start_fusion(max_upload_bytes=3)
    assert fusion.upload(content=b"abc").status_code == 200
    refused = fusion.upload(content=b"abcd")
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "file_too_large")


def test_a_file_needs_a_chat_that_is_there(fusion: Fusion) -> None:
    assert fusion.upload(chat_id=UNKNOWN).json()["error"]["code"] == "chat_not_found"


def test_an_unknown_file_is_not_found(fusion: Fusion) -> None:
    assert fusion.ask("GET", f"/files/{UNKNOWN}").json()["error"]["code"] == "file_not_found"


def add(fusion: Fusion, name: str, **fields: Any) -> Any:
    """A new document."""
    response = fusion.ask("POST", "/knowledge", json={"name": name, **fields})
    assert response.status_code == 201
    return response.json()


def test_a_document_is_made_of_text_or_of_a_file(fusion: Fusion) -> None:
    file_id = fusion.upload(content=b"of a file").json()["file_id"]
    documents = [add(fusion, "text", content="as it is"), add(fusion, "file", file_id=file_id)]
    assert [(one["content"], one["file_id"]) for one in documents] == [("as it is", None), ("of a file", file_id)]
    assert fusion.get("/knowledge") == {"documents": documents}


def test_documents_are_found_by_words_the_best_first(fusion: Fusion) -> None:
    for name in ("cats", "dogs and cats", "taxes"):
        add(fusion, name, content=f"All about {name}.")
    found = fusion.get("/knowledge/search", query="dogs cats")["documents"]
    assert [(one["name"], one["score"]) for one in found] == [("dogs and cats", 1.0), ("cats", 0.5)]
    assert fusion.get("/knowledge/search") == {"documents": []}


def test_a_document_can_be_removed_by_its_owner(fusion: Fusion) -> None:
    path, stranger = f"/knowledge/{add(fusion, 'a', content='b')['id']}", fusion.by("key-b")
    assert stranger.get("/knowledge") == {"documents": []}
    assert [one.ask("DELETE", path).status_code for one in (stranger, fusion, fusion)] == [404, 204, 404]
    assert fusion.get("/knowledge") == {"documents": []}


BAD_DOCUMENTS: dict[str, tuple[Any, int, str]] = {
    "no object": ([], 400, "name"),
    "no name": ({"content": "a"}, 400, "name"),
    "an empty name": ({"name": "", "content": "a"}, 400, "name"),
    "neither text nor file": ({"name": "a"}, 400, "content or file_id"),
    "text that is none": ({"name": "a", "content": 7}, 400, "content or file_id"),
    "an unknown file": ({"name": "a", "file_id": UNKNOWN}, 404, "File"),
}


@pytest.mark.parametrize("case", BAD_DOCUMENTS)
def test_a_document_that_cannot_be_used_is_refused(fusion: Fusion, case: str) -> None:
    body, status, word = BAD_DOCUMENTS[case]
    refused = fusion.ask("POST", "/knowledge", json=body)
    assert (refused.status_code, word in refused.json()["error"]["message"]) == (status, True)
