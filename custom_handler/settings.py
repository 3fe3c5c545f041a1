"""Every setting once: its name, what it is for, how it is read, and its default.

Values come from the environment, then from a file `.env` in the working directory. Nothing is read at import:
`read` looks a setting up when it is first needed and raises `SettingError` with the name and the purpose.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import urlsplit

from dotenv import dotenv_values

from custom_handler.errors import SettingError

T = TypeVar("T")

_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_agent_id(text: str) -> bool:
    """Whether `text` is a 26-character ULID, the form of StackSpot's agent ids."""
    return _ULID.fullmatch(text) is not None


def is_fusion_agent_id(text: str) -> bool:
    """Whether `text` is a UUID, the form of Fusion's agent ids."""
    return _UUID.fullmatch(text) is not None


def is_agent_id_behind(prefix: str, text: str) -> bool:
    """Whether `text` has the form of the ids behind `prefix`: of its service, or of any where it is another name."""
    forms = {"stackspot": is_agent_id, "fusion": is_fusion_agent_id}
    return any(is_one(text) for is_one in ([forms[prefix]] if prefix in forms else forms.values()))


def _word(text: str) -> str:
    if not re.fullmatch(r"\S+", text):
        raise ValueError("must not contain spaces")
    return text


def _slug(text: str) -> str:
    if not re.fullmatch(r"[\w.-]+", text):
        raise ValueError("must be the account slug shown beside the keys: letters, digits, '-', '_' and '.'")
    return text


def _agent_id(text: str) -> str:
    if not is_agent_id(text):
        raise ValueError("must be an agent id: 26 characters, such as 01ARZ3NDEKTSV4RRFFQ69G5FAV")
    return text


def _fusion_agent_id(text: str) -> str:
    if not is_fusion_agent_id(text):
        raise ValueError("must be an agent id: a UUID, such as 123e4567-e89b-12d3-a456-426614174000")
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a URL such as https://host.example.com")
    return text.rstrip("/")


def _optional_url(text: str) -> str:
    return _url(text) if text else ""


def _redis_url(text: str) -> str:
    if text and (urlsplit(text).scheme not in {"redis", "rediss"} or not urlsplit(text).hostname):
        raise ValueError("must be a URL such as redis://host.example.com:6379/0")
    return text


def _postgres_url(text: str) -> str:
    if text and urlsplit(text).scheme not in {"postgresql", "postgres"}:
        raise ValueError("must be a URL such as postgresql://user:password@host.example.com:5432/litellm")
    return text


def _hosts(text: str) -> frozenset[str]:
    hosts = frozenset(text.lower().replace(",", " ").split())
    if not all(re.fullmatch(r"[a-z0-9_.-]+(:\d{1,5})?", host) for host in hosts):
        raise ValueError("must be names of hosts with commas between them, such as images.example.com, cdn.example.com")
    return frozenset(host.removesuffix(":443") for host in hosts)  # as a URL has it, which does not name this port


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= 86_400:
        raise ValueError("must be a number of seconds above 0, at most 86400")
    return seconds


def whole_number(highest: int) -> Callable[[str], int]:
    """Reads a number from 1 on."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= highest:
            raise ValueError(f"must be a whole number from 1 to {highest}")
        return int(text)

    return parse


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError("must be a whole number, 0 or more")
    return int(text)


def _flag(text: str) -> bool:
    words = {
        "true": True,
        "1": True,
        "yes": True,
        "on": True,
        "false": False,
        "0": False,
        "no": False,
        "off": False,
    }
    if text.lower() not in words:
        raise ValueError("must be true or false")
    return words[text.lower()]


def _ca_file(text: str) -> Path | None:
    if not text:
        return None
    path = Path(text).expanduser()
    if not path.is_file():
        raise ValueError("must be the path of a readable PEM file")
    return path


def _file(text: str) -> Path | None:
    return Path(text).expanduser() if text else None


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"must be one of: {', '.join(choices)}")
        return text.lower()

    return parse


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One setting.

    Attributes:
        name: the environment variable.
        purpose: one clause, shown wherever the setting is at fault.
        parse: text to value; raises `ValueError` with a clause that follows the name.
        default: the text used when nothing is set; None means the setting is required.
        secret: never shown in full.
        short_name: a second, unprefixed variable that is read when `name` is not set.
    """

    name: str
    purpose: str
    parse: Callable[[str], T]
    default: str | None = None
    secret: bool = False
    short_name: str | None = None


