"""Data URLs (RFC 2397): bytes and their type as one text. Pure.

    data:application/pdf;name=report.pdf;base64,JVBERi0x…

`name` is no part of the standard; browsers and LiteLLM pass it by, so it carries a file's name where no field does.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

PREFIX = "data:"
#: Characters of a name that are read: its end, which has the ending.
LONGEST_NAME = 1000
#: Characters. What has no comma by then is no data URL; a name takes up to twelve for each of its own.
_LONGEST_HEAD = 20_000


@dataclass(frozen=True, slots=True)
class DataUrl:
    """What a data URL says.

    Attributes:
        media_type: such as `image/png`, in lower case; empty where none is told.
        name: of the file; empty where none is told.
    """

    media_type: str
    name: str
    data: bytes = field(repr=False)


def is_data_url(text: str) -> bool:
    """Whether `text` begins as one."""
    return text[: len(PREFIX)].lower() == PREFIX


def read(url: str) -> DataUrl:
    """What `url` says.

    Raises:
        ValueError: it cannot be read; a clause that follows the name of the field, and never quotes the data.
    """
    comma = url.find(",", 0, _LONGEST_HEAD)
    if comma < 0:
        raise ValueError("has no comma between type and data, as data:image/png;base64,… has")
    media_type, *parameters = (part.strip() for part in url[len(PREFIX) : comma].split(";"))
    names = [unquote(value) for key, _, value in (each.partition("=") for each in parameters) if key in _NAMES]
    base64 = any(each.lower() == "base64" for each in parameters)
    data = decode(url[comma + 1 :]) if base64 else _unquoted(url[comma + 1 :])
    return DataUrl(media_type.lower(), names[0] if names else "", data)


_NAMES = ("name", "filename")
_SPACE = re.compile(r"\s")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def _unquoted(text: str) -> bytes:
    """What percent-encoding stands for. Read as quoted-printable: `unquote` takes seconds for what a body can hold."""
    if _BARE_PERCENT.search(text):
        raise ValueError("has a % without two hexadecimal digits behind it")
    return binascii.a2b_qp(text.replace("=", "%3D").replace("%", "=").encode("utf-8", "replace"))


def decode(base64: str) -> bytes:
    """The bytes of base64 text; on the event loop, where LiteLLM takes longer to read the body that it came in.

    Line breaks are passed over, since many programs write them. Everything else is strict: what was cut on its way must
    not pass for a whole file.

    Raises:
        ValueError: as `read`.
    """
    if _SPACE.search(base64):
        base64 = "".join(base64.split())
    try:
        return binascii.a2b_base64(base64, strict_mode=True)
    except ValueError as exc:
        raise ValueError("is not valid base64; was it cut?") from exc


def of_base64(base64: str, media_type: str = "", name: str = "") -> str:
    """The data URL of what is base64 already."""
    return with_name(f"{PREFIX}{media_type};base64,{base64}", name)


def with_name(url: str, name: str) -> str:
    """A data URL that tells the name too, unless that is empty; an address of another kind stays as it is."""
    if not name or not is_data_url(url):
        return url
    end = min(place for place in (url.find(";"), url.find(","), len(url)) if place >= 0)
    return f"{url[:end]};name={quote(name[-LONGEST_NAME:], safe='', errors='replace')}{url[end:]}"
