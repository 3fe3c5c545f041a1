"""Fusion: one message in, a stream of text out. The client library speaks the protocol; here is what the proxy adds."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from custom_handler import tracing
from custom_handler.errors import BrokenAnswerError
from custom_handler.quota.turns import Turns
from custom_handler.settings import FUSION_TIMEOUT, FusionAccount
from custom_handler.surrogates import mend
from custom_handler.upstream.asking import asked, upload
from custom_handler.upstream.base import Delta, Piece, Query, Report
from custom_handler.upstream.coalesce import coalesce
from custom_handler.upstream.fusion_errors import Place, as_ours
from custom_handler.upstream.retry import TOO_LATE
from custom_handler.upstream.uploads import Uploads
from fusion_client import FusionClient, NotFoundError, TokenStream


@dataclass(frozen=True, slots=True)
class FusionAgent:
    """One agent, asked with one account; an `Upstream`.

    Attributes:
        place: the service and the agent, for errors.
        read_timeout: seconds that the files of a question may take.
        folder: where new chats are filed.
    """

    client: FusionClient
    place: Place
    agent_id: str
    account: FusionAccount
    turns: Turns
    uploads: Uploads
    read_timeout: float
    give_up_after: float = TOO_LATE  # seconds, see `asked`
    folder: str | None = None

    def stream(self, query: Query) -> AsyncGenerator[Piece, None]:
        """See `Upstream.stream`."""
        return asked(query, self.turns, self._ask, self.give_up_after)

    async def _ask(self, query: Query) -> AsyncGenerator[Piece, None]:
        tracing.note(agent_id=self.agent_id, account=self.account.name)
        files = await upload(self.uploads, query.files, self.place.service, self.read_timeout, FUSION_TIMEOUT)
        some_text = False
        with as_ours(self.place):
            tokens = await self._tokens(query, files)
            tracing.note(status=200)
            async with tokens, aclosing(coalesce(_read(tokens))) as reads:
                async for together in reads:
                    some_text = True
                    yield Delta("".join(together))
            if not (some_text or tokens.ended):
                raise BrokenAnswerError(f"{self.place.service} closed the answer before it began.")
            yield _report(tokens)

    async def _tokens(self, query: Query, files: Sequence[str]) -> TokenStream:
        chat_id = query.conversation_id or None
        try:
            return await self.client.send_message(
                self.agent_id, mend(query.prompt), chat_id, files, stream=True, folder=self.folder
            )
        except NotFoundError:  # how long Fusion keeps a file is not known
            await self.uploads.forget(query.files)
            raise


def _report(tokens: TokenStream) -> Report:
    """Fusion counts no tokens, and gives no reason for an end; one that it did not tell may be a cut."""
    return Report(stop_reason="stop", conversation_id=tokens.chat_id) if tokens.ended else Report()


async def _read(tokens: TokenStream) -> AsyncGenerator[str, None]:
    async for token in tokens:
        if token:
            yield token
