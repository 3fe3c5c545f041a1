"""The keys that are valid now: from a file, which is read again when it changes, or from the environment."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from custom_handler import key_list
from custom_handler.errors import SettingError
from custom_handler.key_list import Key
from custom_handler.settings import DATABASE_URL, KEYS, KEYS_FILE, Setting, read

log = logging.getLogger("custom_handler.keys")

#: Where clients may have their keys.
_PLACES: tuple[Setting[Any], ...] = (KEYS_FILE, KEYS, DATABASE_URL)
#: What changes with a file: its inode, the time of its last change, its size. None while it cannot be looked at.
_Stamp = tuple[int, int, int] | None


class KeyRing:
    """The keys of the settings, without the master key.

    Raises:
        SettingError: there is a list of keys, and it cannot be used; or there is a database with keys, too.
    """

    def __init__(self) -> None:
        self._file, text = read(KEYS_FILE), read(KEYS)
        places = [setting.name for setting in _PLACES if read(setting)]
        if len(places) > 1:
            raise SettingError(f"{' and '.join(places)} are set: clients can have their keys in one place only.")
        self._seen = _stamp(self._file)
        self._keys = _from_file(self._file) if self._file else _parsed(text, KEYS.name) if text else None

    def keys(self) -> Sequence[Key] | None:
        """The keys; None when there is no list. While a changed file cannot be used, those from before the change."""
        if self._file and (stamp := _stamp(self._file)) != self._seen:
            self._seen = stamp
            self._read_again(self._file)
        return self._keys

    def _read_again(self, file: Path) -> None:
        try:
            keys = _from_file(file)
        except SettingError as exc:
            # One line, which says all: a traceback would bury it.
            log.error("%s Until that is mended, those from before the change are valid.", exc)  # noqa: TRY400
        else:
            log.info("%s has changed and was read again: %d keys", file, len(keys))
            self._keys = keys


def _stamp(file: Path | None) -> _Stamp:
    try:
        # The file itself and not a link to it: Kubernetes replaces a mounted Secret by turning a link.
        found = os.stat(file or "")  # noqa: PTH116 # asked with every request, and pathlib is slow
    except OSError:
        return None
    return found.st_ino, found.st_ctime_ns, found.st_size


def _from_file(file: Path) -> Sequence[Key]:
    try:
        return _parsed(file.read_text("utf-8"), str(file))
    except OSError as exc:
        raise SettingError(f"The keys in {file} cannot be used: {exc.strerror}.") from exc
    except UnicodeDecodeError as exc:
        raise SettingError(f"The keys in {file} cannot be used: it is not text in UTF-8.") from exc


def _parsed(text: str, where: str) -> Sequence[Key]:
    try:
        return key_list.parse(text)
    except ValueError as exc:
        raise SettingError(f"The keys in {where} cannot be used: {exc}.") from exc
