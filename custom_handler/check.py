"""What an operator runs before the first request, and when something is wrong: settings, sign-in, models."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from custom_handler import models, settings
from custom_handler.errors import BridgeError, SettingError
from custom_handler.key_ring import KeyRing
from custom_handler.settings import Setting
from custom_handler.transport import new_client
from custom_handler.upstream.base import Delta, Query
from custom_handler.upstream.pool import Pool

_PATIENCE = 5.0  # seconds
_QUESTION = "Reply with the single word: ok"


@dataclass(frozen=True, slots=True)
class Entry:
    """A model of the proxy's configuration: its public name, the name behind `stackspot/`, and its `model_info`."""

    name: str
    model: str
    model_info: Mapping[str, Any]


def check(config_path: str, *, ask_agents: bool) -> int:
    """Print every setting and where it came from, sign in with each account, and ask each model if told to.

    Returns:
        0 when all went well, else 1; each failure has a line that begins with FAILED.
    """
    report = _Report()
    entries = _entries(config_path, report)
    for setting in settings.ALL:
        _check_setting(setting, entries, report)
    _check_keys(report)
    asyncio.run(_check_calls(entries, report, ask_agents=ask_agents))
    report.end()
    return 1 if report.failures else 0


class _Report:
    """Prints lines and counts the failures among them."""

    def __init__(self) -> None:
        self.failures = 0

    def fine(self, text: str) -> None:
        print(f"ok      {text}")

    def failed(self, text: str) -> None:
        self.failures += 1
        print(f"FAILED  {text}")

    def end(self) -> None:
        print(f"{self.failures} of the checks failed." if self.failures else "Everything is in order.")


def _entries(config_path: str, report: _Report) -> Sequence[Entry]:
    try:
        entries = tuple(_read_entries(Path(config_path)))
    except SettingError as exc:
        report.failed(exc.message)
        return ()
    report.fine(f"{config_path} serves {', '.join(entry.name for entry in entries) or 'no StackSpot model'}")
    return entries


def _read_entries(path: Path) -> Iterator[Entry]:
    """StackSpot's models in the configuration.

    Raises:
        SettingError: the file cannot be read, or is not of LiteLLM's form.
    """
    try:
        for entry in yaml.safe_load(path.read_text("utf-8"))["model_list"]:
            given = entry["litellm_params"]
            if models.is_ours(given):
                yield Entry(entry["model_name"], given["model"].rpartition("/")[2], entry.get("model_info") or {})
    except OSError as exc:
        raise SettingError(f"{path} cannot be read: {exc.strerror}. Start in the project's folder.") from exc
    except (yaml.YAMLError, LookupError, TypeError, AttributeError, UnicodeDecodeError) as exc:
        raise SettingError(f"{path} is not a LiteLLM configuration with a model_list ({type(exc).__name__}).") from exc


def _check_setting(setting: Setting[Any], entries: Sequence[Entry], report: _Report) -> None:
    found = settings.find(setting)
    if found is None and setting is settings.AGENT_ID and all(entry.model != models.DEFAULT for entry in entries):
        report.fine(f"{setting.name} is not set, and no model of the configuration needs it")
        return
    try:
        settings.read(setting)
    except SettingError as exc:
        report.failed(exc.message)
        return
    text, origin = (found.text, found.origin) if found else ("", "")
    shown = f"**** ({len(text)} characters)" if setting.secret and text else text or "(none)"
    report.fine(f"{setting.name} = {shown}   [{origin}]")


def _check_keys(report: _Report) -> None:
    try:
        listed = KeyRing().keys()
    except SettingError as exc:
        report.failed(exc.message)
        return
    if listed is not None:
        report.fine(f"{len(listed)} keys of clients: {', '.join(key.name for key in listed)}")


async def _check_calls(entries: Sequence[Entry], report: _Report, *, ask_agents: bool) -> None:
    try:
        connection = settings.read_connection()
        client = new_client(connection)
    except SettingError as exc:
        report.failed(f"no sign-in without a connection: {exc.message}")
        return
    async with client:
        pool = Pool(connection, client)
        accounts = {entry.model_info.get("account") for entry in entries} or {None}
        for account in sorted(accounts, key=str):
            await _check_sign_in(pool, account, report)
        for entry in entries if ask_agents else ():
            if "*" not in entry.model:
                await _check_agent(pool, entry, report)


async def _check_sign_in(pool: Pool, account: str | None, report: _Report) -> None:
    name = "the default account" if account is None else f"account {account!r}"
    try:
        await pool.tokens(settings.read_account(account)).get()
    except BridgeError as exc:
        report.failed(f"signing in with {name}: {exc.message}")
    else:
        report.fine(f"signed in with {name}")


async def _check_agent(pool: Pool, entry: Entry, report: _Report) -> None:
    try:
        answer = await _ask(pool, entry)
    except BridgeError as exc:
        report.failed(f"asking {entry.name}: {exc.message}")
    else:
        report.fine(f"{entry.name} answered {answer.strip()[:60]!r}")


async def _ask(pool: Pool, entry: Entry) -> str:
    target = models.resolve(entry.model, entry.model_info)
    # Of an account that is used up, the operator wants to know now.
    agent = pool.agent(
        target.agent_id, settings.read_account(target.account), max_wait=_PATIENCE, options=target.options
    )
    async with aclosing(agent.stream(Query(_QUESTION))) as pieces:
        return "".join([piece.text async for piece in pieces if isinstance(piece, Delta)])
