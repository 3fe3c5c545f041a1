"""ULIDs: the 26-character ids of agents, messages, conversations and files."""

import re
import secrets
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def new_ulid() -> str:
    """A fresh ULID: 48 bits of milliseconds, then 80 random bits, in Crockford's base 32."""
    value = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))


def is_ulid(text: object) -> bool:
    """True for a string that is a well-formed ULID in upper case."""
    return isinstance(text, str) and _ULID.fullmatch(text) is not None
