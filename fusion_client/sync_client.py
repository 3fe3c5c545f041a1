"""The client for programs without an event loop: `FusionClient` on a loop in a thread of its own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from types import TracebackType
from typing import Literal, Self, Unpack, overload
from uuid import UUID

from fusion_client.client import FusionClient
from fusion_client.loop_thread import LoopThread
from fusion_client.models import Agent, CacheStats, Chat, ChatResponse, Document, FileUploadResponse, Message
from fusion_client.options import ClientOptions, settled
from fusion_client.settings import FusionSettings
from fusion_client.stream import TokenStream
from fusion_client.sync_stream import SyncTokenStream
from fusion_client.upload import LARGEST_FILE, FileSource, Progress


class SyncFusionClient:
    """A client of Fusion. Its methods, their arguments and errors are those of `FusionClient`; threads may share it.

        with SyncFusionClient() as client:  # the key comes from FUSION_API_KEY
            print(client.send_message(agent_id, "Hi").text)

    `close` it, or use it as a context manager: it has a thread of its own. It may be used after a fork, and where
    an event loop runs (as in a notebook), which stands still meanwhile.
    """

    def __init__(self, api_key: str | None = None, **options: Unpack[ClientOptions]) -> None:
        self._client = FusionClient(api_key, **options)
        self._loop = LoopThread(self._client.aclose)

    @classmethod
    def from_settings(cls, settings: FusionSettings | None = None, **options: Unpack[ClientOptions]) -> Self:
        """See `FusionClient.from_settings`."""
        return cls(**settled(settings or FusionSettings(), options))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections, and end the thread; who waits for an answer in another one gets a NetworkError."""
        self._loop.close()

    @property
    def cache_stats(self) -> CacheStats:
        """See `FusionClient.cache_stats`."""
        return self._client.cache_stats

    @overload
    def send_message(
        self,
        agent_id: str | UUID,
        message: str,
        chat_id: str | UUID | None = None,
        files: Iterable[str | UUID] | None = None,
        stream: Literal[False] = False,
        folder: str | None = None,
    ) -> ChatResponse: ...

    @overload
    def send_message(
        self,
        agent_id: str | UUID,
        message: str,
        chat_id: str | UUID | None = None,
        files: Iterable[str | UUID] | None = None,
        *,
        stream: Literal[True],
        folder: str | None = None,
    ) -> SyncTokenStream: ...

    @overload
    def send_message(
        self,
        agent_id: str | UUID,
        message: str,
        chat_id: str | UUID | None = None,
        files: Iterable[str | UUID] | None = None,
        stream: bool = False,
        folder: str | None = None,
    ) -> ChatResponse | SyncTokenStream: ...

    def send_message(
        self,
        agent_id: str | UUID,
        message: str,
        chat_id: str | UUID | None = None,
        files: Iterable[str | UUID] | None = None,
        stream: bool = False,
        folder: str | None = None,
    ) -> ChatResponse | SyncTokenStream:
        """See `FusionClient.send_message`."""
        answer = self._loop.wait(
            self._client.send_message, agent_id, message, chat_id, files, stream=stream, folder=folder
        )
        return SyncTokenStream(self._loop, answer) if isinstance(answer, TokenStream) else answer

    def create_chat(
        self,
        agent_id: str | UUID,
        message: str,
        files: Iterable[str | UUID] | None = None,
        folder: str | None = None,
    ) -> ChatResponse:
        """See `FusionClient.create_chat`."""
        return self._loop.wait(self._client.create_chat, agent_id, message, files, folder)

    def get_chat(self, chat_id: str | UUID) -> Chat:
        """See `FusionClient.get_chat`."""
        return self._loop.wait(self._client.get_chat, chat_id)

    def list_messages(self, chat_id: str | UUID) -> list[Message]:
        """See `FusionClient.list_messages`."""
        return self._loop.wait(self._client.list_messages, chat_id)

    def list_chats(
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
        """See `FusionClient.list_chats`."""
        return self._loop.wait(
            self._client.list_chats,
            agent_id=agent_id,
            folder=folder,
            created_after=created_after,
            created_before=created_before,
            query=query,
            page=page,
            size=size,
        )

    def delete_chat(self, chat_id: str | UUID) -> None:
        """See `FusionClient.delete_chat`."""
        self._loop.wait(self._client.delete_chat, chat_id)

    def list_agents(self) -> list[Agent]:
        """See `FusionClient.list_agents`."""
        return self._loop.wait(self._client.list_agents)

    def get_agent(self, agent_id: str | UUID) -> Agent:
        """See `FusionClient.get_agent`."""
        return self._loop.wait(self._client.get_agent, agent_id)

    def find_agent(self, name: str) -> Agent:
        """See `FusionClient.find_agent`."""
        return self._loop.wait(self._client.find_agent, name)

    def upload_file(
        self,
        file: FileSource,
        *,
        filename: str | None = None,
        content_type: str | None = None,
        chat_id: str | UUID | None = None,
        max_size: int = LARGEST_FILE,
        progress: Progress | None = None,
    ) -> FileUploadResponse:
        """See `FusionClient.upload_file`; `progress` is called in the client's thread."""
        return self._loop.wait(
            self._client.upload_file,
            file,
            filename=filename,
            content_type=content_type,
            chat_id=chat_id,
            max_size=max_size,
            progress=progress,
        )

    def download_file(self, file_id: str | UUID) -> bytes:
        """See `FusionClient.download_file`."""
        return self._loop.wait(self._client.download_file, file_id)

    def add_document(self, name: str, content: str | None = None, *, file_id: str | UUID | None = None) -> Document:
        """See `FusionClient.add_document`."""
        return self._loop.wait(self._client.add_document, name, content, file_id=file_id)

    def list_documents(self) -> list[Document]:
        """See `FusionClient.list_documents`."""
        return self._loop.wait(self._client.list_documents)

    def search_documents(self, query: str) -> list[Document]:
        """See `FusionClient.search_documents`."""
        return self._loop.wait(self._client.search_documents, query)

    def remove_document(self, document_id: str | UUID) -> None:
        """See `FusionClient.remove_document`."""
        self._loop.wait(self._client.remove_document, document_id)
