"""StackSpot AI: one prompt in, a stream of text out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from custom_handler import tracing
from custom_handler.attachments import Attachment
from custom_handler.auth import BearerAuth
from custom_handler.errors import ServiceQuotaError, UpstreamTimeoutError
from custom_handler.quota.tickets import Ticket
from custom_handler.quota.turns import Turns
from custom_handler.settings import READ_TIMEOUT, Connection
from custom_handler.transport import as_upstream_error, timeouts
from custom_handler.upstream.answer_reader import AnswerReader, drain, reads_of
from custom_handler.upstream.base import ConversationLostError, Delta, Piece, Query
from custom_handler.upstream.chat_request import DEFAULT_OPTIONS, AgentOptions, body
from custom_handler.upstream.coalesce import coalesce
from custom_handler.upstream.refusals import as_refusal
from custom_handler.upstream.retry import TOO_LATE, retrying
from custom_handler.upstream.uploads import Uploads

_LONGEST_REFUSAL = 65_536  # bytes of an error body that are worth reading


@dataclass(frozen=True, slots=True)
class StackspotAgent:
    """One agent, asked with one account; an `Upstream`."""

    client: httpx.AsyncClient
    connection: Connection
    auth: BearerAuth
    agent_id: str
    turns: Turns
    uploads: Uploads
    options: AgentOptions = DEFAULT_OPTIONS
    give_up_after: float = TOO_LATE  # seconds, see `retrying`

    def stream(self, query: Query) -> AsyncGenerator[Piece, None]:
        """See `Upstream.stream`. Each try waits for its turn."""
        ticket = self.turns.ticket(first=query.follow_up)
        tries = _tries(query)
        return retrying(lambda: self._ask_in_turn(next(tries), ticket), too_late=self.give_up_after)

    async def _ask_in_turn(self, query: Query, ticket: Ticket) -> AsyncGenerator[Piece, None]:
        """The answer. While the service refuses because of its quota, the question queues up again in its old place."""
        while True:
            with suppress(ServiceQuotaError):  # it comes before any piece
                async with self.turns.turn(ticket), aclosing(self._ask(query)) as pieces:
                    async for piece in pieces:
                        yield piece
                return

    async def _ask(self, query: Query) -> AsyncGenerator[Piece, None]:
        tracing.note(agent_id=self.agent_id, account=self.auth.realm)
        tracing.note(follow_up=query.follow_up, conversation=query.conversation_id is not None)
        asked = body(query, await self._upload(query.files), self.options)
        async with self._answer(asked) as response, aclosing(coalesce(reads_of(response, self._service))) as reads:
            reader = AnswerReader(self._service, self.connection.read_timeout)
            async for together in reads:
                try:
                    for read in together:
                        reader.read(read)
                finally:
                    if text := reader.take():  # also the text before an event that is an error
                        yield Delta(text)
                if reader.complete:
                    await drain(reads)
            if text := reader.end():
                yield Delta(text)
            report = reader.report
            tracing.note(prompt_tokens=report.prompt_tokens, completion_tokens=report.completion_tokens)
            yield report

    async def _upload(self, files: Sequence[Attachment]) -> Sequence[str]:
        """The ids of `files`, asked for with each try: they may have ended since the last one."""
        if not files:
            return ()
        try:
            async with asyncio.timeout(self.connection.read_timeout):
                return await self.uploads.ids(files)
        except TimeoutError as exc:
            raise UpstreamTimeoutError(
                f"{self._service} did not take the files in time. {READ_TIMEOUT.name} sets how long it may take."
            ) from exc

    @asynccontextmanager
    async def _answer(self, asked: Mapping[str, Any]) -> AsyncIterator[httpx.Response]:
        url = f"{self.connection.inference_url}/v1/agent/{quote(self.agent_id, safe='')}/chat"
        headers = {"Accept": "text/event-stream"}
        timeout = timeouts(self.connection)
        try:
            async with self.client.stream(
                "POST", url, json=asked, headers=headers, auth=self.auth, timeout=timeout
            ) as response:
                tracing.note(status=response.status_code)
                if response.status_code != 200:
                    raise as_refusal(response.status_code, response.headers, await _start_of(response), self.agent_id)
                yield response
        except httpx.HTTPError as exc:
            raise as_upstream_error(exc, self._service) from exc

    @property
    def _service(self) -> str:
        return f"StackSpot at {urlsplit(self.connection.inference_url).netloc}"


def _tries(query: Query) -> Iterator[Query]:
    """What each try asks.

    Nobody knows whether the service took in what a first try said, so that a second would say it twice: the
    conversation is not used any more, and what depends on it is not asked.
    """
    yield query
    if query.continues:
        raise ConversationLostError("a try failed, and it is not known what the service took in of it")
    while True:
        yield replace(query, conversation_id=None)


async def _start_of(response: httpx.Response) -> bytes:
    body = b""
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _LONGEST_REFUSAL:
            break
    return body
