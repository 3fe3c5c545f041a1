"""Tokens in place of a key, renewed before they end.

A token is fresh, stale (60 s or less to live) or gone. A stale one is still sent while a new one is fetched beside the
calls, so that a failure harms nobody yet; when it is gone, all calls wait for one and the same request.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from fusion_client.bearer import checked_secret
from fusion_client.checks import checked_seconds, checked_url
from fusion_client.errors import AuthenticationError, FusionError, ServerError
from fusion_client.failures import as_failure, as_network_failure

log = logging.getLogger("fusion_client")

_RENEW_BEFORE = 60.0  # seconds of life left; half the life of a token that lives less than double
_USUAL_LIFETIME = 300.0  # seconds, where the answer tells none
_PAUSE = 10.0  # seconds after a failure in which a stale token is simply used


@dataclass(frozen=True, slots=True)
class _Token:
    """renew_at, ends_at: seconds of the clock."""

    value: str = field(repr=False)
    renew_at: float
    ends_at: float


class TokenProvider:
    """Gets tokens by client id, and renews them: `FusionClient(token_provider=TokenProvider(…))`.

    It sends `POST {url}` with `{"client_id", "refresh_token"}` and reads `{"access_token", "expires_in"}` (inferred); a
    `refresh_token` in the answer replaces the old one. It may serve many clients; those of one event loop wait for the
    same request.

    Args:
        client_id, refresh_token: who asks.
        url: where tokens are had, such as https://api.fusion.com/v1/auth/refresh.
        timeout: seconds to wait for a connection, and for each next piece of the answer.
        http_client: sends the requests, and stays open; None makes one for each request.
        clock: seconds that never go back.

    Raises:
        ValueError: an argument cannot be used.
    """

    def __init__(
        self,
        client_id: str,
        refresh_token: str,
        url: str,
        *,
        timeout: float = 30.0,
        http_client: httpx.AsyncClient | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client_id = client_id
        self._refresh_token = refresh_token
        self._url = httpx.URL(checked_url("url", url))
        self._timeout = checked_seconds("timeout", timeout)
        self._http = http_client
        self._clock = clock
        self._token: _Token | None = None
        self._renewal: asyncio.Task[_Token] | None = None
        self._rest_until = 0.0

    async def token(self) -> str:
        """A token that holds now. Raises FusionError when none can be had."""
        token, now = self._token, self._clock()
        if token is None or now >= token.ends_at:
            token = await asyncio.shield(self._renewed())
        elif now >= token.renew_at and now >= self._rest_until:
            self._renewed()
        return token.value

    def refused(self, token: str) -> bool:
        """The service answered 401 to `token`: it is not sent again."""
        if self._token is not None and self._token.value == token:
            self._token = None
        return True

    def _renewed(self) -> asyncio.Task[_Token]:
        """The request that is on its way, or a new one. It goes on when those who wait for it are cancelled."""
        loop = asyncio.get_running_loop()
        if self._renewal is None or self._renewal.done() or self._renewal.get_loop() is not loop:
            self._renewal = loop.create_task(self._renew())
            self._renewal.add_done_callback(_look_at)
        return self._renewal

    async def _renew(self) -> _Token:
        try:
            self._token = await self._new_token()
        except FusionError as error:
            self._rest_until = self._clock() + _PAUSE
            log.warning("The token of Fusion could not be renewed: %s", error)
            raise
        return self._token

    async def _new_token(self) -> _Token:
        begun = self._clock()
        answer = await self._fetch()
        value, life = answer.get("access_token"), _seconds(answer.get("expires_in"))
        if isinstance(answer.get("refresh_token"), str):
            self._refresh_token = answer["refresh_token"]
        renew_at = begun + life - min(_RENEW_BEFORE, life / 2)
        return _Token(self._checked(value), renew_at, begun + life)

    def _checked(self, value: Any) -> str:
        try:
            return checked_secret("The access token", str(value or ""))
        except ValueError as exc:
            raise ServerError(f"Fusion at {self._url.host} answered without a token: {exc}", sent=False) from exc

    async def _fetch(self) -> dict[str, Any]:
        """The answer. Its failures are none of the call that waits for it, which was not sent."""
        try:
            response = await self._post()
        except httpx.HTTPError as exc:
            raise _unsent(as_network_failure(exc, self._url.host)) from exc
        if not response.is_success:
            raise _unsent(self._refusal(response))
        try:
            return dict(response.json())
        except (ValueError, TypeError, RecursionError) as exc:
            text = f"Fusion at {self._url.host} answered without a token; a login page would look like this."
            raise ServerError(text, sent=False) from exc

    async def _post(self) -> httpx.Response:
        if self._http is not None:
            return await self._post_with(self._http)
        async with httpx.AsyncClient() as http:
            return await self._post_with(http)

    async def _post_with(self, http: httpx.AsyncClient) -> httpx.Response:
        body = {"client_id": self._client_id, "refresh_token": self._refresh_token}
        return await http.post(self._url, json=body, timeout=self._timeout)

    def _refusal(self, response: httpx.Response) -> FusionError:
        status = response.status_code
        failure = as_failure(status, response.headers, response.content, secret=self._refresh_token)
        if status not in (400, 401, 403):
            return failure
        text = f"Fusion at {self._url.host} refused to renew the token ({status}). Check client id and refresh token."
        about = {"code": failure.code, "request_id": failure.request_id, "details": failure.details}
        return AuthenticationError(text, status=status, **about)


def _look_at(renewal: asyncio.Task[_Token]) -> None:
    """Perhaps nobody waits for it, and then asyncio would complain that nobody heard how it failed."""
    if not renewal.cancelled():
        renewal.exception()


def _unsent(error: FusionError) -> FusionError:
    error.sent = False
    return error


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        return _USUAL_LIFETIME
    return seconds if 0 < seconds < float("inf") else _USUAL_LIFETIME
