"""Where the key comes from, and what is said when it does not come."""

from __future__ import annotations

import inspect
import traceback
from asyncio import to_thread
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from emulator import Emulator
from fusion_client import (
    AuthenticationError,
    FusionClient,
    FusionSettings,
    SyncFusionClient,
    TokenProvider,
    ValidationError,
)
from fusion_client.bearer import Key
from fusion_client.options import ClientOptions
from tests.fusion.callers import AGENT, KEY
from tests.fusion.conftest import StartCaller, StartEmulator

CLIENTS = [FusionClient, SyncFusionClient]
MAKERS = [*CLIENTS, FusionClient.from_settings, SyncFusionClient.from_settings]
Make = Callable[..., FusionClient | SyncFusionClient]


async def sent_key(make: Make, **options: Any) -> str:
    """The key that a client sends."""
    seen: list[str] = []

    async def note(request: httpx.Request) -> None:
        seen.append(request.headers["Authorization"].removeprefix("Bearer "))

    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=[]))
    async with httpx.AsyncClient(transport=transport, event_hooks={"request": [note]}) as http:
        client = make(http_client=http, **options)
        if isinstance(client, FusionClient):
            await client.list_agents()
        else:
            client.list_agents()
            client.close()
    return seen[0]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "credentials.json"
    path.write_text('{"api_key": "key-of-file"}')
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("make", MAKERS)
async def test_a_key_comes_from_the_environment_or_dotenv_or_a_file_in_this_order(
    make: Make, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUSION_CREDENTIALS_FILE", str(key_file))
    assert await sent_key(make) == "key-of-file"
    await to_thread(Path(".env").write_text, "FUSION_API_KEY=key-of-dotenv\nFUSION_UNKNOWN=1\nOTHER=1\n")
    assert await sent_key(make) == "key-of-dotenv"
    monkeypatch.setenv("FUSION_API_KEY", " key-of-environment\n")
    assert await sent_key(make) == "key-of-environment"


@pytest.mark.parametrize("make", CLIENTS)
async def test_an_argument_wins_and_then_no_setting_is_read(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUSION_API_KEY", "key-of-environment")
    monkeypatch.setenv("FUSION_TIMEOUT", "soon")
    assert await sent_key(make, api_key="key-of-argument", base_url="http://fusion.example") == "key-of-argument"


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("key", [None, "", " "])
def test_a_missing_key_is_said_when_the_client_is_made(
    make: Make, key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if key is not None:
        monkeypatch.setenv("FUSION_API_KEY", key)
    with pytest.raises(ValueError, match=r"^API key is required: .*FUSION_API_KEY.*FUSION_CREDENTIALS_FILE"):
        make()


@pytest.mark.parametrize("key", ["line\nbreak", "ключ", "\x00"])
def test_a_key_that_no_header_may_carry_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ValueError, match="characters that no HTTP header may carry") as caught:
        FusionClient(key)
    assert key not in str(caught.value)


def test_one_of_key_and_provider_is_given() -> None:
    with pytest.raises(ValueError, match="api_key or token_provider, not both"):
        FusionClient(KEY, token_provider=Key(KEY))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_use_is_refused(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    with pytest.raises(ValueError, match=r"others; run: chmod 600 .*credentials\.json"):
        FusionClient.from_settings(FusionSettings(credentials_file=key_file))


@pytest.mark.parametrize(
    ("content", "text"),
    {
        "key": "must hold",
        '{"key": "secret-key"}': "must hold",
        '["secret-key"]': "must hold",
        '{"api_key": 5}': "must be text",
        '{"api_key": ""}': "API key is required",
    }.items(),
)
def test_a_file_that_holds_something_else_is_refused(key_file: Path, content: str, text: str) -> None:
    key_file.write_text(content)
    with pytest.raises(ValueError, match=text) as caught:
        FusionClient.from_settings(FusionSettings(credentials_file=key_file))
    assert "secret-key" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"missing\.json cannot be read: No such file"):
        FusionClient.from_settings(FusionSettings(credentials_file=tmp_path / "missing.json"))


def test_a_file_is_found_from_the_home_folder(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(key_file.parent))
    FusionClient.from_settings(FusionSettings(credentials_file=Path("~", key_file.name)))


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        "API_KEY": KEY,
        "BASE_URL": "http://fusion.example/v2",
        "TIMEOUT": "5",
        "MAX_RETRIES": "1",
        "RATE_LIMIT": "10",
        "ENABLE_CACHE": "false",
        "CACHE_SIZE": "7",
        "CACHE_TTL": "8",
        "ENABLE_TRACING": "false",
    }
    for name, value in told.items():
        monkeypatch.setenv(f"FUSION_{name}", value)
    settings = FusionSettings()
    assert settings.api_key == SecretStr(KEY)
    assert KEY not in repr(settings)
    client = FusionClient.from_settings()
    assert client._session.channel.base_url == "http://fusion.example/v2"
    assert client._session.channel.timeout.read == 5.0
    assert client._session.retries.most == 1
    assert client._session.cache is None
    assert FusionClient.from_settings(max_retries=4)._session.retries.most == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [("TIMEOUT", "0"), ("TIMEOUT", "inf"), ("MAX_RETRIES", "-1"), ("RATE_LIMIT", "0"), ("CACHE_SIZE", "0")],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUSION_API_KEY", KEY)
    monkeypatch.setenv(f"FUSION_{name}", value)
    with pytest.raises(ValueError, match=name.lower()) as caught:
        FusionClient.from_settings()
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("url", ["fusion.example", "ftp://fusion.example", "http://", "http://a:b", ""])
def test_a_base_url_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        FusionClient(KEY, base_url=url)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("timeout", 0), ("max_retries", -1), ("rate_limit", 0), ("cache_size", 0), ("cache_ttl", 0)],
        *[("timeout", "30"), ("timeout", None), ("max_retries", "3"), ("rate_limit", 1.5), ("base_url", 5)],
    ],
)
def test_an_argument_that_cannot_be_used_is_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        FusionClient(KEY, **{name: value})  # type: ignore[arg-type]  # that is what is tested