CLIENT_ID = Setting("STACKSPOT_CLIENT_ID", "the client id of the account's access key", _word, short_name="CLIENT_ID")
CLIENT_SECRET = Setting(
    "STACKSPOT_CLIENT_SECRET",
    "the client secret of the account's access key",
    _word,
    secret=True,
    short_name="CLIENT_SECRET",
)
REALM = Setting("STACKSPOT_REALM", "the account slug shown beside the access key", _slug, short_name="REALM")
AGENT_ID = Setting(
    "STACKSPOT_GENAI_AGENT_ID",
    "the agent behind the model stackspot-chat",
    _agent_id,
    short_name="GENAI_AGENT_ID",
)
IDM_URL = Setting(
    "STACKSPOT_IDM_URL", "the identity service that issues tokens", _url, default="https://idm.stackspot.com"
)
INFERENCE_URL = Setting(
    "STACKSPOT_INFERENCE_URL",
    "the service that runs agents",
    _url,
    default="https://genai-inference-app.stackspot.com",
)
DATA_URL = Setting(
    "STACKSPOT_DATA_URL",
    "the service that takes file uploads",
    _url,
    default="https://data-integration-api.stackspot.com",
)
CA_BUNDLE = Setting(
    "STACKSPOT_CA_BUNDLE",
    "a PEM file of extra certificate authorities, added to the system's",
    _ca_file,
    default="",
)
CONNECT_TIMEOUT = Setting("STACKSPOT_CONNECT_TIMEOUT", "seconds to wait for a connection", _seconds, default="20")
READ_TIMEOUT = Setting(
    "STACKSPOT_READ_TIMEOUT", "seconds to wait for the next piece of an answer", _seconds, default="600"
)
KEYS_FILE = Setting("PROXY_KEYS_FILE", "a file with the keys of clients, read again when it changes", _file, default="")
KEYS = Setting("PROXY_KEYS", "the keys of clients, as the text of such a file", str, default="", secret=True)
DATABASE_URL = Setting(
    "DATABASE_URL", "the PostgreSQL in which LiteLLM keeps the keys of clients", _postgres_url, default="", secret=True
)
REQUIRE_CORRELATION_ID = Setting(
    "REQUIRE_CORRELATION_ID",
    "whether a request without a correlation-id header is refused",
    _flag,
    default="false",
)
CHECK_CHARS = Setting(
    "STACKSPOT_CHECK_CHARS",
    "characters up to which a call, or a value for response_format, is checked before it is sent; "
    "longer ones are streamed",
    _count,
    default="1000",
)
FOLLOW_UPS = Setting(
    "STACKSPOT_FOLLOW_UPS",
    "hidden questions to the agent when a call or value is missing or broken, at most so many an answer",
    _count,
    default="1",
)
FOLLOW_ANNOUNCEMENTS = Setting(
    "STACKSPOT_FOLLOW_ANNOUNCEMENTS",
    "whether an answer that only announces a call is followed up",
    _flag,
    default="true",
)
BROKEN_CALLS = Setting(
    "STACKSPOT_BROKEN_CALLS",
    "what becomes of a call that does not fit its tool's schema even after a follow-up",
    _one_of("text", "call"),
    default="text",
)
MAX_RPM = Setting(
    "STACKSPOT_MAX_RPM",
    "questions to the agents of an account that may begin in any minute; further ones wait",
    whole_number(1_000_000),
    default="90",
)
MAX_CONCURRENT = Setting(
    "STACKSPOT_MAX_CONCURRENT",
    "questions to the agents of an account that may be answered at once; further ones wait",
    whole_number(1_000_000),
    default="8",
)
MAX_WAIT = Setting(
    "STACKSPOT_MAX_WAIT",
    "seconds that a question may wait for the account's quota before it is refused",
    _seconds,
    default="600",
)
FUSION_API_KEY = Setting(
    "FUSION_API_KEY", "the key of the Fusion account, where models of Fusion are used", _word, secret=True
)
FUSION_AGENT_ID = Setting("FUSION_AGENT_ID", "the agent behind the model fusion-chat", _fusion_agent_id)
FUSION_BASE_URL = Setting(
    "FUSION_BASE_URL", "where Fusion is, with its version", _url, default="https://api.fusion.com/v1"
)
FUSION_TIMEOUT = Setting(
    "FUSION_TIMEOUT", "seconds to wait for the next piece of an answer of Fusion", _seconds, default="600"
)
FUSION_MAX_RPM = Setting(
    "FUSION_MAX_RPM",
    "questions to Fusion with one key that may begin in any minute; further ones wait",
    whole_number(1_000_000),
    default="90",
)
FUSION_MAX_CONCURRENT = Setting(
    "FUSION_MAX_CONCURRENT",
    "questions to Fusion with one key that may be answered at once; further ones wait",
    whole_number(1_000_000),
    default="8",
)
FUSION_MAX_WAIT = Setting(
    "FUSION_MAX_WAIT",
    "seconds that a question to Fusion may wait for its key's quota before it is refused",
    _seconds,
    default="600",
)
WORKERS = Setting("WORKERS", "the number of proxy processes", whole_number(64), default="1")
REDIS_URL = Setting(
    "REDIS_URL",
    "the Redis through which all workers and machines share quotas and conversations",
    _redis_url,
    default="",
)
CONVERSATIONS = Setting(
    "STACKSPOT_CONVERSATIONS",
    "whether a conversation with a correlation-id is remembered by the service (auto), or sent whole every time (off)",
    _one_of("auto", "off"),
    default="auto",
)
CONVERSATION_TTL = Setting(
    "STACKSPOT_CONVERSATION_TTL",
    "seconds after its last answer for which the service is relied on to remember a conversation",
    _seconds,
    default="3600",
)
OTLP_ENDPOINT = Setting(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "the OpenTelemetry collector that gets traces, over HTTP",
    _optional_url,
    default="",
)
FILE_HOSTS = Setting(
    "STACKSPOT_FILE_HOSTS",
    "the hosts from which images and files are fetched that a request names by their address",
    _hosts,
    default="",
)
LOG_LEVEL = Setting(
    "STACKSPOT_LOG_LEVEL",
    "the least severe message that is logged",
    _one_of("debug", "info", "warning", "error"),
    default="info",
)
LOG_FORMAT = Setting("STACKSPOT_LOG_FORMAT", "how log lines are written", _one_of("text", "json"), default="text")

