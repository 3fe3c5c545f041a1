"""The replies that tests have lined up: one queue for each kind of request."""

from collections import deque
from collections.abc import Iterable

from emulator.faults import TARGETS, Target
from emulator.reply import Reply


class Script:
    """Replies in the order in which they will be used; `always` is used when none is left."""

    def __init__(self, fault: str | None) -> None:
        self._always = Reply(fault=fault)
        # A deque's own methods, and copying it, are atomic: the test's thread adds while the server's takes.
        self._queues: dict[Target, deque[Reply]] = {target: deque() for target in TARGETS}

    def add(self, replies: Iterable[Reply]) -> None:
        """Line up `replies`; each says which kind of request it answers."""
        for reply in replies:
            self._queues[reply.target].append(reply)

    def next(self, target: Target, realm: str) -> Reply:
        """The reply to a request of this kind, of an account in `realm`."""
        queue = self._queues[target]
        for reply in list(queue):
            if reply.realm in (None, realm):
                queue.remove(reply)
                return reply
        return self._always if self._always.misbehaviour.hits == target else Reply()

    def waiting(self, realm: str) -> list[str | None]:
        """The faults of the replies for `realm` alone that are not used yet; None for a good one."""
        return [reply.fault for queue in self._queues.values() for reply in list(queue) if reply.realm == realm]

    def clear(self, realm: str | None = None) -> None:
        """Forget the replies not used yet; with `realm`, those for it alone."""
        for queue in self._queues.values():
            for reply in list(queue):
                if realm in (None, reply.realm):
                    queue.remove(reply)
