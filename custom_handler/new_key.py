"""`python -m custom_handler keys new`: a key for somebody, and its entry for the list."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Sequence

from custom_handler import key_list


def new(name: str, models: Sequence[str] | None, rpm: str | None, expires: str | None, *, admin: bool) -> int:
    """Print a new key, which stands nowhere else, and the entry that makes it valid. Arguments: the entry's fields.

    Returns:
        0; 2, and a line that says why, when a field cannot be used.
    """
    key = f"sk-{secrets.token_urlsafe(32)}"
    given = {
        "hash": key_list.digest(key).hex(),
        "models": None if models is None else json.dumps(models),
        "rpm": rpm,
        "expires": expires,
        "admin": "true" if admin else None,
    }
    fields = [f"{field}: {value}" for field, value in given.items() if value is not None]
    entry = "\n  ".join((f"- name: {name}", *fields))
    try:
        key_list.parse(entry)
    except ValueError as exc:
        sys.stderr.write(f"{exc}\n")
        return 2
    print(f"The key, for {name}. It is shown once:\n\n  {key}\n\nIts entry for the list:\n\n{entry}")
    return 0