ALL: tuple[Setting[Any], ...] = (
    CLIENT_ID,
    CLIENT_SECRET,
    REALM,
    AGENT_ID,
    IDM_URL,
    INFERENCE_URL,
    DATA_URL,
    CA_BUNDLE,
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    KEYS_FILE,
    KEYS,
    DATABASE_URL,
    REQUIRE_CORRELATION_ID,
    CHECK_CHARS,
    FOLLOW_UPS,
    FOLLOW_ANNOUNCEMENTS,
    BROKEN_CALLS,
    MAX_RPM,
    MAX_CONCURRENT,
    MAX_WAIT,
    FUSION_API_KEY,
    FUSION_AGENT_ID,
    FUSION_BASE_URL,
    FUSION_TIMEOUT,
    FUSION_MAX_RPM,
    FUSION_MAX_CONCURRENT,
    FUSION_MAX_WAIT,
    WORKERS,
    REDIS_URL,
    CONVERSATIONS,
    CONVERSATION_TTL,
    OTLP_ENDPOINT,
    FILE_HOSTS,
    LOG_LEVEL,
    LOG_FORMAT,
)


@dataclass(frozen=True, slots=True)
class Found:
    """The text of a setting and where it came from, such as `CLIENT_ID in .env` or `default`."""

    text: str
    origin: str


def _dotenv() -> Mapping[str, str | None]:
    try:
        modified = os.stat(".env").st_mtime_ns  # noqa: PTH116 # asked with every request, and pathlib is slow
    except OSError:
        return {}
    return _parse_dotenv(str(Path.cwd()), modified)


@lru_cache(maxsize=1)
def _parse_dotenv(folder: str, _modified: int) -> Mapping[str, str | None]:
    return dotenv_values(Path(folder, ".env"))


def find(setting: Setting[Any]) -> Found | None:
    """Look `setting` up: long name before short, environment before `.env`; empty counts as not set."""
    dotenv = _dotenv()
    for name in filter(None, (setting.name, setting.short_name)):
        in_environment, in_file = os.environ.get(name, "").strip(), (dotenv.get(name) or "").strip()
        # LiteLLM copies .env into the environment when it is imported: the same text came from the file.
        if in_environment and in_environment != in_file:
            return Found(in_environment, f"{name} in the environment")
        if in_file:
            return Found(in_file, f"{name} in .env")
    return None if setting.default is None else Found(setting.default, "default")


def read(setting: Setting[T]) -> T:
    """The value of `setting`.

    Raises:
        SettingError: it is required and not set, or its text cannot be read.
    """
    found = find(setting)
    if found is None:
        names = " or ".join(filter(None, (setting.name, setting.short_name)))
        raise SettingError(f"{names} is not set: {setting.purpose}. Set it in the environment or in .env.")
    try:
        return setting.parse(found.text)
    except ValueError as exc:
        raise SettingError(f"{setting.name} ({found.origin}) {exc}. It is {setting.purpose}.") from exc


@dataclass(frozen=True, slots=True)
class QuotaTerms:
    """A service's quota in its own words and settings.

    Attributes:
        service: its name.
        owner, short: what the account is called in an error and in the log, with `{}` for its name.
        per_minute, at_once, max_wait: how many questions may go, and how long one may wait.
    """

    service: str
    owner: str
    short: str
    per_minute: Setting[int]
    at_once: Setting[int]
    max_wait: Setting[float]


