"""A question on its way to any service: in its turn, with its files, and again where nothing came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace

from custom_handler import tracing
from custom_handler.attachments import Attachment
from custom_handler.errors import ServiceQuotaError, UpstreamTimeoutError
from custom_handler.quota.tickets import Ticket
from custom_handler.quota.turns import Turns
from custom_handler.settings import Setting
from custom_handler.upstream.base import ConversationLostError, Piece, Query
from custom_handler.upstream.retry import TOO_LATE, retrying
from custom_handler.upstream.uploads import Uploads

#: Asks once, and gives what comes.
Ask = Callable[[Query], AsyncGenerator[Piece, None]]


def asked(query: Query, turns: Turns, ask: Ask, give_up_after: float = TOO_LATE) -> AsyncGenerator[Piece, None]:
    """What `Upstream.stream` gives, of a service that is asked once by `ask`. Each try waits for its turn."""
    ticket = turns.ticket(first=query.follow_up)
    each = tries(query)
    return retrying(lambda: _in_turn(turns, ticket, ask, next(each)), too_late=give_up_after)


async def _in_turn(turns: Turns, ticket: Ticket, ask: Ask, query: Query) -> AsyncGenerator[Piece, None]:
    """The answer. While the service refuses because of its quota, the question queues up again in its old place."""
    tracing.note(follow_up=query.follow_up, conversation=query.conversation_id is not None)
    while True:
        with suppress(ServiceQuotaError):  # it comes before any piece
            async with turns.turn(ticket), aclosing(ask(query)) as pieces:
                async for piece in pieces:
                    yield piece
            return


def tries(query: Query) -> Iterator[Query]:
    """What each try asks.

    Nobody knows whether the service took in what a first try said, so that a second would say it twice: the
    conversation is not used any more, and what depends on it is not asked. Where the service chooses the id, each try
    begins a conversation of its own.
    """
    yield query
    if query.continues:
        raise ConversationLostError("a try failed, and it is not known what the service took in of it")
    while True:
        yield replace(query, conversation_id=None if query.conversation_id else query.conversation_id)


async def upload(
    uploads: Uploads, files: Sequence[Attachment], service: str, seconds: float, setting: Setting[float]
) -> Sequence[str]:
    """The ids of `files`, asked for with each try: they may have ended since the last one.

    Args:
        seconds: that all of them may take, as `setting` says.
    """
    if not files:
        return ()
    try:
        async with asyncio.timeout(seconds):
            return await uploads.ids(files)
    except TimeoutError as exc:
        raise UpstreamTimeoutError(
            f"{service} did not take the files in time. {setting.name} sets how long it may take."
        ) from exc