@pytest.mark.parametrize(("url", "timeout"), [("fusion.example", 1), ("http://a:b", 1), ("http://fusion.example", 0)])
def test_an_argument_of_a_provider_that_cannot_be_used_is_named(url: str, timeout: float) -> None:
    with pytest.raises(ValueError, match=r"^(url|timeout) "):
        TokenProvider("client", "secret", url, timeout=timeout)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("SSL_CERT_FILE", "missing.pem", "SSL_CERT_FILE.*cannot be used: .*No such file"),
        ("HTTPS_PROXY", "http://user:secret@proxy:port", "HTTPS_PROXY.*is not a URL"),
    ],
)
def test_a_network_setting_that_cannot_be_used_is_named(
    name: str, value: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=text) as caught:
        FusionClient(KEY)
    assert "secret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("name", ["TIMEOUT", "RATE_LIMIT", "CREDENTIALS_FILE", "BASE_URL", "ENABLE_CACHE"])
def test_an_empty_setting_is_as_missing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"FUSION_{name}", "")
    assert FusionSettings() == FusionSettings.model_construct()


async def test_a_token_that_no_header_may_carry_is_refused_and_not_shown(emulator: Emulator) -> None:
    client = FusionClient(token_provider=Key(f"line\n{KEY}"), base_url=emulator.fusion_url)
    with pytest.raises(ValidationError, match="no HTTP header may carry") as caught:
        await client.list_agents()
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert not emulator.requests


def test_the_options_are_the_arguments_of_a_client() -> None:
    arguments = inspect.signature(FusionClient.__init__).parameters.keys() - {"self", "api_key"}
    assert arguments == ClientOptions.__annotations__.keys()


def test_both_clients_have_the_same_methods_with_the_same_arguments() -> None:
    def methods(kind: type) -> dict[str, list[str]]:
        return {
            name.replace("aclose", "close"): list(inspect.signature(one).parameters)
            for name, one in vars(kind).items()
            if inspect.isfunction(one) and not name.startswith("_")
        }

    assert methods(FusionClient) == methods(SyncFusionClient)


def test_a_provider_that_is_given_wins_over_settings() -> None:
    provider = Key("key-of-provider")
    client = FusionClient.from_settings(FusionSettings(api_key=SecretStr(KEY)), token_provider=provider)
    assert client._session.channel.auth._credentials is provider


def test_a_timeout_may_be_said_for_each_phase() -> None:
    timeout = httpx.Timeout(5, read=60)
    assert FusionClient(KEY, timeout=timeout)._session.channel.timeout is timeout


def test_a_wrong_key_is_told_as_such(start: StartEmulator, call: StartCaller) -> None:
    emulator = start(fusion_keys=("right",))
    with pytest.raises(AuthenticationError, match="check the API key"):
        call(emulator).ask("send_message", AGENT, "hello")
    assert len(emulator.requests) == 1
    assert call(emulator, api_key="right").ask("send_message", AGENT, "hello").text


async def test_a_client_that_was_given_stays_open(emulator: Emulator) -> None:
    async with httpx.AsyncClient() as http:
        async with FusionClient(KEY, base_url=emulator.fusion_url + "/", http_client=http) as client:
            await client.list_agents()
        assert not http.is_closed
    client = FusionClient(KEY, base_url=emulator.fusion_url)
    await client.aclose()
    assert client._connections.get().http.is_closed


def test_a_sync_client_can_be_closed_twice(emulator: Emulator) -> None:
    client = SyncFusionClient(KEY, base_url=emulator.fusion_url)
    client.close()
    client.close()
    with pytest.raises(RuntimeError):
        client.list_agents()
