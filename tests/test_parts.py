"""Files in the dialects of all clients: those that can be given to an agent, and those that cannot."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from custom_handler.attachments import FileReference
from custom_handler.errors import RequestError
from custom_handler.parts import READERS, interpret

URL, HTTPS = "data:image/png;base64,iVBO", "https://images.example.com/a.png"
BASE64 = base64.b64encode(b"%PDF-").decode()
PDF_URL = f"data:application/pdf;base64,{BASE64}"
BYTES = {"type": "base64", "media_type": "image/png", "data": "iVBO"}


def ref(url: str, path: str, name: str = "") -> FileReference:
    return FileReference(url, name, f"p.{path}")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"type": "image_url", "image_url": {"url": URL, "detail": "high"}}, [ref(URL, "image_url.url")]),
        ({"type": "image_url", "image_url": {"url": HTTPS}}, [ref(HTTPS, "image_url.url")]),
        ({"type": "image_url", "image_url": URL}, [ref(URL, "image_url")]),
        ({"type": "input_image", "image_url": URL, "file_id": None}, [ref(URL, "image_url")]),
        ({"type": "input_image", "image_url": {"url": URL}}, [ref(URL, "image_url.url")]),
        (
            {"type": "file", "file": {"file_data": PDF_URL, "filename": "a.pdf"}},
            [ref(PDF_URL, "file.file_data", "a.pdf")],
        ),
        (
            {"type": "file", "file": {"file_data": BASE64}},
            [ref(f"data:;base64,{BASE64}", "file.file_data")],
        ),
        ({"type": "input_file", "file_data": PDF_URL, "filename": "a.pdf"}, [ref(PDF_URL, "file_data", "a.pdf")]),
        ({"type": "input_file", "file_url": HTTPS, "filename": "a.pdf"}, [ref(HTTPS, "file_url", "a.pdf")]),
        ({"type": "image", "source": BYTES}, [ref(URL, "source.data")]),
        ({"type": "image", "source": {"type": "url", "url": HTTPS}}, [ref(HTTPS, "source.url")]),
        ({"type": "document", "title": "A", "source": BYTES}, [ref(URL, "source.data", "A")]),
        ({"type": "image", "data": "iVBO", "mimeType": "image/png"}, [ref(URL, "data")]),
        (
            {"type": "document", "title": "A", "context": "B", "source": {"type": "text", "data": "C"}},
            ["A", "B", "C"],
        ),
        ({"type": "document", "source": {"type": "content", "content": "C"}}, ["C"]),
        (
            {"type": "search_result", "title": "A", "source": "B", "content": [{"type": "text", "text": "C"}]},
            ["A", "B", "C"],
        ),
        (
            {
                "type": "document",
                "title": "A",
                "source": {
                    "type": "content",
                    "content": [{"type": "text", "text": "C"}, {"type": "image", "source": BYTES}],
                },
            },
            ["A", "C", ref(URL, "source.content[1].source.data")],
        ),
    ],
)
def test_every_dialect_is_understood(part: dict[str, Any], said: list[Any]) -> None:
    assert interpret(part, "p") == said


@pytest.mark.parametrize(
    ("part", "param", "words"),
    [
        ({"type": "image_url"}, "image_url", "data: URL"),
        ({"type": "image_url", "image_url": {}}, "image_url.url", "data: URL"),
        ({"type": "image_url", "image_url": {"url": 5}}, "image_url.url", "data: URL"),
        ({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}, "image_url.url", "https://"),
        ({"type": "image_url", "image_url": "iVBO"}, "image_url", "data: URL"),
        ({"type": "input_image", "file_id": "file-1"}, "file_id", "send its bytes"),
        ({"type": "file"}, "file", "must be an object"),
        ({"type": "file", "file": {}}, "file.file_data", "is missing"),
        ({"type": "file", "file": {"file_data": ""}}, "file.file_data", "is missing"),
        ({"type": "file", "file": {"file_data": 5}}, "file.file_data", "must be a string"),
        ({"type": "file", "file": {"file_data": "YQ==", "filename": 5}}, "file.filename", "must be a string"),
        ({"type": "file", "file": {"file_id": "file-1"}}, "file.file_id", "this proxy stores none"),
        ({"type": "input_file", "file_id": "file-1"}, "file_id", "send its bytes"),
        ({"type": "input_file", "file_url": "ftp://x"}, "file_url", "https://"),
        ({"type": "image"}, "source", "must be an object"),
        ({"type": "image", "data": 5}, "data", "base64"),
        ({"type": "image", "source": {"type": "base64"}}, "source.data", "base64"),
        ({"type": "image", "source": {"type": "file", "file_id": "f"}}, "source.file_id", "send its bytes"),
        ({"type": "image", "source": {"type": "s3"}}, "source.type", "must be base64, url, text or content"),
        ({"type": "document", "title": 5, "source": BYTES}, "title", "must be a string"),
        ({"type": "document", "context": 5, "source": {"type": "text", "data": ""}}, "context", "must be a string"),
        ({"type": "document", "source": {"type": "content"}}, "source.content", "a string or a list"),
        ({"type": "document", "source": {"type": "content", "content": ["x"]}}, "source.content[0]", "an object"),
        ({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}, "type", "cannot read"),
        ({"type": "video_url", "video_url": {"url": "https://x"}}, "type", "cannot read"),
        ({"type": "container_upload", "file_id": "f"}, "type", "cannot read"),
        ({"type": "hologram"}, "type", "'hologram', which these agents cannot read; send text, images or documents"),
        ({"type": ["image"]}, "type", "cannot read"),
        ({}, "type", "cannot read"),
    ],
)
def test_what_cannot_be_given_to_an_agent_is_refused_by_its_path(part: dict[str, Any], param: str, words: str) -> None:
    with pytest.raises(RequestError, match=words) as refusal:
        interpret(part, "p")
    assert refusal.value.param == f"p.{param}"


@pytest.mark.parametrize("kind", READERS)
def test_no_kind_of_part_is_too_odd_to_be_judged(kind: str) -> None:
    odd: list[Any] = [None, 5, "", [], {}, {"type": 5}, {"type": "content", "content": [{"type": "image"}]}]
    for value in odd:
        names = ("image_url", "file", "source", "data", "file_data")
        with pytest.raises(RequestError):
            interpret({"type": kind, **dict.fromkeys(names, value)}, "p")
