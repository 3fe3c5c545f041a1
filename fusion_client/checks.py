"""What is wrong with an argument is said before anything is sent. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from uuid import UUID

import httpx

from fusion_client.errors import ValidationError

LONGEST_MESSAGE = 10_000
"""Characters of a message at most."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def checked_id(name: str, value: str | UUID) -> str:
    """The id `value` of the argument `name`: a UUID in its usual form. Raises ValidationError."""
    text = str(value)
    if not _UUID.fullmatch(text):
        raise ValidationError(f"{name} must be a UUID such as 123e4567-e89b-12d3-a456-426614174000, not {text[:80]!r}.")
    return text


def checked_ids(name: str, values: Iterable[str | UUID] | None) -> list[str]:
    """The ids of the list `name`; None is none. Raises ValidationError."""
    if isinstance(values, str):
        raise ValidationError(f"{name} must be a list of ids, not one text.")
    return [checked_id(f"{name}[{place}]", value) for place, value in enumerate(values or ())]


def checked_message(message: str, longest: int | None = LONGEST_MESSAGE) -> str:
    """`message` if it can be sent; `longest` None takes any length. Raises ValidationError."""
    if not isinstance(message, str) or not message.strip():
        raise ValidationError("message must be a text that is not empty.")
    if longest is not None and len(message) > longest:
        raise ValidationError(f"message has {len(message)} characters; at most {longest} can be sent.")
    return checked_text("message", message)


def checked_number(name: str, value: int, least: int = 1) -> int:
    """`value` if it is `least` or more. Raises ValidationError."""
    if not isinstance(value, int) or value < least:
        raise ValidationError(f"{name} must be a whole number that is at least {least}, not {value!r}.")
    return value


def checked_seconds(name: str, value: float) -> float:
    """`value` if it is a time that passes. Raises ValidationError."""
    if not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ValidationError(f"{name} must be a number of seconds above 0, not {value!r}.")
    return value


def checked_url(name: str, value: str) -> str:
    """`value` if it is a URL of HTTP. Raises ValidationError."""
    try:
        url = httpx.URL(value)
    except (httpx.InvalidURL, TypeError) as exc:
        raise ValidationError(f"{name} is not a URL.") from exc
    if url.scheme not in ("http", "https") or not url.host:
        raise ValidationError(f"{name} must be a URL such as https://api.fusion.com/v1.")
    return value


def checked_text(name: str, text: str) -> str:
    """`text` if it has a UTF-8 form. Raises ValidationError."""
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise ValidationError(f"{name} has half a surrogate pair at {exc.start}, which cannot be sent.") from exc
    return text
