"""The replies that tests have lined up: one queue for chat requests, one for token requests."""

from collections import deque
from collections.abc import Iterable

from emulator.reply import Reply


class Script:
    """Replies in the order in which they will be used; `always` is used when none is left."""

    def __init__(self, fault: str | None) -> None:
        self._always = Reply(fault=fault)
        # A deque's own methods, and copying it, are atomic: the test's thread adds while the server's takes.
        self._chat: deque[Reply] = deque()
        self._token: deque[Reply] = deque()

    def add(self, replies: Iterable[Reply]) -> None:
        """Line up `replies`; those with an identity fault answer token requests."""
        for reply in replies:
            (self._token if reply.misbehaviour.identity else self._chat).append(reply)

    def next_chat(self, realm: str) -> Reply:
        """The reply to a chat request of an account in `realm`."""
        return self._next(self._chat, realm, identity=False)

    def next_token(self, realm: str) -> Reply:
        """The reply to a token request of an account in `realm`."""
        return self._next(self._token, realm, identity=True)

    def waiting(self, realm: str) -> int:
        """How many replies for `realm` alone are not used yet."""
        return sum(reply.realm == realm for queue in (self._chat, self._token) for reply in list(queue))

    def clear(self, realm: str | None = None) -> None:
        """Forget the replies not used yet; with `realm`, those for it alone."""
        for queue in (self._chat, self._token):
            for reply in list(queue):
                if realm in (None, reply.realm):
                    queue.remove(reply)

    def _next(self, queue: deque[Reply], realm: str, *, identity: bool) -> Reply:
        for reply in list(queue):
            if reply.realm in (None, realm):
                queue.remove(reply)
                return reply
        return self._always if self._always.misbehaviour.identity is identity else Reply()
