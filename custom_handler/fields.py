"""Fields of a request, checked by type; a wrong one is refused by its path, such as `messages[3].content`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from custom_handler.errors import RequestError


def mapping(value: object, path: str) -> Mapping[str, Any]:
    """`value`, if it is an object.

    Raises:
        RequestError: it is something else.
    """
    if not isinstance(value, Mapping):
        raise RequestError(f"{path} must be an object.", param=path)
    return value


def optional_text(fields: Mapping[str, Any], key: str, path: str) -> str | None:
    """The text under `key`, if there is one.

    Raises:
        RequestError: there is something else.
    """
    value = fields.get(key)
    if value is not None and not isinstance(value, str):
        raise RequestError(f"{path}.{key} must be a string.", param=f"{path}.{key}")
    return value


def flag(fields: Mapping[str, Any], key: str, path: str) -> bool:
    """Whether `key` is set and true.

    Raises:
        RequestError: there is something else than true or false.
    """
    value = fields.get(key)
    if value is not None and not isinstance(value, bool):
        raise RequestError(f"{path}.{key} must be true or false.", param=f"{path}.{key}")
    return bool(value)
