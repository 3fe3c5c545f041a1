"""StackSpot AI: one prompt in, a stream of text out."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from httpx_sse import ServerSentEvent

from custom_handler import tracing
from custom_handler.attachments import Attachment
from custom_handler.auth import BearerAuth
from custom_handler.errors import BrokenAnswerError, ServiceQuotaError, UpstreamTimeoutError
from custom_handler.quota.tickets import Ticket
from custom_handler.quota.turns import Turns
from custom_handler.settings import READ_TIMEOUT, Connection
from custom_handler.surrogates import SurrogateJoiner, mend
from custom_handler.transport import as_upstream_error, timeouts
from custom_handler.upstream import frames
from custom_handler.upstream.base import ConversationLostError, Delta, Piece, Query, Report
from custom_handler.upstream.coalesce import coalesce
from custom_handler.upstream.refusals import as_refusal
from custom_handler.upstream.retry import TOO_LATE, retrying
from custom_handler.upstream.sse import EventReader
from custom_handler.upstream.uploads import Uploads

log = logging.getLogger("custom_handler.upstream")


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """What an agent is asked with, beside the question; as its entry in config.yaml says.

    Attributes:
        knowledge_sources: ids of knowledge sources that it consults.
        deep_search: whether it searches them more thoroughly.
        version: of the agent; None for its newest.
        selected_model: one of the agent's models; None for its default.
    """

    knowledge_sources: tuple[str, ...] = ()
    deep_search: bool = False
    version: int | None = None
    selected_model: str | None = None


DEFAULT_OPTIONS = AgentOptions()

_DRAIN_TIME = 0.05  # seconds
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
        body = _body(query, await self._upload(query.files), self.options)
        async with self._answer(body) as response, aclosing(coalesce(_reads(response, self._service))) as reads:
            reader = _Reader(self._service, self.connection.read_timeout)
            async for together in reads:
                try:
                    for read in together:
                        reader.read(read)
                finally:
                    if text := reader.take():  # also the text before an event that is an error
                        yield Delta(text)
                if reader.complete:
                    await _drain(reads)
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
    async def _answer(self, body: Mapping[str, Any]) -> AsyncIterator[httpx.Response]:
        url = f"{self.connection.inference_url}/v1/agent/{quote(self.agent_id, safe='')}/chat"
        headers = {"Accept": "text/event-stream"}
        timeout = timeouts(self.connection)
        try:
            async with self.client.stream(
                "POST", url, json=body, headers=headers, auth=self.auth, timeout=timeout
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


def _body(query: Query, upload_ids: Sequence[str], options: AgentOptions) -> dict[str, Any]:
    sources = list(options.knowledge_sources)
    optional = {
        "use_conversation": query.conversation_id is not None,
        "conversation_id": query.conversation_id,
        "upload_ids": list(upload_ids),
        "knowledge_source_ids": sources,  # clients disagree on the name; what the service does not know, it ignores
        "knowledge_sources": sources,
        "deep_search_ks": options.deep_search,
        "agent_version_number": options.version,
        "selected_model": options.selected_model,
    }
    return {
        "user_prompt": mend(query.prompt),
        "streaming": True,  # an answer in one piece is cut off after about 120 s
        "stackspot_knowledge": False,  # true attaches sources that nobody asked for
        "return_ks_in_response": bool(sources) or options.deep_search,
        **{name: value for name, value in optional.items() if value},
    }


async def _start_of(response: httpx.Response) -> bytes:
    body = b""
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _LONGEST_REFUSAL:
            break
    return body


@dataclass(frozen=True, slots=True)
class _Read:
    """The events of one read of the socket, and when they came: they may wait long for a client that reads slowly."""

    events: Sequence[ServerSentEvent]
    came: float = field(default_factory=time.monotonic)


async def _reads(response: httpx.Response, service: str) -> AsyncGenerator[_Read, None]:
    """The events of an answer, those of one read of the socket at a time."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text/html":
        raise BrokenAnswerError(
            f"{service} answered with a web page; a login page of a proxy in between would look like this."
        )
    if kind == "application/json":
        yield _Read([ServerSentEvent(data=(await response.aread()).decode("utf-8", "replace"))])
        return
    reader = EventReader()
    async for data in response.aiter_bytes():
        yield _Read(reader.feed(data))
    yield _Read(reader.flush())


async def _drain(reads: AsyncGenerator[Any, None]) -> None:
    """Read the stream's end behind the final frame, so that its connection can be used again.

    As a rule it is there already. The answer is complete, so what goes wrong now is no error of it.
    """
    with suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(_DRAIN_TIME):
            async for _ in reads:
                pass


class _Reader:
    """Folds the events of one answer: text to pass on, and the report at the end."""

    def __init__(self, service: str, patience: float) -> None:
        self.report = Report()
        self._service = service
        self._patience = patience
        self._joiner = SurrogateJoiner()
        self._ready = ""
        self._last_progress = time.monotonic()
        self._empty = True

    @property
    def complete(self) -> bool:
        """Whether the service said that it is done; it may keep the connection open all the same."""
        return self.report.stop_reason is not None

    def read(self, read: _Read) -> None:
        """Read events that came together.

        Raises:
            BrokenAnswerError: one of them reports an error or cannot be read; the text before it is kept.
            UpstreamTimeoutError: events come, but for too long none of them has had text.
        """
        for event in read.events:
            if frames.is_noise(event.data):
                _log_noise(event.data)
                continue
            frame = frames.read(event.event, event.data)
            self.report = frames.merge(self.report, frame.report)
            self._ready += self._joiner.feed(frame.text)
            self._note_progress(frame.text, read.came)

    def take(self) -> str:
        """The text that can be passed on since the last time."""
        text, self._ready = self._ready, ""
        log.debug("delta %r", text)
        return text

    def end(self) -> str:
        """What was held back.

        Raises:
            BrokenAnswerError: the service closed an answer that had not even begun.
        """
        if self._empty and replace(self.report, sources=()) == Report():
            raise BrokenAnswerError(f"{self._service} closed the answer before it began.")
        return self._joiner.flush()

    def _note_progress(self, text: str, came: float) -> None:
        if text:
            self._empty, self._last_progress = False, came
        elif came - self._last_progress > self._patience:
            raise UpstreamTimeoutError(f"{self._service} sent only empty events for {self._patience:g} s.")


def _log_noise(data: str) -> None:
    if data.strip() != "[DONE]":
        log.warning("Ignored an event of %d characters that is not JSON", len(data))
