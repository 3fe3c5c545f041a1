"""Bodies of good answers → models. Pure.

Clients disagree whether a list comes bare or in an object under its name, and nobody knows whether a single thing
does: both are read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import pydantic

from fusion_client.errors import ServerError
from fusion_client.models import Model

M = TypeVar("M", bound=Model)


def reader(model: type[M], name: str | None = None) -> Callable[[bytes], M]:
    """Reads one `model`, which may come in an object under `name`."""
    return lambda body: _validated(model, _unwrapped(decoded(body), name))


def list_reader(model: type[M], name: str) -> Callable[[bytes], tuple[M, ...]]:
    """Reads a list of `model`, bare or under `name`."""

    def read(body: bytes) -> tuple[M, ...]:
        values = _unwrapped(decoded(body), name)
        if not isinstance(values, list):
            raise ServerError(f"Fusion answered without a list of {name}.")
        return tuple(_validated(model, value) for value in values)

    return read


def nothing(_: bytes) -> None:
    """Reads the answer of a call that has none."""


def decoded(body: bytes) -> Any:
    """The JSON of an answer. Raises ServerError."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as exc:
        text = "Fusion's answer is no JSON; a login page of a proxy in between would look like this."
        raise ServerError(text) from exc


def _unwrapped(value: Any, name: str | None) -> Any:
    return value[name] if name and isinstance(value, dict) and name in value else value


def _validated(model: type[M], value: Any) -> M:
    try:
        return model.model_validate(value)
    except pydantic.ValidationError as exc:
        places = ", ".join(sorted({".".join(map(str, one["loc"])) or "all of it" for one in exc.errors()}))
        raise ServerError(f"Fusion's answer is no {model.__name__}; wrong is {places}.") from exc


def read_part(model: type[M], value: Any) -> M | None:
    """A `model` that an answer tells besides; None where it is none."""
    try:
        return model.model_validate(value) if isinstance(value, dict) else None
    except pydantic.ValidationError:
        return None
