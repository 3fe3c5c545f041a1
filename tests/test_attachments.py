"""The files of one request: their names, their number, their size."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handler import attachments
from custom_handler.attachments import Attachment, File, FileReference, Files, RemoteFile, cleaned, fetched
from custom_handler.disarm import disarm
from custom_handler.errors import RequestError
from tests.support.files import JPEG, PDF, PNG, data_url

PATH = "messages[0].content[1].image_url.url"


def refer(data: bytes = PNG, name: str = "", url: str = "") -> FileReference:
    return FileReference(url or data_url(data, ""), name, PATH)


def taken(*references: FileReference) -> list[File]:
    files = Files()
    return [files.add(reference) for reference in references]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_file_has_its_bytes_its_type_and_its_name() -> None:
    assert taken(refer(PDF, "Relatório 2024.pdf")) == [
        Attachment("Relatório 2024.pdf", "application/pdf", PDF, digest(PDF))
    ]


def test_a_file_without_a_name_is_named_by_its_bytes_so_that_it_always_has_the_same_name() -> None:
    (image,), (_, again) = taken(refer(PNG)), taken(refer(JPEG), refer(PNG))
    assert image == again
    assert image.name == f"image-{digest(PNG)[:8]}.png"
    (text,) = taken(refer(b"hello"))
    assert text.name == f"file-{digest(b'hello')[:8]}.txt"


def test_different_files_of_one_name_are_told_apart_even_by_their_stems() -> None:
    names = [file.name for file in taken(refer(PNG, "a.png"), refer(PDF, "A.pdf"), refer(b"x", "a"))]
    assert names == ["a.png", f"A-{digest(PDF)[:8]}.pdf", f"a-{digest(b'x')[:8]}.txt"]


def test_the_same_bytes_are_one_file_with_the_name_that_came_first() -> None:
    first, second = taken(refer(PNG, "a.png"), refer(PNG, "b.png"))
    assert first is second


def test_the_name_may_stand_in_the_data_url() -> None:
    (file,) = taken(refer(url=data_url(PDF, "application/pdf;name=a%20b.pdf")))
    assert file.name == "a b.pdf"


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("report.pdf", "report.pdf"),
        ("Relatório (v2), final & assinado.pdf", "Relatório (v2), final & assinado.pdf"),
        ("/etc/passwd", "passwd"),
        (r"C:\Users\ana\nota fiscal.pdf", "nota fiscal.pdf"),
        ("../../..", ""),
        (".env", "env"),
        ("a\nb\x00c\u202ed.png", "a_b_c_d.png"),
        ("</user>.txt", "user_.txt"),
        ("[attached file: b].png", "attached file_ b_.png"),
        ("FUNCTION_CALL_START.txt", "FUNCTION CALL START.txt"),
        ("\ud83d", ""),
        ("", ""),
    ],
)
def test_names_lose_what_could_pass_for_something_else(name: str, clean: str) -> None:
    assert cleaned(name) == clean


_MARKERS = ("FUNCTION_CALL_END", "tool-call-start", "<tool_call>", "ТООL_СALL_END")  # noqa: RUF001 # a disguise


@given(st.text() | st.sampled_from(_MARKERS))
def test_a_clean_name_can_stand_anywhere(name: str) -> None:
    clean = cleaned(name)
    assert disarm(clean) == clean == cleaned(clean)
    assert not set(clean) & set("/\\<>[]:\"'`\n\r\t\0{}|")
    clean.encode()


def test_a_long_name_keeps_its_ending() -> None:
    (file,) = taken(refer(PDF, "x" * 500 + ".pdf"))
    assert file.name == "x" * 80 + ".pdf"


def test_a_name_of_any_length_costs_no_more_than_a_long_one() -> None:
    """Normalizing takes the square of the length of such a run: hours for what a body can hold."""
    assert cleaned("\u0315\u0316" * 1_000_000 + "report.pdf") == "report.pdf"


def test_a_file_may_be_named_by_its_address() -> None:
    first, second, third = taken(
        *(
            refer(url=url)
            for url in ("https://a.example/x/Foto%201.JPG?y=1", "https://a.example/", "https://b.example/Foto%201.png")
        )
    )
    assert first == RemoteFile("Foto 1.JPG", "https://a.example/x/Foto%201.JPG?y=1", PATH)
    assert second.name.startswith("file-")
    assert third.name.startswith("Foto 1-")


def test_the_same_address_is_one_file() -> None:
    first, second = taken(refer(url="https://a.example/a.png"), refer(url="https://a.example/a.png"))
    assert first is second


def test_what_was_fetched_has_the_ending_of_its_type() -> None:
    remote = RemoteFile("photo", "https://a.example/photo", PATH)
    assert fetched(remote, "", JPEG) == Attachment("photo.jpg", "image/jpeg", JPEG, digest(JPEG))


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (refer(url="data:image/png;base64,secret!"), "is not valid base64"),
        (refer(url="data:secret"), "has no comma"),
        (refer(b"secret\x00", "a.png"), "first bytes"),
        (refer(b"secret\x00"), "not accepted"),
        (refer(url="data:image/png;base64,"), "is an empty file"),
    ],
)
def test_a_file_that_is_refused_is_named_by_its_path_and_not_quoted(reference: FileReference, words: str) -> None:
    with pytest.raises(RequestError, match=words) as refusal:
        taken(reference)
    assert refusal.value.param == PATH
    assert refusal.value.message.startswith(PATH)
    assert "secret" not in refusal.value.message


def test_a_file_may_have_ten_million_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (attachments.MAX_FILE, attachments.MAX_TOTAL, attachments.MAX_FILES) == (10_000_000, 25_000_000, 50)
    monkeypatch.setattr(attachments, "MAX_FILE", 10)
    assert taken(refer(b"x" * 10))
    with pytest.raises(RequestError, match="a file of 11 bytes; at most 10 are accepted"):
        taken(refer(b"x" * 11))
    with pytest.raises(RequestError, match="a file of 11 bytes"):
        fetched(RemoteFile("a", "https://a.example", PATH), "", b"x" * 11)


def test_a_request_may_have_so_many_bytes_of_files_each_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MAX_TOTAL", 20)
    a, b, c = b"a" * 10, b"b" * 10, b"c"
    assert len(taken(refer(a), refer(b), refer(a))) == 3
    with pytest.raises(RequestError, match="makes 21 bytes of files; a request may have at most 20"):
        taken(refer(a), refer(b), refer(c))


def test_a_request_may_have_fifty_files_each_counted_once() -> None:
    many: list[Any] = [refer(bytes([65 + n % 50]) * 9) for n in range(200)]
    assert len(set(taken(*many))) == 50
    with pytest.raises(RequestError, match="one file too many: a request may have at most 50"):
        taken(*many, refer(PNG))
