"""The keys of the settings: where they come from, and what happens while the proxy runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from custom_handler.errors import SettingError
from custom_handler.key_ring import KeyRing

FILE = Path("keys.yaml")


def text(*names: str) -> str:
    return "".join(f"- name: {name}\n  hash: {name.encode().hex():0>64}\n" for name in names) or "[]"


def names(ring: KeyRing) -> list[str] | None:
    keys = ring.keys()
    return None if keys is None else [key.name for key in keys]


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> KeyRing:
    """The keys of a file with one entry, `a`."""
    FILE.write_text(text("a"))
    monkeypatch.setenv("PROXY_KEYS_FILE", str(FILE))
    return KeyRing()


def test_without_a_setting_there_is_no_list_which_is_not_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert names(KeyRing()) is None
    monkeypatch.setenv("PROXY_KEYS", text())
    assert names(KeyRing()) == []


def test_the_environment_may_hold_the_list_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_KEYS", text("a", "b"))
    assert names(KeyRing()) == ["a", "b"]


def test_a_file_is_read_again_only_when_it_changes(ring: KeyRing) -> None:
    first = ring.keys()
    assert ring.keys() is first
    assert names(ring) == ["a"]


def overwrite(content: str) -> None:
    FILE.write_text(content)


def replace(content: str) -> None:
    """As an editor does, and whoever wants nobody to see half of a file."""
    new = Path("new")
    new.write_text(content)
    new.replace(FILE)


def replace_with_the_same_times(content: str) -> None:
    new, before = Path("new"), FILE.stat()
    new.write_text(content)
    os.utime(new, ns=(before.st_atime_ns, before.st_mtime_ns))
    new.replace(FILE)


def turn_link(content: str) -> None:
    """As Kubernetes does: keys.yaml → ..data/keys.yaml, and ..data → a folder for each version."""
    version = Path(f"..version{len(list(Path().glob('..version*')))}")
    version.mkdir()
    (version / FILE).write_text(content)
    new = Path("..new")
    new.symlink_to(version)
    new.replace("..data")
    if not FILE.is_symlink():
        FILE.unlink()
        FILE.symlink_to(Path("..data", FILE))


CHANGES = pytest.mark.parametrize("change", [overwrite, replace, replace_with_the_same_times, turn_link])


@CHANGES
def test_a_changed_file_counts_at_once(ring: KeyRing, change: Callable[[str], None]) -> None:
    for expected in (["a", "b"], ["c"], [], ["b"]):
        change(text(*expected))
        assert names(ring) == expected


@CHANGES
@pytest.mark.parametrize("broken", ["", "- name: b\n  hash: 5", "- name: [", text("b", "b")])
def test_a_file_that_broke_leaves_the_keys_as_they_were_and_says_so_once(
    ring: KeyRing, change: Callable[[str], None], broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    change(broken)
    assert [names(ring) for _ in range(3)] == [["a"]] * 3
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith(f"The keys in {FILE} cannot be used: ")
    assert said.endswith("Until that is mended, those from before the change are valid.")
    change(text("c"))
    assert names(ring) == ["c"]


def test_a_file_that_is_gone_leaves_the_keys_as_they_were(ring: KeyRing, caplog: pytest.LogCaptureFixture) -> None:
    FILE.unlink()
    assert [names(ring) for _ in range(3)] == [["a"]] * 3
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "No such file or directory" in caplog.text
    FILE.write_text(text("b"))
    assert names(ring) == ["b"]


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"PROXY_KEYS_FILE": "missing.yaml"}, "missing.yaml cannot be used: No such file"),
        ({"PROXY_KEYS_FILE": "."}, "cannot be used: Is a directory"),
        ({"PROXY_KEYS_FILE": "binary"}, "binary cannot be used: it is not text in UTF-8"),
        ({"PROXY_KEYS": "- name: a"}, r"PROXY_KEYS cannot be used: entry 1 \(a\): hash is missing"),
        ({"PROXY_KEYS": "{"}, "PROXY_KEYS cannot be used: it is not YAML"),
        ({"PROXY_KEYS": "[]", "PROXY_KEYS_FILE": "x"}, "PROXY_KEYS_FILE and PROXY_KEYS are set"),
        ({"PROXY_KEYS": "[]", "DATABASE_URL": "postgresql://u@h/d"}, "PROXY_KEYS and DATABASE_URL are set"),
    ],
)
def test_a_list_that_cannot_be_used_prevents_the_start(
    settings: dict[str, str], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("binary").write_bytes(b"\xff\xfe")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=fault):
        KeyRing()
