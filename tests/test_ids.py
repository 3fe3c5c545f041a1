"""Ids of conversations: those that StackSpot takes, and that nobody can guess."""

from __future__ import annotations

import time

from custom_handler.ids import new_conversation_id
from custom_handler.settings import is_agent_id

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_an_id_is_a_ulid_of_now() -> None:
    before, made, after = time.time(), new_conversation_id("scope"), time.time()
    assert is_agent_id(made)
    assert made == made.upper()
    told = 0
    for letter in made[:10]:
        told = told * 32 + CROCKFORD.index(letter)
    assert int(before * 1000) <= told <= after * 1000


def test_no_two_are_alike() -> None:
    assert len({new_conversation_id("scope")[10:] for _ in range(1_000)}) == 1_000
