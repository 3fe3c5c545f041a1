"""What an operator runs before the first request, and when something is wrong: settings, sign-in, models."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from custom_handler import models, services, settings
from custom_handler.errors import BridgeError, SettingError
from custom_handler.key_ring import KeyRing
from custom_handler.model_info import ModelInfo
from custom_handler.services import Service
from custom_handler.settings import Setting
from custom_handler.transport import new_client
from custom_handler.upstream.base import Delta, Query
from custom_handler.upstream.pool import Asking, Pool

_PATIENCE = 5.0  # seconds
_QUESTION = "Reply with the single word: ok"


@dataclass(frozen=True, slots=True)
class Entry:
    """A model of the proxy's configuration: its public name, whose it is, and what its entry says."""

    name: str
    service: Service
    info: ModelInfo


def check(config_path: str, *, ask_agents: bool) -> int:
    """Print every setting and where it came from, sign in with each account, and ask each model if told to.

    Returns:
        0 when all went well, else 1; each failure has a line that begins with FAILED.
    """
    report = _Report()
    entries = _entries(config_path, report)
    used = _used(entries)
    for setting in settings.ALL:
        _check_setting(setting, entries, used, report)
    _check_keys(report)
    asyncio.run(_check_calls(entries, used, report, ask_agents=ask_agents))
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
    report.fine(f"{config_path} serves {', '.join(entry.name for entry in entries) or 'no model of ours'}")
    return entries


def _read_entries(path: Path) -> Iterator[Entry]:
    """Our models in the configuration.

    Raises:
        SettingError: the file cannot be read, or is not of LiteLLM's form.
    """
    try:
        for entry in yaml.safe_load(path.read_text("utf-8"))["model_list"]:
            given = entry["litellm_params"]
            for service in services.ALL:
                if models.is_of(service, given):
                    info = ModelInfo(given["model"].rpartition("/")[2], entry.get("model_info") or {})
                    yield Entry(entry["model_name"], service, info)
    except OSError as exc:
        raise SettingError(f"{path} cannot be read: {exc.strerror}. Start in the project's folder.") from exc
    except (yaml.YAMLError, LookupError, TypeError, AttributeError, UnicodeDecodeError) as exc:
        raise SettingError(f"{path} is not a LiteLLM configuration with a model_list ({type(exc).__name__}).") from exc


def _used(entries: Sequence[Entry]) -> Sequence[Service]:
    """The services of which anything is set; else the first that the configuration serves."""
    served = [service for service in services.ALL if any(entry.service is service for entry in entries)]
    return services.used((service, _accounts(entries, service)) for service in served or [services.STACKSPOT])


def _accounts(entries: Sequence[Entry], service: Service) -> Sequence[str | None]:
    accounts = {entry.info.fields.get("account") for entry in entries if entry.service is service}
    return sorted(accounts or {None}, key=str)


def _check_setting(setting: Setting[Any], entries: Sequence[Entry], used: Sequence[Service], report: _Report) -> None:
    found = settings.find(setting)
    if found is None and not _is_needed(setting, entries):
        report.fine(f"{setting.name} is not set, and no model of the configuration needs it")
        return
    unused = [service for service in services.ALL if service not in used]
    if found is None and (service := _owner(setting, unused)):
        report.fine(f"{setting.name} is not set, so models of {service.title} cannot be asked")
        return
    try:
        settings.read(setting)
    except SettingError as exc:
        report.failed(exc.message)
        return
    text, origin = (found.text, found.origin) if found else ("", "")
    shown = f"**** ({len(text)} characters)" if setting.secret and text else text or "(none)"
    report.fine(f"{setting.name} = {shown}   [{origin}]")


def _is_needed(setting: Setting[Any], entries: Sequence[Entry]) -> bool:
    """Whether a model of the configuration, or the proxy itself, asks for it."""
    for service in services.ALL:
        if setting is service.agent:
            return any(entry.service is service and entry.info.model == models.DEFAULT for entry in entries)
        if setting in service.credentials:
            return None in _accounts(entries, service)
    return True


def _owner(setting: Setting[Any], among: Sequence[Service]) -> Service | None:
    """The service that cannot be asked without `setting`."""
    return next((service for service in among if setting in (*service.credentials, service.agent)), None)


def _check_keys(report: _Report) -> None:
    try:
        listed = KeyRing().keys()
    except SettingError as exc:
        report.failed(exc.message)
        return
    if listed is not None:
        report.fine(f"{len(listed)} keys of clients: {', '.join(key.name for key in listed)}")


async def _check_calls(entries: Sequence[Entry], used: Sequence[Service], report: _Report, *, ask_agents: bool) -> None:
    for service in used:
        own = [entry for entry in entries if entry.service is service]
        await _check_service(service, own, report, ask_agents=ask_agents)


async def _check_service(service: Service, entries: Sequence[Entry], report: _Report, *, ask_agents: bool) -> None:
    try:
        connection = service.pool.read_connection()
        client = new_client(connection)
    except SettingError as exc:
        report.failed(f"no sign-in without a connection: {exc.message}")
        return
    async with client:
        pool = service.pool(connection, client)
        for account in _accounts(entries, service):
            await _check_account(pool, account, report)
        for entry in entries if ask_agents else ():
            if "*" not in entry.info.model:
                await _check_agent(pool, entry, report)


async def _check_account(pool: Pool[Any, Any], account: str | None, report: _Report) -> None:
    name = "the default account" if account is None else f"account {account!r}"
    try:
        found = await pool.check(pool.read_account(account))
    except BridgeError as exc:
        report.failed(f"signing in with {name}: {exc.message}")
    else:
        report.fine(f"{found} {name}")


async def _check_agent(pool: Pool[Any, Any], entry: Entry, report: _Report) -> None:
    try:
        answer = await _ask(pool, entry)
    except BridgeError as exc:
        report.failed(f"asking {entry.name}: {exc.message}")
    else:
        report.fine(f"{entry.name} answered {answer.strip()[:60]!r}")


async def _ask(pool: Pool[Any, Any], entry: Entry) -> str:
    target = models.resolve(entry.service, entry.info)
    # Of an account that is used up, the operator wants to know now.
    asking = Asking(max_wait=_PATIENCE)
    agent = pool.agent(target.agent_id, pool.read_account(target.account), asking, entry.info)
    async with aclosing(agent.stream(Query(_QUESTION))) as pieces:
        return "".join([piece.text async for piece in pieces if isinstance(piece, Delta)])
