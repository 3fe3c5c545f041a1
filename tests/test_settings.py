"""Settings: where they come from, which name wins, and what is said when one is wrong."""

from pathlib import Path

import pytest

from custom_handler import settings
from custom_handler.errors import SettingError

ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def test_the_prefixed_name_wins_over_the_short_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENT_ID", "short")
    assert settings.read(settings.CLIENT_ID) == "short"
    monkeypatch.setenv("STACKSPOT_CLIENT_ID", "long")
    assert settings.read(settings.CLIENT_ID) == "long"


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("STACKSPOT_REALM=from-file\n")
    assert settings.find(settings.REALM) == settings.Found("from-file", "STACKSPOT_REALM in .env")
    monkeypatch.setenv("STACKSPOT_REALM", "from-environment")
    assert settings.find(settings.REALM) == settings.Found("from-environment", "STACKSPOT_REALM in the environment")


def test_a_changed_file_is_read_again() -> None:
    Path(".env").write_text("REALM=first\n")
    assert settings.read(settings.REALM) == "first"
    Path(".env").write_text("REALM=second-one\n")
    assert settings.read(settings.REALM) == "second-one"


def test_what_litellm_copied_from_the_file_still_comes_from_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("REALM=same\n")
    monkeypatch.setenv("REALM", "same")
    assert settings.find(settings.REALM) == settings.Found("same", "REALM in .env")


def test_an_empty_value_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOT_IDM_URL", " ")
    assert settings.find(settings.IDM_URL) == settings.Found("https://idm.stackspot.com", "default")


def test_a_missing_setting_is_named_with_its_purpose() -> None:
    with pytest.raises(SettingError) as error:
        settings.read(settings.CLIENT_SECRET)
    assert error.value.message == (
        "STACKSPOT_CLIENT_SECRET or CLIENT_SECRET is not set: the client secret of the account's access key. "
        "Set it in the environment or in .env."
    )


@pytest.mark.parametrize(
    ("setting", "text", "value"),
    [
        (settings.CLIENT_ID, "abc", "abc"),
        (settings.REALM, "my-bank.v2", "my-bank.v2"),
        (settings.AGENT_ID, ULID, ULID),
        (settings.AGENT_ID, ULID.lower(), ULID.lower()),
        (settings.IDM_URL, "https://idm.example.com/", "https://idm.example.com"),
        (settings.READ_TIMEOUT, "1.5", 1.5),
        (settings.REQUIRE_CORRELATION_ID, "True", True),
        (settings.REQUIRE_CORRELATION_ID, "0", False),
        (settings.LOG_FORMAT, "JSON", "json"),
        (settings.CA_BUNDLE, "", None),
        (settings.KEYS_FILE, "", None),
        (settings.KEYS_FILE, "/etc/keys.yaml", Path("/etc/keys.yaml")),
        (settings.DATABASE_URL, "postgres://u:p@h/d", "postgres://u:p@h/d"),
        (settings.FILE_HOSTS, "", frozenset()),
        (settings.FILE_HOSTS, "a.example, CDN.example:8443", frozenset({"a.example", "cdn.example:8443"})),
        (settings.FILE_HOSTS, "a.example:443", frozenset({"a.example"})),
    ],
)
def test_well_formed_values_are_read(
    setting: settings.Setting[object], text: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(setting.name, text)
    assert settings.read(setting) == value


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        (settings.CLIENT_ID, "a b"),
        (settings.REALM, "https://my-bank"),
        (settings.AGENT_ID, "my-agent"),
        (settings.AGENT_ID, "9" * 26),
        (settings.IDM_URL, "idm.example.com"),
        (settings.IDM_URL, "ftp://idm.example.com"),
        (settings.READ_TIMEOUT, "soon"),
        (settings.READ_TIMEOUT, "0"),
        (settings.CONNECT_TIMEOUT, "nan"),
        (settings.REQUIRE_CORRELATION_ID, "maybe"),
        (settings.LOG_LEVEL, "loud"),
        (settings.CA_BUNDLE, "no/such/file.pem"),
        (settings.DATABASE_URL, "mysql://u:p@h/d"),
        (settings.FILE_HOSTS, "https://a.example"),
        (settings.FILE_HOSTS, "*.example"),
        (settings.FILE_HOSTS, "a.example/b"),
    ],
)
def test_a_malformed_value_is_named_with_where_it_came_from_and_its_purpose(
    setting: settings.Setting[object], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(setting.name, text)
    with pytest.raises(SettingError) as error:
        settings.read(setting)
    assert error.value.message.startswith(f"{setting.name} ({setting.name} in the environment) must ")
    assert error.value.message.endswith(f"It is {setting.purpose}.")


def test_a_secret_that_is_malformed_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENT_SECRET", "top secret")
    with pytest.raises(SettingError) as error:
        settings.read(settings.CLIENT_SECRET)
    assert "top" not in error.value.message


def test_a_named_account_has_settings_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REALM", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"STACKSPOT_TEAM_B_{name}", f"b-{name}")
        monkeypatch.setenv(name, f"default-{name}")
    assert settings.read_account("team-b") == settings.Account("b-REALM", "b-CLIENT_ID", "b-CLIENT_SECRET")
    assert settings.read_account().realm == "default-REALM"
    assert "b-CLIENT_SECRET" not in repr(settings.read_account("team-b"))


def test_a_named_account_without_settings_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REALM", "default")
    with pytest.raises(SettingError, match=r"STACKSPOT_TEAM_B_REALM is not set: .* 'team-b'\."):
        settings.read_account("team-b")


def test_every_name_stands_once() -> None:
    names = [setting.name for setting in settings.ALL]
    assert len(names) == len(set(names))
