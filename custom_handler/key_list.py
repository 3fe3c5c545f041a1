"""The keys of clients as a list: each with its name, and with what it may do. The list holds no key, only hashes.

    - name: alice
      hash: 1ec04d4814b7d2ccaa29f3e6ec8e981733d61663f5f5e8bd89f0b8b131182211
      models: [stackspot-chat, stackspot/*]
      rpm: 60
      expires: 2027-06-30

Keys are long random texts, which nobody can guess: a plain SHA-256 is as good for them as a slow hash is for passwords.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Key:
    """A key that was let in, or may be.

    Attributes:
        name: whose it is, for logs and figures.
        digest: SHA-256 of its text.
        models: names of models as config.yaml has them; `*` at an end stands for any rest. None for all.
        rpm: requests to models in any 60 seconds; None for any number.
        expires: when it ends; None for never.
        admin: whether it may also read /metrics and /health.
    """

    name: str
    digest: bytes
    models: tuple[str, ...] | None = None
    rpm: int | None = None
    expires: datetime | None = None
    admin: bool = False

    @property
    def hash(self) -> str:
        """The digest as the list has it: 64 hexadecimal digits."""
        return self.digest.hex()

    def allows(self, model: str) -> bool:
        """Whether it may use a model."""
        return self.models is None or any(_matches(model, pattern) for pattern in self.models)


def _matches(model: str, pattern: str) -> bool:
    return model.startswith(pattern[:-1]) if pattern.endswith("*") else model == pattern


def digest(key: str) -> bytes:
    """What is kept of a key, and what LiteLLM knows it by."""
    return hashlib.sha256(key.encode()).digest()


def find(sent: bytes, keys: Iterable[Key]) -> Key | None:
    """The one of `keys` with the digest `sent`.

    Digests are compared, of which nobody can choose the beginning, so that the time of a comparison tells nothing about
    a key. All of them are compared, whichever fits, so that it does not tell either where in the list a key stands.
    """
    fitting = [key for key in keys if hmac.compare_digest(key.digest, sent)]
    return fitting[0] if fitting else None


def parse(text: str) -> tuple[Key, ...]:
    """The keys of a list.

    Args:
        text: YAML, or JSON, which is YAML too.

    Raises:
        ValueError: it is none; the text says which entry and which field, and nothing of what stands there.
    """
    entries = _load(text)
    if not isinstance(entries, list):
        raise ValueError("it must be a list, in which each entry begins with '- name: …'")  # noqa: TRY004 (as above)
    keys = tuple(_entry(number, fields) for number, fields in enumerate(entries, 1))
    _refuse_twins("name", [key.name for key in keys])
    _refuse_twins("hash", [key.hash for key in keys])
    return keys


class _Loader(yaml.BaseLoader):
    """Reads every value as text, so that a hash of digits alone stays one, and refuses a field that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping = super().construct_mapping(node, deep)
        if len(mapping) < len(node.value):
            raise yaml.constructor.ConstructorError(problem="a field stands twice", problem_mark=node.start_mark)
        return mapping


def _load(text: str) -> Any:
    try:
        return yaml.load(text, _Loader)  # noqa: S506 (it makes nothing but texts, lists and mappings)
    except yaml.MarkedYAMLError as exc:
        line = f" in or before line {exc.problem_mark.line + 1}" if exc.problem_mark else ""
        raise ValueError(f"it is not YAML: {exc.problem or exc.context}{line}") from None  # exc quotes the line
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except yaml.YAMLError:
        raise ValueError("it is not YAML: it has characters that are not allowed") from None


def _entry(number: int, fields: Any) -> Key:
    if not isinstance(fields, dict):
        raise ValueError(f"entry {number} must have fields, such as name and hash")  # noqa: TRY004 (as in parse)
    name = fields.get("name")
    where = f"entry {number} ({name})" if isinstance(name, str) and name else f"entry {number}"
    for field in ("name", "hash"):
        if field not in fields:
            raise ValueError(f"{where}: {field} is missing")
    return Key(**dict(_read(where, field, value) for field, value in fields.items()))


def _read(where: str, field: str, value: Any) -> tuple[str, Any]:
    if field not in _FIELDS:
        raise ValueError(f"{where}: {field} is no field; there are {', '.join(_FIELDS)}")
    argument, read = _FIELDS[field]
    try:
        return argument, read(value)
    except ValueError as exc:
        raise ValueError(f"{where}: {field} {exc}") from None


def _refuse_twins(field: str, values: Collection[str]) -> None:
    first: dict[str, int] = {}
    for number, value in enumerate(values, 1):
        if value in first:
            raise ValueError(f"entries {first[value]} and {number} have the same {field}")
        first[value] = number


def _text_like(pattern: str, fault: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(fault)
        return value

    return read


_NAME = _text_like(r"[\w.@-]{1,64}", "must be 1 to 64 letters, digits, '.', '-', '_' and '@'")
_HASH = _text_like("[0-9a-fA-F]{64}", "must be the SHA-256 of the key: 64 hexadecimal digits")
_MODEL = _text_like(r"[^\s*]+\*?|\*", "must be names of models; a '*' may stand at the end of one")
_COUNT = _text_like("[1-9][0-9]{0,8}", "must be a whole number above 0")
_FLAG = _text_like("true|false", "must be true or false")


def _models(value: Any) -> tuple[str, ...]:
    return tuple(map(_MODEL, value if isinstance(value, list) else [None]))


def _moment(value: Any) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(str(value)), time.max, UTC)  # the whole of that day
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("must be a date, such as 2027-06-30, or a time with its zone, such as 2027-06-30T18:00:00Z")
    return moment


#: Field of an entry → argument of `Key`, and how it is read: from text to value, or ValueError.
_FIELDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "name": ("name", _NAME),
    "hash": ("digest", lambda value: bytes.fromhex(_HASH(value))),
    "models": ("models", _models),
    "rpm": ("rpm", lambda value: int(_COUNT(value))),
    "expires": ("expires", _moment),
    "admin": ("admin", lambda value: _FLAG(value) == "true"),
}
