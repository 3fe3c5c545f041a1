"""docs/keys.md says what the code does."""

from __future__ import annotations

import re

import pytest

from custom_handler import key_list, routes
from custom_handler.__main__ import main
from custom_handler.errors import (
    KeyRefusedError,
    KeysUnavailableError,
    ModelNotAllowedError,
    NotAllowedError,
    RateLimitedError,
)
from tests.documents.markdown import Document, quoted
from tests.support.program import ROOT

KEYS = Document.read(ROOT / "docs" / "keys.md")


def test_the_list_that_is_shown_is_one() -> None:
    alice, prometheus = key_list.parse(KEYS.section("A list of keys").code[1])
    assert (alice.rpm, alice.models, alice.admin) == (60, ("stackspot-chat", "stackspot/*"), False)
    assert (prometheus.models, prometheus.admin) == ((), True)


def test_the_command_that_is_shown_makes_a_key() -> None:
    command = KEYS.section("A list of keys").code[0].split()
    assert command[:3] == [".venv/bin/python", "-m", "custom_handler"]
    assert main([word.strip("'") for word in command[3:]]) == 0


def test_the_table_of_fields_is_that_of_the_code() -> None:
    (table,) = KEYS.section("A list of keys").tables
    fields = ", ".join(quoted(row[0])[0] for row in table)
    with pytest.raises(ValueError, match=f"there are {fields}$"):
        key_list.parse(f"- {{name: a, hash: {'0' * 64}, no-such-field: c}}")


def test_every_status_is_that_of_an_error() -> None:
    (table,) = KEYS.section("What a client sees").tables
    of_keys = (KeyRefusedError, ModelNotAllowedError, NotAllowedError, RateLimitedError, KeysUnavailableError)
    assert [row[:2] for row in table] == [[str(error.status), f"`{error.code}`"] for error in of_keys]


def test_the_addresses_that_manage_keys_are_those_of_the_code() -> None:
    (table,) = KEYS.section("Keys in PostgreSQL").tables
    told = [re.fullmatch(r"(\w+) (/[\w/]+)(\?.*)?", address) for row in table for address in quoted(row[0])]
    assert {(match[1], match[2]) for match in told if match} == set(routes.KEY_ROUTES)
    assert all(told)
