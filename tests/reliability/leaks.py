"""What nobody may ever read: in an answer, and in the proxy's log."""

from __future__ import annotations

import re
import secrets
import sys
from pathlib import Path

from tests.support.program import ROOT

#: What is looked for → its name in a table. The clients of the runs say nothing that is not made by `prompt`.
_SECRETS = {
    r"secret-[0-9a-f]{24}": "a secret",
    r"prompt-[0-9a-f]{24}": "a prompt",
    r"eyJ[\w-]{8,}\.[\w-]{8,}": "a token",
}
_UNHANDLED = {r"exception was never retrieved|Task was destroyed": "an exception that nobody handled"}
_INSIDE = {
    r"Traceback \(most recent": "a traceback",
    rf'File "/|{re.escape(str(ROOT))}|{re.escape(sys.prefix)}|{re.escape(str(Path.home()))}/': "a path of this machine",
}
_NAMES = {r"\blitellm\.\w+|\bLiteLLM\b": "a class of LiteLLM"}


def secret() -> str:
    """A secret that is recognised wherever it turns up."""
    return f"secret-{secrets.token_hex(12)}"


def prompt() -> str:
    """The same of a prompt."""
    return f"prompt-{secrets.token_hex(12)}"


def in_answer(received: str) -> tuple[str, ...]:
    """What the bytes that a client received have of what it must not see."""
    return _found(received, _SECRETS | _INSIDE | _NAMES)


def in_log(log: str) -> tuple[str, ...]:
    """What a log has that must not be kept."""
    return _found(log, _SECRETS | _UNHANDLED)


def in_log_of_expected(log: str) -> tuple[str, ...]:
    """The same of a log in which nothing unforeseen stands: no traceback either."""
    return _found(log, _SECRETS | _UNHANDLED | _INSIDE)


def _found(text: str, patterns: dict[str, str]) -> tuple[str, ...]:
    return tuple(name for pattern, name in patterns.items() if re.search(pattern, text))
