"""Small files of every type that is accepted."""

from __future__ import annotations

import base64

from custom_handler.attachments import Attachment, FileReference, Files

#: One red pixel.
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC")
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
WEBP = b"RIFF\x1a\x00\x00\x00WEBPVP8L"
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
ZIP = b"PK\x03\x04\x14\x00\x00\x00"

_OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX, XLSX, PPTX = (
    f"{_OFFICE}{kind}" for kind in ("wordprocessingml.document", "spreadsheetml.sheet", "presentationml.presentation")
)


def data_url(data: bytes, media_type: str = "image/png") -> str:
    """`data` as a client sends it."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def attachment(data: bytes, name: str) -> Attachment:
    """The file `name`, as a request has it once it is read."""
    file = Files().add(FileReference(data_url(data, ""), name, "p"))
    assert isinstance(file, Attachment)
    return file
