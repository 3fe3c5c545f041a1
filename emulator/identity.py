"""The identity service: issues tokens for client credentials, and knows which of them still hold."""

import hashlib
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


FUSION_REALM = "fusion"
"""The realm of every account of Fusion, which has none of its own."""


def bearer(headers: dict[str, str]) -> str:
    """The token of the `authorization` header; "" when there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


class Identity:
    """Issues and checks access tokens. The real ones' claims are undocumented; only `exp` is relied on."""

    def __init__(self, options: Options, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self._key = secrets.token_hex(32)
        self._issued: dict[str, tuple[Account, float]] = {}

    def issue(self, realm: str, form: dict[str, str]) -> Json:
        """The body of a good token answer. Raises RefusedError when the form does not deserve one."""
        return self.issue_to(self._check(realm, form))

    def issue_to(self, account: Account) -> Json:
        """The body of a token answer for `account`, which has shown who it is."""
        token = self._token(account)
        self._issued[token] = (account, self._clock() + self._options.token_lifetime)
        answer: Json = {"access_token": token, "token_type": "Bearer"}
        if self._options.expires_in is not None:
            answer["expires_in"] = self._options.expires_in
        return answer

    def account(self, headers: dict[str, str]) -> Account:
        """Whose token the `authorization` header carries. Raises RefusedError (401) when it does not hold."""
        account = self._holder(bearer(headers))
        if account is None or account.realm == FUSION_REALM:
            raise RefusedError(errors.UNAUTHORIZED)
        return account

    def of_fusion(self, headers: dict[str, str]) -> Account:
        """Whose key the header carries, or whose token in place of one. Raises RefusedError (401)."""
        token = bearer(headers)
        account = self._holder(token) if token in self._issued else self._key_holder(token)
        if account is None or account.realm != FUSION_REALM:
            raise RefusedError(errors.UNAUTHORIZED)
        return account

    def revoke(self, headers: dict[str, str]) -> None:
        """Stop accepting the token of the `authorization` header."""
        self._end(bearer(headers))

    def revoke_all(self, realm: str | None = None) -> None:
        """Stop accepting every token issued so far; with `realm`, those of its accounts."""
        for token, (account, _) in list(self._issued.items()):
            if realm in (None, account.realm):
                self._end(token)

    def _holder(self, token: str) -> Account | None:
        account, end = self._issued.get(token, (None, 0.0))
        return account if self._clock() < end else None

    def _key_holder(self, key: str) -> Account | None:
        keys = self._options.fusion_keys
        if not key or (keys is not None and key not in keys):
            return None
        return Account(FUSION_REALM, hashlib.sha256(key.encode()).hexdigest()[:16])

    def _end(self, token: str) -> None:
        """A token that has ended stays known, or Fusion would take it for a key."""
        if token in self._issued:
            self._issued[token] = (self._issued[token][0], 0.0)

    def _check(self, realm: str, form: dict[str, str]) -> Account:
        options = self._options
        if not form:
            raise RefusedError(errors.INVALID_REQUEST)
        if form.get("grant_type") != "client_credentials":
            raise RefusedError(errors.UNSUPPORTED_GRANT)
        if options.realm not in (None, realm) or realm == FUSION_REALM:
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
