"""An agent that a test puts words into the mouth of, in the place of a service."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from custom_handler.upstream.base import Piece, Query


class Agent:
    """An upstream that gives what it was made with; an exception in it is raised at its place.

    A further list of pieces answers the next prompt, and so on.
    """

    def __init__(self, *pieces: Piece | Exception, then: Sequence[Sequence[Piece | Exception]] = ()) -> None:
        self.answers = [pieces, *then]
        self.queries: list[Query] = []
        self.closed = False

    @property
    def prompts(self) -> list[str]:
        """What it was asked."""
        return [query.prompt for query in self.queries]

    @property
    def files(self) -> list[list[str]]:
        """The names of the files that came with each prompt."""
        return [[file.name for file in query.files] for query in self.queries]

    async def stream(self, query: Query) -> AsyncGenerator[Piece, None]:
        """See `Upstream.stream`."""
        self.queries.append(query)
        try:
            for piece in self.answers.pop(0):
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.closed = True
