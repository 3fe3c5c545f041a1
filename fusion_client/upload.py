"""A file on its way to the service."""

from __future__ import annotations

import io
import mimetypes
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO, TypeAlias

from fusion_client.checks import checked_text
from fusion_client.errors import ValidationError

LARGEST_FILE = 10_000_000
"""Bytes of a file at most (inferred: the limit of the other service for its knowledge)."""

_KINDS = ("text/", "image/")
_TYPES = {
    "application/json",
    "application/msword",
    "application/pdf",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/xml",
}
_MORE = {  # which Python knows only where the system does
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".rtf": "application/rtf",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}

FileSource: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes]
"""A path, the bytes, or a file that is open for reading bytes."""

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how many bytes have been sent, and how many there are."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that can be sent. content_type: its media type."""

    name: str
    content: bytes
    content_type: str
    progress: Progress | None = None

    @property
    def form(self) -> dict[str, tuple[str, IO[bytes], str]]:
        """The multipart form of one try."""
        return {"file": (self.name, _Watched(self.content, self.progress), self.content_type)}


class _Watched(io.BytesIO):
    """Bytes that tell how far they have been read."""

    def __init__(self, content: bytes, progress: Progress | None) -> None:
        super().__init__(content)
        self._size = len(content)
        self._progress = progress

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes."""
        piece = super().read(size)
        if piece and self._progress is not None:
            self._progress(self.tell(), self._size)
        return piece


def prepare(
    source: FileSource, name: str | None, content_type: str | None, progress: Progress | None, largest: int
) -> Upload:
    """The upload of `source`, all of which is read: call it in a thread.

    Args:
        name, content_type: None takes them from the path.
        largest: bytes.

    Raises:
        ValidationError: it is too large, has no name, or is of a type that the service does not take.
        OSError: it cannot be read.
    """
    name = name or _name(source)
    if not name:
        raise ValidationError("filename is required: the file itself does not tell it.")
    checked_text("filename", name)
    kind = content_type or _type(name)
    if not (kind.isascii() and kind.isprintable()):
        raise ValidationError("content_type must be a media type such as text/plain.")
    content = _read(source, largest)
    if not content:
        raise ValidationError(f"The file {name!r} is empty.")
    if len(content) > largest:
        raise ValidationError(f"The file {name!r} is too large; at most {largest} bytes can be sent.")
    return Upload(name, content, kind, progress)


def _name(source: FileSource) -> str:
    path = source if isinstance(source, str | os.PathLike) else getattr(source, "name", None)
    return PurePath(path).name if isinstance(path, str | os.PathLike) else ""


def _type(name: str) -> str:
    kind = _MORE.get(PurePath(name).suffix.lower()) or mimetypes.guess_type(name)[0] or ""
    if kind.startswith(_KINDS) or kind in _TYPES or kind in _MORE.values():
        return kind
    raise ValidationError(f"The type of {name!r} is none that agents read. If it is all the same, give content_type.")


def _read(source: FileSource, largest: int) -> bytes:
    """As many bytes as show that there are too many."""
    match source:
        case bytes():
            return source
        case str() | os.PathLike():
            with Path(source).open("rb") as file:
                return file.read(largest + 1)
        case _:
            return _read_all(source, largest + 1)


def _read_all(file: IO[bytes], most: int) -> bytes:
    """A pipe that is not buffered gives what is there, not all that is asked for."""
    content = b""
    while piece := file.read(most - len(content)):
        if not isinstance(piece, bytes):
            raise ValidationError("The file must be open for reading bytes, not text.")
        content += piece
    return content
