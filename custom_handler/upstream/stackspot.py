"""StackSpot AI: one prompt in, a stream of text out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from custom_handler import tracing
from custom_handler.auth import BearerAuth
from custom_handler.quota.turns import Turns
from custom_handler.settings import READ_TIMEOUT, Connection
from custom_handler.transport import as_upstream_error, timeouts
from custom_handler.upstream.answer_reader import AnswerReader, drain, reads_of
from custom_handler.upstream.asking import asked, upload
from custom_handler.upstream.base import Delta, Piece, Query
from custom_handler.upstream.chat_request import DEFAULT_OPTIONS, AgentOptions, body
from custom_handler.upstream.coalesce import coalesce
from custom_handler.upstream.refusals import as_refusal
from custom_handler.upstream.retry import TOO_LATE
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
    give_up_after: float = TOO_LATE  # seconds, see `asked`

    def stream(self, query: Query) -> AsyncGenerator[Piece, None]:
        """See `Upstream.stream`."""
        return asked(query, self.turns, self._ask, self.give_up_after)

    async def _ask(self, query: Query) -> AsyncGenerator[Piece, None]:
        tracing.note(agent_id=self.agent_id, account=self.auth.realm)
        files = await upload(self.uploads, query.files, self._service, self.connection.read_timeout, READ_TIMEOUT)
        sent = body(query, files, self.options)
        async with self._answer(sent) as response, aclosing(coalesce(reads_of(response, self._service))) as reads:
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

    @asynccontextmanager
    async def _answer(self, sent: Mapping[str, Any]) -> AsyncIterator[httpx.Response]:
        url = f"{self.connection.inference_url}/v1/agent/{quote(self.agent_id, safe='')}/chat"
        headers = {"Accept": "text/event-stream"}
        timeout = timeouts(self.connection)
        try:
            async with self.client.stream(
                "POST", url, json=sent, headers=headers, auth=self.auth, timeout=timeout
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


async def _start_of(response: httpx.Response) -> bytes:
    body = b""
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _LONGEST_REFUSAL:
            break
    return body
