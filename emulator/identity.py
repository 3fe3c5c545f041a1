"""The identity service: issues tokens for client credentials, and knows which of them still hold."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import jwt

from emulator import errors
from emulator.errors import RefusedError
from emulator.options import Options
from emulator.steps import Json


@dataclass(frozen=True, slots=True)
class Account:
    """Whose request it is. The rate limit counts per account."""

    realm: str
    client_id: str


class Identity:
    """Issues and checks access tokens. The real ones' claims are undocumented; only `exp` is relied on."""

    def __init__(self, options: Options, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self._key = secrets.token_hex(32)
        self._issued: dict[str, tuple[Account, float]] = {}

    def issue(self, realm: str, form: dict[str, str]) -> Json:
        """The body of a good token answer. Raises RefusedError when the form does not deserve one."""
        account = self._check(realm, form)
        token = self._token(account)
        self._issued[token] = (account, self._clock() + self._options.token_lifetime)
        answer: Json = {"access_token": token, "token_type": "Bearer"}
        if self._options.expires_in is not None:
            answer["expires_in"] = self._options.expires_in
        return answer

    def account(self, headers: dict[str, str]) -> Account:
        """Whose token the `authorization` header carries. Raises RefusedError (401) when it does not hold."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        account, end = self._issued.get(token, (None, 0.0))
        if account is None or scheme.lower() != "bearer" or self._clock() >= end:
            raise RefusedError(errors.UNAUTHORIZED)
        return account

    def revoke(self, headers: dict[str, str]) -> None:
        """Stop accepting the token of the `authorization` header."""
        self._issued.pop(headers.get("authorization", "").partition(" ")[2], None)

    def revoke_all(self, realm: str | None = None) -> None:
        """Stop accepting every token issued so far; with `realm`, those of its accounts."""
        for token, (account, _) in list(self._issued.items()):
            if realm in (None, account.realm):
                del self._issued[token]

    def _check(self, realm: str, form: dict[str, str]) -> Account:
        options = self._options
        if not form:
            raise RefusedError(errors.INVALID_REQUEST)
        if form.get("grant_type") != "client_credentials":
            raise RefusedError(errors.UNSUPPORTED_GRANT)
        if options.realm not in (None, realm):
            raise RefusedError(errors.UNKNOWN_REALM)
        client, secret = form.get("client_id", ""), form.get("client_secret", "")
        expected = (options.client_id or client, options.client_secret or secret)
        if not client or not secret or (client, secret) != expected:
            raise RefusedError(errors.INVALID_CLIENT)
        return Account(realm, client)

    def _token(self, account: Account) -> str:
        if self._options.opaque_tokens:
            return secrets.token_urlsafe(48)
        now = int(self._clock())
        claims = {
            "iss": f"/{account.realm}/oidc",
            "sub": account.client_id,
            "iat": now,
            "exp": now + int(self._options.token_lifetime),
            "jti": secrets.token_hex(16),
        }
        return jwt.encode(claims, self._key, algorithm="HS256")
