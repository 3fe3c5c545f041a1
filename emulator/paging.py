"""Lists in pages: `?page=1&size=100`."""

from collections.abc import Sequence
from typing import TypeVar

from starlette.requests import Request

One = TypeVar("One")


def page_of(request: Request, values: Sequence[One]) -> list[One]:
    """The page of `values` that the query asks for: the first hundred when it does not say."""
    page, size = _number(request, "page", 1), _number(request, "size", 100)
    return list(values[(page - 1) * size : page * size])


def _number(request: Request, name: str, default: int) -> int:
    value = request.query_params.get(name, "")
    return max(1, int(value)) if value.isdecimal() else default
