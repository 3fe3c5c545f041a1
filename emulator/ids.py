"""The ids of both services: StackSpot's ULIDs of 26 characters, and Fusion's UUIDs."""

import re
import secrets
import time
import uuid

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def new_ulid() -> str:
    """A fresh ULID: 48 bits of milliseconds, then 80 random bits, in Crockford's base 32."""
    value = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))


def is_ulid(text: object) -> bool:
    """True for a string that is a well-formed ULID in upper case."""
    return isinstance(text, str) and _ULID.fullmatch(text) is not None


def new_uuid() -> str:
    """A fresh random UUID."""
    return str(uuid.uuid4())


def is_uuid(text: object) -> bool:
    """True for a string that is a UUID in its usual form, in either case."""
    return isinstance(text, str) and _UUID.fullmatch(text) is not None
