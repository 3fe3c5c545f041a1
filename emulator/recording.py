"""What the emulator saw: every request, and how it went. Shared by the server's thread and the test's."""

import asyncio
import re
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

KEPT = 10_000
"""Requests remembered at most; the oldest are forgotten, so that a long run does not fill the memory."""

FUSION = "/fusion/v1"
"""Where Fusion's endpoints begin."""

_KINDS = {
    "chat": re.compile(rf"/v1/agent/[^/]+/chat|{FUSION}/chat(/(?P<chat_id>[^/]+)/message)?"),
    "token": re.compile(rf"/[^/]+/oidc/oauth/token|{FUSION}/auth/refresh"),
    "form": re.compile(r"/v2/file-upload/form"),
}

SECRET_FIELDS = ("client_secret", "refresh_token")
SECRET_HEADERS = ("authorization",)


@dataclass(slots=True, eq=False)
class Recorded:
    """One request as it came, and what became of it.

    headers: names in lower case. json: the parsed body, None when it is not JSON. form: the parsed body of a
    form-encoded request. kind: chat, token or form, of either service; None for any other. chat_id: the chat of Fusion
    that it goes on with, or that it began once it was taken. realm, client_id: whose token it carried, or asked for.
    status: of the answer, None before the first byte. frames: chunks of the body sent
    so far. finished: the answer was sent to its end. disconnected: the client went away before. dropped: the emulator
    closed the connection, by a fault.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    _changed: threading.Condition
    kind: str | None = None
    chat_id: str | None = None
    json: Any = None
    form: dict[str, str] = field(default_factory=dict)
    realm: str | None = None
    client_id: str | None = None
    status: int | None = None
    frames: int = 0
    finished: bool = False
    disconnected: bool = False
    dropped: bool = False
    _gate: "Future[None] | None" = None

    def update(self, **values: Any) -> None:
        """Set fields and wake everybody who waits for a condition."""
        with self._changed:
            for name, value in values.items():
                setattr(self, name, value)
            self._changed.notify_all()

    @property
    def fusion(self) -> bool:
        """Whether it was sent to Fusion."""
        return self.path.startswith(FUSION + "/")

    @property
    def held(self) -> bool:
        """True while the answer waits for `release`."""
        return self._gate is not None

    @property
    def outcome(self) -> str:
        """How the request ended, in a word."""
        flags = ("finished", "disconnected", "dropped")
        return next((flag for flag in flags if getattr(self, flag)), "open")

    def release(self) -> None:
        """Let a held answer go on. Does nothing when it is not held."""
        with self._changed:
            gate, self._gate = self._gate, None
            if gate is not None:
                gate.set_result(None)
            self._changed.notify_all()

    async def hold(self) -> None:
        """Wait, in the server, for `release`."""
        gate: Future[None] = Future()
        self.update(_gate=gate)
        try:
            # The shield keeps a cancelled wait from cancelling the gate, which `release` may be setting.
            await asyncio.shield(asyncio.wrap_future(gate))
        finally:
            self.update(_gate=None)

    def public(self) -> dict[str, Any]:
        """The record as JSON for other processes, with secrets and tokens masked."""
        names = ("method", "path", "query", "chat_id", "realm", "client_id", "status", "frames")
        flags = ("finished", "disconnected", "dropped", "held")
        return {
            **{name: getattr(self, name) for name in (*names, *flags)},
            "headers": _masked(self.headers, SECRET_HEADERS),
            "json": _masked(self.json, SECRET_FIELDS) if isinstance(self.json, dict) else self.json,
            "form": _masked(self.form, SECRET_FIELDS),
        }


class Recorder:
    """The list of recorded requests, oldest first."""

    def __init__(self) -> None:
        # Reentrant, so that a condition given to `wait_for` may read the list.
        self.changed = threading.Condition(threading.RLock())
        self._requests: deque[Recorded] = deque(maxlen=KEPT)

    def add(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Recorded:
        """Record a request that has come in whole."""
        record = Recorded(method, path, query, headers, body, self.changed, *_read(method, path))
        with self.changed:
            self._requests.append(record)
            self.changed.notify_all()
        return record

    @property
    def requests(self) -> list[Recorded]:
        """A copy of the list."""
        with self.changed:
            return list(self._requests)

    def wait_for(self, condition: Callable[[], bool], timeout: float) -> None:
        """Wait until `condition()` is true; it is asked again whenever something changed.

        Raises TimeoutError, telling what was recorded, after `timeout` seconds.
        """
        with self.changed:
            if not self.changed.wait_for(condition, timeout):
                raise TimeoutError(f"not true within {timeout} s; recorded: {self._summary()}")

    def release(self) -> int:
        """Let every held answer go on; returns how many there were."""
        with self.changed:
            held = [record for record in self._requests if record.held]
            for record in held:
                record.release()
            return len(held)

    def clear(self, realm: str | None = None) -> None:
        """Forget all requests, or those of `realm`; held ones are released, since nobody could reach them any more."""
        with self.changed:
            for record in self.requests:
                if realm in (None, record.realm):
                    record.release()
                    self._requests.remove(record)
            self.changed.notify_all()

    def _summary(self) -> str:
        return "; ".join(f"{r.method} {r.path} -> {r.status}" for r in self._requests) or "nothing"


def _read(method: str, path: str) -> tuple[str | None, str | None]:
    """The kind of a request, and the chat of Fusion that it names."""
    for kind, form in _KINDS.items():
        if method == "POST" and (found := form.fullmatch(path)):
            return kind, found.groupdict().get("chat_id")
    return None, None


def _masked(values: dict[str, Any], secret: tuple[str, ...]) -> dict[str, Any]:
    return {name: "***" if name in secret else value for name, value in values.items()}
