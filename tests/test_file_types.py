"""What a file is, and which files are not accepted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handler.file_types import ACCEPTED, recognise, with_ending
from tests.support.files import DOCX, GIF, JPEG, PDF, PNG, PPTX, WEBP, XLSX, ZIP

CSV = "a;b\nção;2\n"


@pytest.mark.parametrize(
    ("data", "declared", "name", "media_type"),
    [
        (PNG, "image/png", "", "image/png"),
        (PNG, "image/jpeg", "photo.jpg", "image/png"),
        (PNG, "", "", "image/png"),
        (JPEG, "image/jpg", "", "image/jpeg"),
        (GIF, "image/gif", "", "image/gif"),
        (WEBP, "image/webp", "", "image/webp"),
        (PDF, "application/pdf", "", "application/pdf"),
        (b"\n" + PDF, "", "", "application/pdf"),
        (ZIP, DOCX, "", DOCX),
        (ZIP, "", "a.DOCX", DOCX),
        (ZIP, "application/zip", "a.xlsx", XLSX),
        (ZIP, PPTX, "", PPTX),
        (b"x", "text/plain", "", "text/plain"),
        (CSV.encode("latin-1"), "text/csv", "", "text/csv"),
        (CSV.encode("utf-16"), "text/csv", "", "text/csv"),
        (CSV.encode("latin-1"), "", "a.csv", "text/plain"),
        (b"{}", "application/json", "", "application/json"),
        (b"{}", "application/problem+json", "", "application/problem+json"),
        (b"a: 1", "application/x-yaml", "", "application/x-yaml"),
        (b"const a = 1", "video/mp2t", "a.ts", "text/plain"),
        (b"print(1)", "", "a.py", "text/plain"),
        (CSV.encode(), "", "", "text/plain"),
        (CSV.encode(), "application/octet-stream", "", "text/plain"),
        (PNG, "application/octet-stream", "", "image/png"),
        (b"x = b'%PDF-'", "text/x-python", "", "text/x-python"),
    ],
)
def test_files_are_recognised(data: bytes, declared: str, name: str, media_type: str) -> None:
    assert recognise(data, declared, name).media_type == media_type


@pytest.mark.parametrize(
    ("data", "declared", "name", "words"),
    [
        (b"", "image/png", "", "empty"),
        (b"<html>", "image/png", "", "said to be image/png"),
        (b"<html>", "image/jpg", "", "said to be image/jpeg"),
        (b"<svg/>", "image/svg+xml", "", r"not accepted \(image/svg\+xml\)"),
        (b"II*\x00", "image/tiff", "", r"not accepted \(image/tiff\)"),
        (b"hello", "", "a.png", "said to be image/png"),
        (b"hello", "application/pdf", "", "said to be application/pdf"),
        (b"hello", DOCX, "", "said to be application/vnd"),
        (ZIP, "image/png", "", "said to be image/png"),
        (ZIP, "application/zip", "a.zip", r"not accepted \(application/zip\)"),
        (ZIP, "", "a.zip", r"not accepted \(\.zip\)"),
        (ZIP, "", "", r"not accepted \(none is told\)"),
        (b"MZ\x90\x00", "text/plain", "a.txt", "not accepted"),
        (b"ID3\x03", "audio/mpeg", "a.mp3", "audio/mpeg"),
        ("é".encode("latin-1"), "", "", "none is told"),
        (b"x", "application/x-unknown", "", "application/x-unknown"),
    ],
)
def test_other_files_are_refused_with_what_is_accepted(data: bytes, declared: str, name: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refusal:
        recognise(data, declared, name)
    assert not data or ACCEPTED in str(refusal.value)


@pytest.mark.parametrize(
    ("data", "name", "ended"),
    [
        (PNG, "photo", "photo.png"),
        (PNG, "photo.PNG", "photo.PNG"),
        (PNG, "photo.jpg", "photo.png"),
        (PNG, "v1.2", "v1.2.png"),
        (JPEG, "a.jpeg", "a.jpeg"),
        (PDF, "report.txt", "report.pdf"),
        (b"x", "Makefile", "Makefile.txt"),
        (b"x", "notes.foo", "notes.foo"),
        (b"x", "a.py", "a.py"),
    ],
)
def test_names_end_as_their_type_does(data: bytes, name: str, ended: str) -> None:
    assert with_ending(name, recognise(data, "", name if data == b"x" else "")) == ended


@pytest.mark.parametrize(
    ("declared", "ending"),
    [("text/csv", ".csv"), ("text/markdown", ".md"), ("application/json", ".json"), ("text/x-rust", ".txt")],
)
def test_text_without_a_name_gets_the_ending_of_its_type(declared: str, ending: str) -> None:
    assert with_ending("file", recognise(b"x", declared, "")) == f"file{ending}"


@given(st.binary(), st.text(max_size=30), st.text(min_size=1, max_size=30))
def test_nothing_is_too_odd_to_be_judged(data: bytes, declared: str, name: str) -> None:
    try:
        kind = recognise(data, declared, name)
    except ValueError:
        return
    assert with_ending(with_ending(name, kind), kind) == with_ending(name, kind)
