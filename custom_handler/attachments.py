"""The files of a request: checked, named, and counted. Pure.

Each gets a name of its own, by which the prompt speaks of it and the service shows it to the agent. It is made of the
client's own name, and the same file always gets the same one: the bytes decide where two would be alike.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from custom_handler import data_url, file_types
from custom_handler.disarm import disarm
from custom_handler.errors import RequestError

#: Bytes of one file. Source: StackSpot's limit for knowledge sources.
MAX_FILE = 10_000_000
#: Bytes of all files of a request: what its body can hold as base64. Those that are fetched count too.
MAX_TOTAL = 25_000_000
MAX_FILES = 50

_UNUSUAL = re.compile(r"[^\w .,()+&@=-]+")
_JOINTS = re.compile(r"[_-]+")
_LONGEST_NAME = 80  # characters, without its ending
_LONGEST_ENDING = 20
_SUFFIX = 8  # hexadecimal digits of what decides between names that are alike


@dataclass(frozen=True, slots=True)
class FileReference:
    """A file as a request refers to it.

    Attributes:
        url: a data: URL, or where it is to be fetched.
        name: what the client calls it; may be empty.
        path: the field in which it stands, for errors.
    """

    url: str = field(repr=False)
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file, checked.

    Attributes:
        name: no other file of its request has it.
        digest: SHA-256 of `data`.
    """

    name: str
    media_type: str
    data: bytes = field(repr=False, compare=False)
    digest: str


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file that is still to be fetched. The ending of `name` may be missing, or change with what comes."""

    name: str
    url: str = field(repr=False)
    path: str = field(compare=False)


File: TypeAlias = Attachment | RemoteFile


class Files:
    """Takes the files of one request, one after the other."""

    def __init__(self) -> None:
        self._known: dict[str, File] = {}  # by what tells whether two are the same: digest, or address
        self._stems: set[str] = set()

    def add(self, reference: FileReference) -> File:
        """The file that `reference` is; the same one where the same bytes or the same address come again.

        Raises:
            RequestError: it cannot be read, is of a type that is not accepted, or is too large; or there are too many.
        """
        file = self._taken(reference) if data_url.is_data_url(reference.url) else self._remote(reference)
        if len(self._known) > MAX_FILES:
            raise _refusal(reference.path, f"is one file too many: a request may have at most {MAX_FILES}")
        check_total(self._known.values(), reference.path)
        return file

    def _taken(self, reference: FileReference) -> File:
        try:
            sent = data_url.read(reference.url)
        except ValueError as exc:
            raise _refusal(reference.path, str(exc)) from exc
        name = cleaned(reference.name or sent.name)
        kind = _recognised(sent.data, sent.media_type, name, reference.path)
        digest = hashlib.sha256(sent.data).hexdigest()
        if digest not in self._known:
            nameless = "image" if kind.media_type.startswith("image/") else "file"
            name = file_types.with_ending(self._unique(name, nameless, digest), kind)
            self._known[digest] = Attachment(name, kind.media_type, sent.data, digest)
        return self._known[digest]

    def _remote(self, reference: FileReference) -> File:
        url = reference.url
        if url not in self._known:
            digest = hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()
            name = self._unique(cleaned(reference.name or _name_in(reference)), "file", digest)
            self._known[url] = RemoteFile(name, url, reference.path)
        return self._known[url]

    def _unique(self, name: str, nameless: str, digest: str) -> str:
        """`name`, or one for what has none, that differs from all others in more than its ending."""
        stem, ending = file_types.split(name)
        stem = stem[:_LONGEST_NAME]
        if not stem or stem.casefold() in self._stems:
            stem = f"{stem or nameless}-{digest[:_SUFFIX]}"
        self._stems.add(stem.casefold())
        return stem + ending[:_LONGEST_ENDING]


def fetched(remote: RemoteFile, declared: str, data: bytes) -> Attachment:
    """`remote` with its bytes.

    Args:
        declared: the media type that it came with, in lower case; may be empty.

    Raises:
        RequestError: it is of a type that is not accepted, or too large.
    """
    kind = _recognised(data, declared, remote.name, remote.path)
    name = file_types.with_ending(remote.name, kind)
    return Attachment(name, kind.media_type, data, hashlib.sha256(data).hexdigest())


def check_total(files: Iterable[File], path: str) -> None:
    """Refuse files that are too large together.

    Raises:
        RequestError: they are; `path` is the field that is named.
    """
    total = sum(len(file.data) for file in files if isinstance(file, Attachment))
    if total > MAX_TOTAL:
        raise _refusal(path, f"makes {total} bytes of files; a request may have at most {MAX_TOTAL}")


def _name_in(reference: FileReference) -> str:
    try:
        return unquote(urlsplit(reference.url).path)
    except ValueError as exc:
        raise _refusal(reference.path, "is an address that cannot be read") from exc


def _recognised(data: bytes, declared: str, name: str, path: str) -> file_types.FileType:
    if len(data) > MAX_FILE:
        raise _refusal(path, f"is a file of {len(data)} bytes; at most {MAX_FILE} are accepted")
    try:
        return file_types.recognise(data, declared, name)
    except ValueError as exc:
        raise _refusal(path, str(exc)) from exc


def _refusal(path: str, clause: str) -> RequestError:
    return RequestError(f"{path} {clause}.", param=path)


def cleaned(name: str) -> str:
    """The last part of `name`, without what could pass for a path, a tag, or a marker of a call; may be empty."""
    last = re.split(r"[/\\]", name)[-1][-data_url.LONGEST_NAME :]  # a long one takes minutes to normalize
    plain = _UNUSUAL.sub("_", unicodedata.normalize("NFC", last)).strip(" ._")
    return plain if disarm(plain) == plain else _JOINTS.sub(" ", plain)
