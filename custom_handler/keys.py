"""Who may use the proxy.

With a master key (LITELLM_MASTER_KEY) or a list of keys, every request needs one of them. Without any, the proxy serves
its own machine only. With a database, the keys are LiteLLM's, which checks what each may do; the master key stays ours.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from custom_handler import key_list, settings
from custom_handler.errors import KeyRefusedError, KeysUnavailableError
from custom_handler.key_list import Key
from custom_handler.local_only import is_local

if TYPE_CHECKING:
    from fastapi import Request
    from litellm.proxy._types import UserAPIKeyAuth

log = logging.getLogger("custom_handler.keys")

_HOW = "as 'Authorization: Bearer <key>' or 'x-api-key: <key>'"
#: Where the gate leaves the key that it let in, in the ASGI scope.
SCOPE = "custom_handler.key"


def presented(headers: Mapping[str, str]) -> str:
    """The key that a request brought, or an empty string; OpenAI's header goes before Anthropic's."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()


class Keys(Protocol):
    """The keys of a proxy.

    Attributes:
        in_database: whether LiteLLM manages them.
    """

    in_database: bool

    async def check(self, sent: str, scope: MutableMapping[str, Any]) -> Key:
        """The key behind a request.

        Args:
            sent: what `presented` found.
            scope: the ASGI scope of the request.

        Raises:
            KeyRefusedError: it is missing, wrong or expired, or there is none to check and the client is not local.
            KeysUnavailableError: nobody can say.
        """
        ...


class KeysOfSettings:
    """The master key, and the list of keys in the settings.

    Args:
        master_key: gives the master key, or None.
        listed: gives the list; None when there is none, which is not the same as an empty one.
        clock: the time, with its zone; a test brings its own.
    """

    in_database = False

    def __init__(
        self,
        master_key: Callable[[], str | None],
        listed: Callable[[], Sequence[Key] | None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._master_key, self._listed, self._clock = master_key, listed, clock

    async def check(self, sent: str, scope: MutableMapping[str, Any]) -> Key:
        """See `Keys`."""
        master_key, listed = self._master_key(), self._listed()
        if not master_key and listed is None:
            return _check_local(sent, scope)
        key = key_list.find(_digest(sent), (*_master(master_key), *(listed or ())))
        if key is None:
            raise _wrong()
        if key.expires is not None and key.expires <= self._clock():
            raise KeyRefusedError(f"This API key ({key.name}) has expired, on {key.expires.isoformat(' ', 'minutes')}.")
        return key


class KeysOfDatabase:
    """The master key, and the keys in LiteLLM's database.

    Args:
        master_key: gives the master key, or None.
        is_known: whether the database has a key, by its hash.
    """

    in_database = True

    def __init__(self, master_key: Callable[[], str | None], is_known: Callable[[str], Awaitable[bool]]) -> None:
        self._master_key, self._is_known = master_key, is_known

    async def check(self, sent: str, _scope: MutableMapping[str, Any]) -> Key:
        """See `Keys`. What a key may do, and whether it is still valid, LiteLLM checks when it gets the request."""
        digest = _digest(sent)
        master = key_list.find(digest, _master(self._master_key()))
        if master is None and not await self._is_known(digest.hex()):
            raise _wrong()
        return master or Key("in the database", digest)


async def is_in_database(hashed: str) -> bool:
    """Whether LiteLLM's database has a key with this hash (64 hexadecimal digits).

    Raises:
        KeysUnavailableError: it cannot be asked. LiteLLM would call the key wrong.
    """
    from litellm.proxy import proxy_server
    from litellm.proxy._types import ProxyErrorTypes, ProxyException
    from litellm.proxy.auth.auth_checks import get_key_object

    try:
        await get_key_object(hashed, proxy_server.prisma_client, proxy_server.user_api_key_cache)
    except Exception as exc:
        if isinstance(exc, ProxyException) and exc.type == ProxyErrorTypes.token_not_found_in_db:
            return False
        # One line: there is one for every request, as long as it lasts.
        log.error("The database with the keys does not answer: %s: %.200s", type(exc).__name__, exc)  # noqa: TRY400
        raise KeysUnavailableError(
            "This API key cannot be checked: the proxy's database does not answer. Try again later."
        ) from exc
    return True


def custom_auth() -> Callable[[Request, str], Awaitable[UserAPIKeyAuth]] | None:
    """What LiteLLM gets as its `custom_auth`; None with a database, so that it checks the keys there by itself."""
    return None if settings.read(settings.DATABASE_URL) else require_key


async def require_key(request: Request, api_key: str) -> UserAPIKeyAuth:
    """The identity behind a request. The gate has let it pass already; without one, the master key alone is known.

    Raises:
        litellm.proxy._types.ProxyException: the request may not pass, with status 401.
    """
    from litellm.proxy import proxy_server  # LiteLLM takes seconds to import, and the gate needs the rest alone
    from litellm.proxy._types import LitellmUserRoles, ProxyException, UserAPIKeyAuth

    try:
        alone = KeysOfSettings(lambda: proxy_server.master_key, lambda: None)
        key = request.scope.get(SCOPE) or await alone.check(api_key or "", request.scope)
    except KeyRefusedError as exc:
        raise ProxyException(exc.message, type=exc.type, param=None, code=exc.status) from exc
    # LiteLLM begins its span before it asks here, and would lose it.
    span = getattr(request.state, "parent_otel_span", None)
    # LiteLLM prints `api_key` in errors and logs. What a key may do, the gate has checked, on all endpoints alike.
    return UserAPIKeyAuth(
        api_key=key.hash, key_alias=key.name, user_role=LitellmUserRoles.INTERNAL_USER, parent_otel_span=span
    )


def _master(key: str | None) -> Sequence[Key]:
    return (Key("master key", key_list.digest(key), admin=True),) if key else ()


def _digest(sent: str) -> bytes:
    if not sent:
        raise KeyRefusedError(f"There is no API key in this request. Send the proxy's key, or one of yours, {_HOW}.")
    return key_list.digest(sent)


def _wrong() -> KeyRefusedError:
    return KeyRefusedError(
        f"This API key is wrong. Send the proxy's key (its LITELLM_MASTER_KEY), or one of yours, {_HOW}."
    )


def _check_local(sent: str, scope: MutableMapping[str, Any]) -> Key:
    if not is_local(scope):
        raise KeyRefusedError(
            "This proxy has no key and therefore serves programs on its own machine only. Set LITELLM_MASTER_KEY "
            f"where it runs, then send that key {_HOW}."
        )
    return Key("this machine", key_list.digest(sent), admin=True)
