"""What a file is: by its first bytes where they tell, else by what is said of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

#: For error messages.
ACCEPTED = "png, jpeg, gif and webp images, pdf, docx, xlsx, pptx, and text (csv, json, markdown, code and the like)"

_OFFICE = "application/vnd.openxmlformats-officedocument."


@dataclass(frozen=True, slots=True)
class FileType:
    """A type of file.

    Attributes:
        endings: what names of such files end with; the first is given to those that have none.
    """

    media_type: str
    endings: tuple[str, ...]


_SIGNED: Mapping[FileType, re.Pattern[bytes]] = {
    FileType("image/png", (".png",)): re.compile(rb"\x89PNG\r\n\x1a\n"),
    FileType("image/jpeg", (".jpg", ".jpeg")): re.compile(rb"\xff\xd8\xff"),
    FileType("image/gif", (".gif",)): re.compile(rb"GIF8[79]a"),
    FileType("image/webp", (".webp",)): re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
    FileType("application/pdf", (".pdf",)): re.compile(rb"(?:\xef\xbb\xbf)?\s{0,1000}%PDF-"),
}
_ZIPPED = (
    FileType(f"{_OFFICE}wordprocessingml.document", (".docx",)),
    FileType(f"{_OFFICE}spreadsheetml.sheet", (".xlsx",)),
    FileType(f"{_OFFICE}presentationml.presentation", (".pptx",)),
)
_ZIP = b"PK\x03\x04"
_BINARY = (*_SIGNED, *_ZIPPED)
_BY_MEDIA_TYPE = {kind.media_type: kind for kind in _BINARY}
_BY_MEDIA_TYPE["image/jpg"] = _BY_MEDIA_TYPE["image/jpeg"]  # a wrong name, and a common one
_BY_ENDING = {ending: kind for kind in _BINARY for ending in kind.endings}

_TEXT = re.compile(
    r"text/.*|.*\+(?:json|xml)|application/(?:x-)?(?:json|jsonl|ndjson|xml|yaml|toml|javascript|ecmascript|typescript"
    r"|sql|sh|shellscript|python|python-code|graphql|httpd-php|perl|ruby|tex)"
)
#: Type → ending of a name that has none.
_TEXT_ENDINGS = {
    "text/csv": ".csv",
    "text/html": ".html",
    "text/markdown": ".md",
    "application/json": ".json",
    "application/xml": ".xml",
    "application/yaml": ".yaml",
}
#: Endings that browsers have no type for, or a wrong one: `.ts` is a film to them.
_ENDING_OF_TEXT = re.compile(
    r"\.(?:adoc|bash|bat|c|cc|cfg|cob|conf|cpp|cs|css|csv|dart|diff|env|go|gradle|graphql|groovy|h|hcl|hpp|html|ini|ipynb"
    r"|java|js|json|jsonl|jsx|kt|kts|log|lua|md|mjs|ndjson|patch|php|pl|properties|proto|ps1|py|pyi|r|rb|rs|rst|scala|sh"
    r"|sql|svelte|swift|tex|tf|toml|ts|tsv|tsx|txt|vue|xml|yaml|yml|zsh)"
)
_ANY_BYTES = "application/octet-stream"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def recognise(data: bytes, declared: str, name: str) -> FileType:
    """The type of a file.

    Args:
        declared: the media type that it is said to have, in lower case; empty, or the one for any bytes, tell nothing.
        name: of the file; may be empty.

    Raises:
        ValueError: it is empty, not what it is said to be, or not accepted; a clause that follows a field's name.
    """
    if not data:
        raise ValueError("is an empty file")
    declared = "" if declared == _ANY_BYTES else declared
    for kind, signature in _SIGNED.items():
        if signature.match(data):
            return kind
    ending = split(name)[1].lower()
    claimed = _BY_MEDIA_TYPE.get(declared) or _BY_ENDING.get(ending)
    if claimed in _ZIPPED and data.startswith(_ZIP):
        return claimed
    if claimed is not None:
        raise ValueError(f"is said to be {claimed.media_type}, and its first bytes are not; accepted are {ACCEPTED}")
    if declared.startswith("image/") or not _is_text(data, declared, ending):
        told = declared or ending or "none is told"
        raise ValueError(f"has a type that is not accepted ({told:.80}); accepted are {ACCEPTED}")
    media_type = declared if _TEXT.fullmatch(declared) else "text/plain"
    return FileType(media_type, (_TEXT_ENDINGS.get(media_type, ".txt"),))


def _is_text(data: bytes, declared: str, ending: str) -> bool:
    if b"\0" in data and not data.startswith(_UTF_16):
        return False
    if _TEXT.fullmatch(declared) or _ENDING_OF_TEXT.fullmatch(ending):
        return True  # in whatever encoding: spreadsheets write Latin-1
    return not declared and _is_utf_8(data)


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def split(name: str) -> tuple[str, str]:
    """`report.PDF` as `report` and `.PDF`; an empty ending where there is none."""
    stem, dot, ending = name.rpartition(".")
    return (stem, dot + ending) if stem and ending else (name, "")


def with_ending(name: str, kind: FileType) -> str:
    """`name` with an ending that belongs to `kind`: text keeps its own, a wrong one of another type is replaced."""
    stem, ending = split(name)
    written = ending.lower()
    if written in kind.endings or (ending and kind not in _BINARY):
        return name
    known = written in _BY_ENDING or _ENDING_OF_TEXT.fullmatch(written)
    return (stem if known else name) + kind.endings[0]
