"""The client."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import datetime
from importlib import import_module
from types import TracebackType
from typing import Literal, Self, Unpack, overload
from uuid import UUID

import httpx

from fusion_client import calls
from fusion_client.bearer import BearerAuth, Credentials
from fusion_client.channel import Channel, Connections
from fusion_client.chat_filter import ChatFilter, Page
from fusion_client.checks import (
    LONGEST_MESSAGE,
    checked_id,
    checked_ids,
    checked_message,
    checked_number,
    checked_seconds,
    checked_text,
    checked_url,
)
from fusion_client.credentials import find_credentials
from fusion_client.errors import AgentNotFoundError, ChatNotFoundError, ValidationError
from fusion_client.models import Agent, CacheStats, Chat, ChatResponse, Document, FileUploadResponse, Message
from fusion_client.observing import Observer, Unobserved
from fusion_client.options import ClientOptions, settled
from fusion_client.per_loop import PerLoop
from fusion_client.rate_limit import RateLimit
from fusion_client.read_cache import ReadCache
from fusion_client.retrying import Retries
from fusion_client.session import Session
from fusion_client.settings import (
    DEFAULT_CACHE_SIZE,
    DEFAULT_CACHE_TTL,
    DEFAULT_RETRIES,
    DEFAULT_TIMEOUT,
    MAX_CONNECTIONS,
    FusionSettings,
)
from fusion_client.stream import TokenStream
from fusion_client.stream_answer import StreamAnswer
from fusion_client.upload import LARGEST_FILE, FileSource, Progress, prepare


class FusionClient:
    """A client of Fusion for asyncio.

        async with FusionClient() as client:  # the key comes from FUSION_API_KEY
            response = await client.send_message(agent_id, "Hi")
            print(response.text)

    One client serves any number of tasks of one event loop, with at most 100 connections; another loop, such as that of
    the next `asyncio.run`, gets its own connections. Call `aclose`, or use it as a context manager.

    Args:
        api_key: the key; None takes that of the environment, of `.env`, or of the credentials file (`FusionSettings`).
        token_provider: gives tokens in place of a key, such as `TokenProvider`.
        base_url: where the service is; None takes FUSION_BASE_URL, or else the service's own address.
        timeout: seconds to wait for a connection, and for each next piece of an answer.
        max_retries: how often a call is made again that may be: a read, one that surely never reached the service, and
            one that was refused because of too many requests. 0 makes each call once.
        rate_limit: requests in any minute at most; those beyond it wait. None is no limit.
        enable_cache: whether answers of reads are kept until something is written.
        cache_size, cache_ttl: how many are kept, and for how many seconds: as long, what others write may not be seen.
        max_message_length: characters of a message at most; None for any.
        observer: is told of every call, see `fusion_client.observing`.
        enable_tracing: whether OpenTelemetry is told of them, where no observer is given.
        http_client: sends the requests, and stays open. None makes one, whose proxy and CA come from the environment
            (HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE).

    Raises:
        ValueError: there is no API key, or an argument or setting cannot be used.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        token_provider: Credentials | None = None,
        base_url: str | None = None,
        timeout: float | httpx.Timeout = DEFAULT_TIMEOUT,
        max_retries: int = DEFAULT_RETRIES,
        rate_limit: int | None = None,
        enable_cache: bool = True,
        cache_size: int = DEFAULT_CACHE_SIZE,
        cache_ttl: float = DEFAULT_CACHE_TTL,
        max_message_length: int | None = LONGEST_MESSAGE,
        observer: Observer | None = None,
        enable_tracing: bool = False,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        credentials = find_credentials(api_key, token_provider)
        url = checked_url("base_url", FusionSettings().base_url if base_url is None else base_url)
        self._longest = max_message_length
        self._owned = http_client is None
        self._connections = PerLoop(lambda: _connections(http_client))
        self._session = Session(
            channel=Channel(
                connections=self._connections,
                base_url=url.rstrip("/"),
                auth=BearerAuth(credentials),
                timeout=_as_timeout(timeout),
            ),
            retries=Retries(checked_number("max_retries", max_retries, least=0)),
            limit=None if rate_limit is None else RateLimit(checked_number("rate_limit", rate_limit)),
            cache=_new_cache(cache_size, cache_ttl) if enable_cache else None,
            observer=observer or _new_observer(tracing=enable_tracing),
        )

    @classmethod
    def from_settings(cls, settings: FusionSettings | None = None, **options: Unpack[ClientOptions]) -> Self:
        """A client with all of `settings` (None reads the environment and `.env`), but for what `options` say."""
        return cls(**settled(settings or FusionSettings(), options))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all streams and connections; of a client that was given, the streams."""
        await self._session.close_streams()
        if self._owned:
            await self._connections.get().http.aclose()

    @property
    def cache_stats(self) -> CacheStats:
        """How the cache was used so far; all zero without one."""
        cache = self._session.cache
        return cache.stats if cache else CacheStats(hits=0, misses=0, size=0)

    @overload
    async def send_message(
        self,
        agent_id: str | UUID,
        message: str,
        chat_id: str | UUID | None = None,
        files: Iterable[str | UUID] | None = None,
        stream: Literal[False] = False,
        folder: str | None = None,
    ) -> ChatResponse: ...

    @overload
    async def send_message(
        self,
        agent_id: str | UUID,
        message: str,
        chat_id: str | UUID | None = None,
        files: Iterable[str | UUID] | None = None,
        *,
        stream: Literal[True],
        folder: str | None = None,
    ) -> TokenStream: ...

    @overload
    async def send_message(
        self,
        agent_id: str | UUID,
        message: str,
        chat_id: str | UUID | None = None,
        files: Iterable[str | UUID] | None = None,
        stream: bool = False,
        folder: str | None = None,
    ) -> ChatResponse | TokenStream: ...

    async def send_message(
        self,
        agent_id: str | UUID,
        message: str,
        chat_id: str | UUID | None = None,
        files: Iterable[str | UUID] | None = None,
        stream: bool = False,
        folder: str | None = None,
    ) -> ChatResponse | TokenStream:
        """Say something to an agent.

        Args:
            agent_id: the agent. Of no meaning where `chat_id` is given, which has its agent.
            message: not empty, at most 10,000 characters (see `max_message_length`).
            chat_id: the chat to go on with; None begins a new one.
            files: ids of files that were uploaded.
            stream: whether the answer is to come token by token.
            folder: where a new chat is filed.

        Returns:
            The answer; with `stream` its tokens, as soon as it has begun.

        Raises:
            ValidationError: an argument is wrong (nothing was sent then), or the service refuses it.
            FusionError: see the tree in `fusion_client.errors`.
        """
        call = self._message_call(agent_id, message, chat_id, files, folder)
        if not stream:
            return await self._session.ask(call)
        return await self._session.stream(call, StreamAnswer(message, None if chat_id is None else str(chat_id)))

    async def create_chat(
        self,
        agent_id: str | UUID,
        message: str,
        files: Iterable[str | UUID] | None = None,
        folder: str | None = None,
    ) -> ChatResponse:
        """Begin a chat: there is none without a first message. See `send_message`."""
        return await self.send_message(agent_id, message, files=files, folder=folder)

    async def get_chat(self, chat_id: str | UUID) -> Chat:
        """The chat. Raises ChatNotFoundError."""
        return await self._session.ask(calls.get_chat(checked_id("chat_id", chat_id)))

    async def list_messages(self, chat_id: str | UUID) -> list[Message]:
        """All messages of the chat, in the order in which the service tells them. Raises ChatNotFoundError."""
        messages = await self._session.ask(calls.list_messages(checked_id("chat_id", chat_id)))
        return list(messages)

    async def list_chats(
        self,
        *,
        agent_id: str | UUID | None = None,
        folder: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        query: str | None = None,
        page: int = 1,
        size: int | None = None,
    ) -> list[Chat]:
        """The chats that fit, in the order in which the service tells them.

        What the service does not filter is filtered here. Where it cannot be told from a chat's first message whether
        `query` stands in it, its messages are read.

        Args:
            created_after, created_before: both included; a time without a zone is in UTC.
            query: text in a message, in either case.
            page: which part of the list, from 1.
            size: chats of a page; None leaves it to the service.
        """
        wanted = ChatFilter(
            agent_id=None if agent_id is None else checked_id("agent_id", agent_id),
            folder=None if folder is None else checked_text("folder", folder),
            after=created_after,
            before=created_before,
            query=None if query is None else checked_text("query", query),
        )
        part = Page(page, size)
        chats = await self._session.ask(calls.list_chats(wanted.parameters | part.parameters))
        fitting = [chat for chat in chats if wanted.fits(chat)]
        mentioned = await asyncio.gather(*(self._mentions(wanted, chat) for chat in fitting))
        return part.of([chat for chat, yes in zip(fitting, mentioned, strict=True) if yes], len(chats))

    async def delete_chat(self, chat_id: str | UUID) -> None:
        """End a chat. Raises ChatNotFoundError, or UnsupportedError where the service does not do that."""
        await self._session.ask(calls.delete_chat(checked_id("chat_id", chat_id)))

    async def list_agents(self) -> list[Agent]:
        """All agents that the key may ask."""
        agents = await self._session.ask(calls.list_agents())
        return list(agents)

    async def get_agent(self, agent_id: str | UUID) -> Agent:
        """The agent. Raises AgentNotFoundError."""
        return await self._session.ask(calls.get_agent(checked_id("agent_id", agent_id)))

    async def find_agent(self, name: str) -> Agent:
        """The agent of this name, in either case. Raises AgentNotFoundError, or ValidationError if there are more."""
        found = [agent for agent in await self.list_agents() if agent.name.casefold() == name.casefold()]
        if not found:
            raise AgentNotFoundError(f"There is no agent named {name!r}.")
        if len(found) > 1:
            raise ValidationError(f"name fits {len(found)} agents: {', '.join(agent.id for agent in found)}.")
        return found[0]

    async def upload_file(
        self,
        file: FileSource,
        *,
        filename: str | None = None,
        content_type: str | None = None,
        chat_id: str | UUID | None = None,
        max_size: int = LARGEST_FILE,
        progress: Progress | None = None,
    ) -> FileUploadResponse:
        """Send a file; its `file_id` goes into `files` of a message.

        Args:
            file: a path, bytes, or a file that is open for reading bytes. It is read into memory.
            filename: None takes it from the path.
            content_type: media type; None takes it from the name, and refuses what agents do not read.
            chat_id: the chat that it is for; None where that is still to begin.
            max_size: bytes.
            progress: called with the bytes sent so far, and all.

        Raises:
            ValidationError: its type or size is wrong (nothing was sent then), or the service refuses it.
            OSError: it cannot be read.
        """
        upload = await asyncio.to_thread(prepare, file, filename, content_type, progress, max_size)
        chat = None if chat_id is None else checked_id("chat_id", chat_id)
        return await self._session.ask(calls.upload_file(upload, chat))

    async def download_file(self, file_id: str | UUID) -> bytes:
        """The bytes of a file. Raises NotFoundError."""
        return await self._session.ask(calls.download_file(checked_id("file_id", file_id)))

    async def add_document(
        self, name: str, content: str | None = None, *, file_id: str | UUID | None = None
    ) -> Document:
        """Add a text, or a file that was uploaded, to the knowledge. Raises ValidationError unless one is given."""
        if (content is None) == (file_id is None):
            raise ValidationError("Give content or file_id: what the document is made of.")
        text = None if content is None else checked_text("content", content)
        file = None if file_id is None else checked_id("file_id", file_id)
        return await self._session.ask(calls.add_document(checked_text("name", name), text, file))

    async def list_documents(self) -> list[Document]:
        """All documents of the knowledge."""
        documents = await self._session.ask(calls.list_documents())
        return list(documents)

    async def search_documents(self, query: str) -> list[Document]:
        """The documents that fit `query`, the best first, with their `score` where the service tells it."""
        documents = await self._session.ask(calls.search_documents(checked_text("query", query)))
        return list(documents)

    async def remove_document(self, document_id: str | UUID) -> None:
        """Take a document out of the knowledge. Raises NotFoundError."""
        await self._session.ask(calls.remove_document(checked_id("document_id", document_id)))

    async def _mentions(self, wanted: ChatFilter, chat: Chat) -> bool:
        if wanted.begins_with_text(chat):
            return True
        try:
            messages = await self.list_messages(chat.id)
        except ChatNotFoundError:  # it was deleted meanwhile
            return False
        return any(wanted.mentioned_in(message.message) for message in messages)

    def _message_call(
        self,
        agent_id: str | UUID,
        message: str,
        chat_id: str | UUID | None,
        files: Iterable[str | UUID] | None,
        folder: str | None,
    ) -> calls.Call[ChatResponse]:
        agent, sent = checked_id("agent_id", agent_id), checked_message(message, self._longest)
        file_ids = checked_ids("files", files)
        if chat_id is not None:
            return calls.continue_chat(agent, checked_id("chat_id", chat_id), sent, file_ids)
        return calls.begin_chat(agent, sent, file_ids, folder and checked_text("folder", folder))


def _connections(given: httpx.AsyncClient | None) -> Connections:
    if given is not None:
        return Connections(given, nullcontext())
    limits = httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS)
    try:
        http = httpx.AsyncClient(limits=limits, headers={"User-Agent": "fusion-client"})
    except OSError as exc:
        raise ValueError(f"The certificates of SSL_CERT_FILE or SSL_CERT_DIR cannot be used: {exc}.") from exc
    except httpx.InvalidURL:  # its text may show a password
        raise ValueError("HTTP_PROXY, HTTPS_PROXY or ALL_PROXY is not a URL.") from None
    return Connections(http, asyncio.Semaphore(MAX_CONNECTIONS))


def _as_timeout(timeout: float | httpx.Timeout) -> httpx.Timeout:
    """A call that waits for one of the connections waits as long as it takes: it is not the service that is slow."""
    if isinstance(timeout, httpx.Timeout):
        return timeout
    return httpx.Timeout(checked_seconds("timeout", timeout), pool=None)


def _new_cache(size: int, ttl: float) -> ReadCache:
    return ReadCache(checked_number("cache_size", size), checked_seconds("cache_ttl", ttl))


def _new_observer(*, tracing: bool) -> Observer:
    if not tracing:
        return Unobserved()
    # Only who wants it needs its packages.
    observer: Observer = import_module("fusion_client.integrations.opentelemetry").OpenTelemetryObserver()
    return observer
