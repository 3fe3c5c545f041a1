"""Where the API key comes from: argument, environment or `.env`, or a file."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from fusion_client.bearer import Credentials, Key, checked_secret
from fusion_client.settings import FusionSettings

_MISSING = (
    "API key is required: give api_key or a token_provider, set FUSION_API_KEY, or name a file with "
    '{"api_key": "…"} in FUSION_CREDENTIALS_FILE.'
)


def find_credentials(api_key: str | None, token_provider: Credentials | None) -> Credentials:
    """The credentials: an argument, else what the environment, `.env` or the file has.

    Raises:
        ValueError: there are none, there are two arguments, or the file cannot be used.
    """
    if api_key is not None and token_provider is not None:
        raise ValueError("Give api_key or token_provider, not both.")
    if token_provider is not None:
        return token_provider
    return settings_key(FusionSettings()) if api_key is None else _key(api_key)


def settings_key(settings: FusionSettings) -> Key:
    """The key that `settings` have, or else their file. Raises ValueError."""
    if settings.api_key is not None:
        return _key(settings.api_key.get_secret_value())
    if settings.credentials_file is not None:
        return _key(_read_file(settings.credentials_file.expanduser()))
    raise ValueError(_MISSING)


def _key(value: str) -> Key:
    if not value.strip():
        raise ValueError(_MISSING)
    return Key(checked_secret("The API key", value))


def _read_file(path: Path) -> str:
    try:
        mode, content = stat.S_IMODE(path.stat().st_mode), path.read_bytes()
    except OSError as exc:
        raise ValueError(f"The credentials file {path} cannot be read: {exc.strerror}.") from exc
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ValueError(f"The credentials file {path} can be read or changed by others; run: chmod 600 {path}")
    return _key_in(content, path)


def _key_in(content: bytes, path: Path) -> str:
    try:
        value = json.loads(content)["api_key"]
    except (ValueError, KeyError, TypeError, RecursionError):
        # Without the cause: an error of json shows what it read.
        raise ValueError(f'The credentials file {path} must hold {{"api_key": "…"}}.') from None
    if not isinstance(value, str):
        raise ValueError(f'"api_key" in the credentials file {path} must be text.')  # noqa: TRY004
    return value
