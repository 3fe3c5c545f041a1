"""The list of keys: what an entry may say, what is refused, and how a key is found in it."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handler.key_list import Key, digest, find, parse

HASH = hashlib.sha256(b"sk-a").hexdigest()
END_OF_JUNE = datetime(2027, 6, 30, 23, 59, 59, 999999, UTC)


def entry(**fields: object) -> str:
    """A list with one entry, as JSON; `name` and `hash` are there unless they are given as None."""
    given = {"name": "alice", "hash": HASH} | fields
    return json.dumps([{name: value for name, value in given.items() if value is not None}])


def test_an_entry_needs_a_name_and_a_hash_and_then_may_do_all_but_administrate() -> None:
    assert parse(entry()) == (Key("alice", hashlib.sha256(b"sk-a").digest()),)
    assert parse("[]") == ()


@pytest.mark.parametrize(
    ("field", "text", "attribute", "value"),
    [
        ("models", ["stackspot-chat", "stackspot/*"], "models", ("stackspot-chat", "stackspot/*")),
        ("models", ["*"], "models", ("*",)),
        ("models", [], "models", ()),
        ("rpm", 60, "rpm", 60),
        ("rpm", "60", "rpm", 60),
        ("admin", True, "admin", True),
        ("admin", False, "admin", False),
        ("expires", "2027-06-30", "expires", END_OF_JUNE),
        ("expires", "2027-06-30T18:00:00Z", "expires", datetime(2027, 6, 30, 18, tzinfo=UTC)),
        ("expires", "2027-06-30 15:00-03:00", "expires", datetime(2027, 6, 30, 18, tzinfo=UTC)),
        ("expires", "9999-12-31", "expires", datetime.max.replace(tzinfo=UTC)),
        ("name", "ana.são-paulo@bank", "name", "ana.são-paulo@bank"),
        ("name", 123, "name", "123"),
        ("hash", "0" * 64, "digest", bytes(32)),
        ("hash", HASH.upper(), "hash", HASH),
    ],
)
def test_each_field_is_read(field: str, text: object, attribute: str, value: object) -> None:
    (key,) = parse(entry(**{field: text}))
    assert getattr(key, attribute) == value


def test_yaml_is_read_as_it_is_written() -> None:
    """Digits without quotes stay text, and a date stays a date."""
    (key,) = parse(f"# keys\n- name: on\n  hash: {'1' * 64}\n  expires: 2027-06-30\n  models: [stackspot/*]\n")
    assert (key.name, key.hash, key.expires, key.models) == ("on", "1" * 64, END_OF_JUNE, ("stackspot/*",))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (entry(name=None), "entry 1: name is missing"),
        (entry(hash=None), r"entry 1 \(alice\): hash is missing"),
        (entry(name=""), "entry 1: name must be 1 to 64"),
        (entry(name="a b"), r"entry 1 \(a b\): name must be 1 to 64"),
        (entry(name="a" * 65), "name must be 1 to 64"),
        (entry(name=["a"]), "entry 1: name must be 1 to 64"),
        (entry(hash=HASH[1:]), r"entry 1 \(alice\): hash must be the SHA-256 of the key: 64 hexadecimal digits"),
        (entry(hash="g" * 64), "hash must be"),
        (entry(hash={"sha256": HASH}), "hash must be"),
        (entry(models="stackspot-chat"), r"\(alice\): models must be names of models"),
        (entry(models=["stack*chat"]), "models must be"),
        (entry(models=[""]), "models must be"),
        (entry(models=[["a"]]), "models must be"),
        (entry(rpm=0), r"\(alice\): rpm must be a whole number above 0"),
        (entry(rpm=-1), "rpm must be"),
        (entry(rpm=1.5), "rpm must be"),
        (entry(rpm="²"), "rpm must be"),
        (entry(rpm=True), "rpm must be"),
        (entry(rpm=[60]), "rpm must be"),
        (entry(expires="tomorrow"), r"\(alice\): expires must be a date, such as 2027-06-30"),
        (entry(expires="2027-06-31"), "expires must be"),
        (entry(expires="2027-06-30T18:00:00"), "expires must be a date, .* or a time with its zone"),
        (entry(expires=["2027-06-30"]), "expires must be"),
        (entry(admin="yes"), r"\(alice\): admin must be true or false"),
        (entry(key="sk-a"), r"entry 1 \(alice\): key is no field; there are name, hash, models, rpm, expires, admin"),
        ("", "it must be a list"),
        ("alice", "it must be a list"),
        ("name: alice", "it must be a list"),
        ("- alice", "entry 1 must have fields"),
        ("- [alice]", "entry 1 must have fields"),
        (f"- name: a\n  hash: {HASH}\n- name: a\n  hash: {'0' * 64}", "entries 1 and 2 have the same name"),
        (f"- name: a\n  hash: {HASH}\n- name: b\n  hash: {HASH}", "entries 1 and 2 have the same hash"),
        (f"- name: a\n  hash: {HASH}\n  rpm: 1\n  rpm: 2", "it is not YAML: a field stands twice in or before line 1"),
        ("- name: [a", "it is not YAML: .* line"),
        ("- {[a]: b}", "it is not YAML: .* line 1"),
        ("- name: a\0", "it is not YAML: it has characters"),
        ("[" * 5000, "it is nested too deep"),
    ],
)
def test_what_is_wrong_is_told_with_the_entry_and_the_field(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        parse(text)


@pytest.mark.parametrize("text", [entry(hash="sk-secret"), entry(rpm="sk-secret"), "- name: a\n  hash: sk-secret: x"])
def test_a_key_that_was_pasted_by_mistake_is_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"entry 1|YAML") as raised:
        parse(text)
    assert "sk-secret" not in str(raised.value)
    assert raised.value.__cause__ is None


@given(st.text(max_size=60) | st.lists(st.dictionaries(st.text(max_size=9), st.text(max_size=9))).map(json.dumps))
def test_any_text_is_a_list_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(parse(text), tuple)


@pytest.mark.parametrize(
    ("models", "model", "allowed"),
    [
        (None, "anything", True),
        ((), "stackspot-chat", False),
        (("stackspot-chat",), "stackspot-chat", True),
        (("stackspot-chat",), "stackspot-chat2", False),
        (("stackspot-chat",), "STACKSPOT-CHAT", False),
        (("stackspot/*",), "stackspot/01ARZ3NDEKTSV4RRFFQ69G5FAV", True),
        (("stackspot/*",), "stackspot/*", True),
        (("stackspot/*",), "stackspot-chat", False),
        (("a", "b*"), "bc", True),
        (("*",), "anything", True),
        ((".*",), "anything", False),
    ],
)
def test_a_key_may_use_the_models_of_its_entry(models: tuple[str, ...] | None, model: str, allowed: bool) -> None:
    assert Key("a", b"", models=models).allows(model) is allowed


KEYS = tuple(Key(name, digest(f"sk-{name}")) for name in "abcd")


@pytest.mark.parametrize("sent", ["sk-a", "sk-b", "sk-d", "sk-none"])
def test_every_entry_is_compared_in_constant_time_whichever_fits(sent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    in_constant_time = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.extend({one, other} - {digest(sent)} or {one})
        return in_constant_time(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    found = find(digest(sent), KEYS)
    assert compared == [key.digest for key in KEYS]
    assert (found.name if found else "none") == sent.removeprefix("sk-")


@given(st.text(), st.lists(st.text(), unique=True, max_size=5))
def test_the_key_that_is_found_is_the_one_that_was_sent(sent: str, listed: list[str]) -> None:
    found = find(digest(sent), [Key(key, digest(key)) for key in listed])
    assert (found.name if found else None) == (sent if sent in listed else None)


def test_the_last_day_is_a_whole_day() -> None:
    (key,) = parse(entry(expires="2027-06-30"))
    assert key.expires is not None
    assert key.expires - datetime(2027, 6, 30, tzinfo=UTC) > timedelta(hours=23, minutes=59)
