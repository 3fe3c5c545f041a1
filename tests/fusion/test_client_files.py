"""Files, sent and fetched."""

from __future__ import annotations

import io
import mimetypes
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from emulator import Emulator
from fusion_client import NotFoundError, ValidationError
from fusion_client.upload import prepare
from tests.fusion.callers import AGENT, UNKNOWN, Caller
from tests.fusion.conftest import StartCaller, StartEmulator

CONTENT = b"\x00\xff" * 100_000


def test_a_file_comes_from_a_path_from_bytes_or_from_an_open_file(fusion: Caller, tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(b"words")
    with path.open("rb") as file:
        sources = [({}, str(path)), ({}, path), ({}, file), ({"filename": "words.txt"}, b"words")]
        sources.append(({"filename": "words.txt"}, io.BytesIO(b"words")))
        for options, source in sources:
            uploaded = fusion.ask("upload_file", source, **options)
            assert (uploaded.filename, uploaded.size, uploaded.content_type) == ("words.txt", 5, "text/plain")
            assert fusion.ask("download_file", uploaded.file_id) == b"words"


def test_a_file_goes_with_a_message_or_into_a_chat(fusion: Caller, emulator: Emulator) -> None:
    uploaded = fusion.ask("upload_file", b"words", filename="a.txt")
    chat = fusion.ask("create_chat", AGENT, "read it", files=[uploaded.file_id])
    assert chat.messages[0].files == (uploaded.file_id,)
    fusion.ask("upload_file", b"more words", filename="b.txt", chat_id=chat.chat_id)
    assert emulator.requests[-1].path.endswith(f"/chat/{chat.chat_id}/files")
    assert [file.file_name for file in emulator.files] == ["a.txt", "b.txt"]


def test_progress_is_told_as_the_file_is_sent(fusion: Caller) -> None:
    told: list[tuple[int, int]] = []
    fusion.ask("upload_file", CONTENT, filename="a.png", progress=lambda *step: told.append(step))
    assert len(told) > 1
    assert told == sorted(told)
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_a_file_that_cannot_be_read_by_an_agent_is_not_sent(fusion: Caller, emulator: Emulator, tmp_path: Path) -> None:
    wrong: dict[str, tuple[object, dict[str, Any]]] = {
        "is too large; at most 4 bytes": (b"words", {"filename": "a.txt", "max_size": 4}),
        "is empty": (b"", {"filename": "a.txt"}),
        "filename is required": (b"words", {}),
        "none that agents read": (b"words", {"filename": "a.exe"}),
        "for reading bytes, not text": (io.StringIO("words"), {"filename": "a.txt"}),
        "filename has half a surrogate pair": (b"words", {"filename": "\udcff.txt"}),
        "content_type must be a media type": (b"words", {"filename": "a.txt", "content_type": "text/plain\r\nX: y"}),
        "chat_id must be a UUID": (b"words", {"filename": "a.txt", "chat_id": "chat"}),
    }
    for text, (source, options) in wrong.items():
        with pytest.raises(ValidationError, match=text):
            fusion.ask("upload_file", source, **options)
    with pytest.raises(FileNotFoundError):
        fusion.ask("upload_file", tmp_path / "missing.txt")
    assert not emulator.requests


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.odt", "a.csv", "a.json", "a.jpg", "a.md"])
def test_files_that_agents_read_are_sent(fusion: Caller, name: str) -> None:
    assert fusion.ask("upload_file", b"words", filename=name).filename == name


@pytest.mark.parametrize("name", ["a.docx", "a.xlsx", "a.pptx", "a.odt", "a.rtf", "a.yml", "A.DOCX"])
def test_types_are_known_where_the_system_knows_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mimetypes, "_db", mimetypes.MimeTypes())
    assert prepare(b"words", name, None, None, 10).content_type


def test_all_of_a_pipe_is_sent(fusion: Caller) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as pipe, ThreadPoolExecutor(1) as threads:
        os.write(writing, b"x" * 60_000)
        threads.submit(os.write, writing, b"y" * 60_000)
        threads.submit(os.close, writing)
        assert fusion.ask("upload_file", pipe, filename="a.txt").size == 120_000


def test_a_type_that_is_given_is_sent(fusion: Caller, emulator: Emulator) -> None:
    fusion.ask("upload_file", b"words", filename="a.unknown", content_type="application/x-own")
    assert b"Content-Type: application/x-own" in emulator.requests[-1].body


def test_a_service_may_find_a_file_too_large(start: StartEmulator, call: StartCaller) -> None:
    with pytest.raises(ValidationError, match="413, file_too_large"):
        call(start(max_upload_bytes=4)).ask("upload_file", b"words", filename="a.txt")


def test_a_file_that_is_not_there_is_named_so(fusion: Caller) -> None:
    with pytest.raises(NotFoundError, match="file_not_found"):
        fusion.ask("download_file", UNKNOWN)
