"""Sign-in: an `httpx.Auth` that sends a cached JWT, and the cache behind it.

A token is fresh, stale (60 s or less to live) or gone. A stale one is still used while a new one is fetched
beside the requests, so a failed early renewal harms nobody; when it is gone, everybody waits for one and the same
fetch. After a failure the identity service is left alone for a moment that grows with every failure in a row.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import math
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt

from custom_handler import metrics, tracing
from custom_handler.errors import (
    BridgeError,
    BrokenAnswerError,
    IdentityRefusedError,
    RateLimitedError,
    UnavailableError,
    UnreachableError,
)
from custom_handler.settings import Account, Connection
from custom_handler.transport import as_upstream_error

log = logging.getLogger("custom_handler.auth")

#: Seconds of life left at which a new token is fetched (half the life of a token that lives less than double).
_RENEW_BEFORE = 60.0
#: Lifetime in seconds when an answer tells none; StackSpot's tokens live 20 minutes.
_USUAL_LIFETIME = 1199.0
_LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and the clock times (seconds) at which it should be renewed and at which it ends."""

    value: str = field(repr=False)
    renew_at: float
    expires_at: float

    @classmethod
    def living(cls, value: str, lifetime: float, now: float) -> Token:
        """The token `value` that ends `lifetime` seconds after `now`."""
        return cls(value, now + lifetime - min(_RENEW_BEFORE, lifetime / 2), now + lifetime)


class TokenSource:
    """The token of one account.

    Args:
        client: sends the token request.
        connection: where the identity service is.
        account: who signs in.
        clock: seconds that never go back; a test brings its own.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        connection: Connection,
        account: Account,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._connection = connection
        self._account = account
        self._clock = clock
        self._token: Token | None = None
        self._fetching: asyncio.Task[Token] | None = None
        self._failure: BridgeError | None = None
        self._failures_in_a_row = 0
        self._pause_until = 0.0

    @property
    def realm(self) -> str:
        """The account that signs in."""
        return self._account.realm

    async def get(self) -> Token:
        """A token that is valid now.

        Raises:
            IdentityRefusedError: the credentials were refused.
            BridgeError: the identity service could not be reached, was too slow, or answered nonsense.
        """
        token, now = self._token, self._clock()
        if token is None or token.expires_at <= now:
            return await self._wait_for_fetch()
        if token.renew_at <= now and self._pause_until <= now:
            self._fetch_once()
        return token

    def discard(self, value: str) -> None:
        """Forget the token that was refused, unless a newer one is here already."""
        if self._token and self._token.value == value:
            self._token = None

    async def _wait_for_fetch(self) -> Token:
        if self._failure and self._fetching is None and self._clock() < self._pause_until:
            raise copy.copy(self._failure)
        # A waiter that is cancelled must not take the fetch of the others with it.
        return await asyncio.shield(self._fetch_once())

    def _fetch_once(self) -> asyncio.Task[Token]:
        if self._fetching is None:
            self._fetching = asyncio.get_running_loop().create_task(self._fetch())
            self._fetching.add_done_callback(self._fetched)
        return self._fetching

    def _fetched(self, task: asyncio.Task[Token]) -> None:
        self._fetching = None
        if task.cancelled():
            return
        error = task.exception()
        metrics.TOKEN_FETCHES.labels(self.realm, metrics.outcome_of(error)).inc()
        if error is None:
            self._token, self._failure, self._failures_in_a_row = task.result(), None, 0
            return
        self._failures_in_a_row += 1
        self._pause_until = self._clock() + min(2.0 ** (self._failures_in_a_row - 1), _LONGEST_PAUSE)
        # A copy has no traceback, which would keep the frames of everybody who waited.
        self._failure = copy.copy(error) if isinstance(error, BridgeError) else None
        log.error("No new token for realm %s: %s", self._account.realm, error)

    async def _fetch(self) -> Token:
        with tracing.span("token fetch", account=self.realm):
            return await self._ask()

    async def _ask(self) -> Token:
        realm = self._account.realm
        url = f"{self._connection.idm_url}/{realm}/oidc/oauth/token"
        form = {
            "grant_type": "client_credentials",
            "client_id": self._account.client_id,
            "client_secret": self._account.client_secret,
        }
        try:
            response = await self._client.post(url, data=form, headers={"Accept": "application/json"})
        except httpx.HTTPError as exc:
            raise as_upstream_error(exc, self._service) from exc
        self._check(response)
        token = self._read(response)
        log.info("Token fetched for realm %s, valid for %.0f s", realm, token.expires_at - self._clock())
        return token

    @property
    def _service(self) -> str:
        return f"The identity service at {urlsplit(self._connection.idm_url).netloc}"

    def _check(self, response: httpx.Response) -> None:
        status = response.status_code
        if status < 300:
            return
        if status < 400:
            raise UnreachableError(f"{self._service} answered with a redirect ({status}); check its address.")
        if status == 429:
            raise RateLimitedError(f"{self._service} takes no more requests for now (429).", retry_after=30)
        if status >= 500:
            raise UnavailableError(f"{self._service} is unavailable ({status}).")
        raise IdentityRefusedError(
            f"{self._service} refused the credentials of realm {self._account.realm!r} ({status}). "
            "Check the client id, the client secret, and that the realm is the account slug."
        )

    def _read(self, response: httpx.Response) -> Token:
        try:
            answer = response.json()
            value = answer["access_token"]
        except (ValueError, KeyError, TypeError, RecursionError) as exc:
            raise BrokenAnswerError(
                f"{self._service} answered without a token; a login page of a proxy in between would look like this."
            ) from exc
        if not isinstance(value, str) or not value:
            raise BrokenAnswerError(f"{self._service} answered with a token that is not text.")
        return Token.living(value, _lifetime(answer.get("expires_in"), value), self._clock())


def _lifetime(expires_in: Any, token: str) -> float:
    """Seconds: what the answer says, else the token's own `exp`, else the usual."""
    for seconds in (_seconds(expires_in), _seconds_to_exp(token)):
        if 0 < seconds < math.inf:
            return seconds
    return _USUAL_LIFETIME


def _seconds(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _seconds_to_exp(token: str) -> float:
    try:
        claims = jwt.decode(token, options={"verify_signature": False, "verify_exp": False})
    except jwt.InvalidTokenError:
        return math.nan
    return _seconds(claims.get("exp")) - time.time()


class BearerAuth(httpx.Auth):
    """Sends the account's token; when it is refused with 401, gets a new one and tries once more."""

    def __init__(self, tokens: TokenSource) -> None:
        self._tokens = tokens

    @property
    def realm(self) -> str:
        """The account that asks."""
        return self._tokens.realm

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Called by httpx around each request."""
        token = await self._tokens.get()
        request.headers["Authorization"] = f"Bearer {token.value}"
        response = yield request
        if response.status_code != 401:
            return
        self._tokens.discard(token.value)
        metrics.RETRIES.labels(IdentityRefusedError.code).inc()
        token = await self._tokens.get()
        request.headers["Authorization"] = f"Bearer {token.value}"
        yield request