#: What an account must have to ask a service.
STACKSPOT_CREDENTIALS = (CLIENT_ID, CLIENT_SECRET, REALM)
FUSION_CREDENTIALS = (FUSION_API_KEY,)
STACKSPOT_QUOTA = QuotaTerms(
    "StackSpot", "the StackSpot account in realm {!r}", "realm {}", MAX_RPM, MAX_CONCURRENT, MAX_WAIT
)


FUSION_QUOTA = QuotaTerms(
    "Fusion", "the Fusion account {!r}", "account {}", FUSION_MAX_RPM, FUSION_MAX_CONCURRENT, FUSION_MAX_WAIT
)


class Owner(Protocol):
    """Whose a question is: an account of any service.

    Attributes:
        name: for messages, figures and spans.
        key: what tells it from all others, without a secret. It owns one quota, and its files and conversations.
    """

    @property
    def name(self) -> str: ...

    @property
    def key(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Account:
    """Credentials of one StackSpot account; an `Owner`."""

    realm: str
    client_id: str
    client_secret: str = field(repr=False)

    @property
    def name(self) -> str:
        """Its realm."""
        return self.realm

    @property
    def key(self) -> tuple[str, ...]:
        """`realm` and `client_id` together own one quota."""
        return self.realm, self.client_id


@dataclass(frozen=True, slots=True)
class FusionAccount:
    """Credentials of one Fusion account; an `Owner`.

    Attributes:
        name: `fusion`, or `fusion-` and the name that config.yaml gives it.
        key_setting: where the key comes from, for messages.
    """

    name: str
    base_url: str
    api_key: str = field(repr=False)
    key_setting: str = FUSION_API_KEY.name

    @property
    def key(self) -> tuple[str, ...]:
        """Where it is, and the hash of its key."""
        return self.base_url, hashlib.sha256(self.api_key.encode()).hexdigest()


class Network(Protocol):
    """How a service is reached: whom to trust besides the system's authorities, and timeouts in seconds."""

    @property
    def ca_bundle(self) -> Path | None: ...

    @property
    def connect_timeout(self) -> float: ...

    @property
    def read_timeout(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Connection:
    """Where StackSpot is and how long to wait for it (timeouts in seconds)."""

    idm_url: str
    inference_url: str
    data_url: str
    ca_bundle: Path | None
    connect_timeout: float
    read_timeout: float


@dataclass(frozen=True, slots=True)
class FusionConnection:
    """Where Fusion is and how long to wait for it (timeouts in seconds)."""

    base_url: str
    ca_bundle: Path | None
    connect_timeout: float
    read_timeout: float


@dataclass(frozen=True, slots=True)
class CallPolicy:
    """How calls are treated; each field is the setting of its name."""

    check_chars: int = 1000
    follow_ups: int = 1
    follow_announcements: bool = True
    broken_calls: str = "text"


def read_call_policy() -> CallPolicy:
    """How calls are treated."""
    return CallPolicy(read(CHECK_CHARS), read(FOLLOW_UPS), read(FOLLOW_ANNOUNCEMENTS), read(BROKEN_CALLS))


def of_account(setting: Setting[T], account: str | None) -> Setting[T]:
    """`setting` for a named account: account `team-b` reads STACKSPOT_TEAM_B_CLIENT_ID and so on."""
    if account is None:
        return setting
    infix = re.sub(r"\W", "_", account).upper()
    name = setting.name.replace("_", f"_{infix}_", 1)
    return Setting(name, f"{setting.purpose} {account!r}", setting.parse, secret=setting.secret)


def read_account(name: str | None = None) -> Account:
    """Credentials of the default account, or of one named in a model's `model_info`."""
    return Account(
        realm=read(of_account(REALM, name)),
        client_id=read(of_account(CLIENT_ID, name)),
        client_secret=read(of_account(CLIENT_SECRET, name)),
    )


def read_fusion_account(name: str | None = None) -> FusionAccount:
    """Credentials of the default account of Fusion, or of one named in a model's `model_info`."""
    setting = of_account(FUSION_API_KEY, name)
    label = "fusion" if name is None else f"fusion-{name}"
    return FusionAccount(label, read(FUSION_BASE_URL), read(setting), setting.name)


def read_fusion_connection() -> FusionConnection:
    """Fusion's address, and timeouts. The network is the same on the way to every service."""
    return FusionConnection(read(FUSION_BASE_URL), read(CA_BUNDLE), read(CONNECT_TIMEOUT), read(FUSION_TIMEOUT))


def read_connection() -> Connection:
    """The services' addresses and timeouts."""
    return Connection(
        idm_url=read(IDM_URL),
        inference_url=read(INFERENCE_URL),
        data_url=read(DATA_URL),
        ca_bundle=read(CA_BUNDLE),
        connect_timeout=read(CONNECT_TIMEOUT),
        read_timeout=read(READ_TIMEOUT),
    )
