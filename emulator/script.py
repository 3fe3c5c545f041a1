"""The replies that tests have lined up: one queue for chat requests, one for token requests."""

from collections import deque
from collections.abc import Iterable

from emulator.reply import Reply


class Script:
    """Replies in the order in which they will be used; `always` is used when none is left."""

    def __init__(self, fault: str | None) -> None:
        self._always = Reply(fault=fault)
        # deque's append and popleft are atomic: the test's thread adds while the server's takes.
        self._chat: deque[Reply] = deque()
        self._token: deque[Reply] = deque()

    def add(self, replies: Iterable[Reply]) -> None:
        """Line up `replies`; those with an identity fault answer token requests."""
        for reply in replies:
            (self._token if reply.misbehaviour.identity else self._chat).append(reply)

    def next_chat(self) -> Reply:
        """The reply to a chat request."""
        return self._next(self._chat, identity=False)

    def next_token(self) -> Reply:
        """The reply to a token request."""
        return self._next(self._token, identity=True)

    def clear(self) -> None:
        """Forget the replies not used yet."""
        self._chat.clear()
        self._token.clear()

    def _next(self, queue: deque[Reply], *, identity: bool) -> Reply:
        if queue:
            return queue.popleft()
        return self._always if self._always.misbehaviour.identity is identity else Reply()
