"""The public calls as users write them. Nothing runs this: mypy checks that their types are what they should be."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

from fusion_client import (
    Agent,
    CacheStats,
    Chat,
    ChatResponse,
    Document,
    FileUploadResponse,
    FusionClient,
    FusionSettings,
    Message,
    RateLimitError,
    SyncFusionClient,
    SyncTokenStream,
    TokenProvider,
    TokenStream,
)


async def asynchronous(agent_id: str, chat_id: str, *, stream: bool) -> None:
    tokens = TokenProvider("client", "refresh-token", "https://api.fusion.com/v1/auth/refresh")
    async with FusionClient(token_provider=tokens, timeout=30.0, max_retries=3, rate_limit=60) as client:
        assert_type(client, FusionClient)
        response = await client.send_message(agent_id, "Hi")
        assert_type(response, ChatResponse)
        assert_type(response.text, str)
        assert_type(response.chat_id, str | None)
        assert_type(response.last_message, Message | None)
        assert_type(response.agent_messages, tuple[Message, ...])
        answer = await client.send_message(agent_id, "Hi", response.chat_id, ["file"], stream=True)
        assert_type(answer, TokenStream)
        async for token in answer:
            assert_type(token, str)
        assert_type(await answer, ChatResponse)
        assert_type(await client.send_message(agent_id, "Hi", stream=stream), ChatResponse | TokenStream)
        assert_type(await client.create_chat(agent_id, "Hi", folder="inbox"), ChatResponse)
        assert_type(await client.get_chat(chat_id), Chat)
        assert_type(await client.list_messages(chat_id), list[Message])
        assert_type(await client.list_chats(agent_id=agent_id, query="moon", size=10), list[Chat])
        assert_type(await client.list_agents(), list[Agent])
        assert_type(await client.get_agent(agent_id), Agent)
        assert_type(await client.find_agent("Writer"), Agent)
        uploaded = await client.upload_file(Path("a.pdf"), progress=print)
        assert_type(uploaded, FileUploadResponse)
        assert_type(await client.download_file(uploaded.file_id), bytes)
        assert_type(await client.add_document("name", "text"), Document)
        assert_type(await client.search_documents("moon"), list[Document])
        assert_type(client.cache_stats, CacheStats)


def synchronous(agent_id: str, *, stream: bool) -> None:
    try:
        with SyncFusionClient.from_settings(FusionSettings(timeout=5.0), enable_cache=False) as client:
            assert_type(client, SyncFusionClient)
            assert_type(client.send_message(agent_id, "Hi"), ChatResponse)
            answer = client.send_message(agent_id, "Hi", stream=True)
            assert_type(answer, SyncTokenStream)
            for token in answer:
                assert_type(token, str)
            assert_type(answer.response(), ChatResponse)
            assert_type(client.send_message(agent_id, "Hi", stream=stream), ChatResponse | SyncTokenStream)
            assert_type(client.list_documents(), list[Document])
    except RateLimitError as error:
        assert_type(error.retry_after, float | None)
        assert_type(error.status, int | None)
