"""What signs a request: a key, or whatever gives tokens."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from fusion_client.errors import ValidationError


class Credentials(Protocol):
    """Gives what stands behind `Bearer`."""

    async def token(self) -> str:
        """The key or token to send now. Raises FusionError."""
        ...

    def refused(self, token: str) -> bool:
        """The service answered 401 to `token`: whether there may be another one."""
        ...


@dataclass(frozen=True, slots=True)
class Key:
    """An API key."""

    value: str = field(repr=False)

    async def token(self) -> str:
        """The key."""
        return self.value

    def refused(self, token: str) -> bool:  # noqa: ARG002  # as in the protocol
        """There is no other."""
        return False


class BearerAuth(httpx.Auth):
    """Sends the token; when it is refused with 401 and there may be another one, tries once more."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Called by httpx around each request."""
        token = await self._sign(request)
        response = yield request
        if response.status_code == 401 and self._credentials.refused(token):
            await self._sign(request)
            yield request

    async def _sign(self, request: httpx.Request) -> str:
        token = await self._credentials.token()
        request.headers["Authorization"] = f"Bearer {checked_secret('The token', token)}"
        return token


def secret_of(request: httpx.Request) -> str:
    """What `request` was signed with."""
    header: str = request.headers.get("Authorization", "")
    return header.removeprefix("Bearer ")


def checked_secret(name: str, value: str) -> str:
    """`value` without blanks around it, if a header may carry it. Raises ValidationError, which does not show it."""
    secret = value.strip()
    if not (secret.isascii() and secret.isprintable() and secret):
        raise ValidationError(f"{name} is empty or has characters that no HTTP header may carry.")
    return secret
