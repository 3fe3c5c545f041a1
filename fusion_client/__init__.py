"""A client for Fusion, an agents platform with chats, agents, files and knowledge.

from fusion_client import FusionClient

async with FusionClient() as client:
    response = await client.send_message(agent_id, "Hi")
    print(response.text)
"""

from fusion_client.client import FusionClient
from fusion_client.errors import (
    AgentNotFoundError,
    AuthenticationError,
    ChatNotFoundError,
    FusionError,
    NetworkError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    StreamConsumedError,
    TimeoutError,
    UnsupportedError,
    ValidationError,
)
from fusion_client.models import (
    Agent,
    CacheStats,
    Chat,
    ChatResponse,
    Document,
    FileUploadResponse,
    Message,
    User,
)
from fusion_client.settings import FusionSettings
from fusion_client.stream import TokenStream
from fusion_client.sync_client import SyncFusionClient
from fusion_client.sync_stream import SyncTokenStream
from fusion_client.token_provider import TokenProvider

__all__ = [
    "Agent",
    "AgentNotFoundError",
    "AuthenticationError",
    "CacheStats",
    "Chat",
    "ChatNotFoundError",
    "ChatResponse",
    "Document",
    "FileUploadResponse",
    "FusionClient",
    "FusionError",
    "FusionSettings",
    "Message",
    "NetworkError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "ServerError",
    "StreamConsumedError",
    "SyncFusionClient",
    "SyncTokenStream",
    "TimeoutError",
    "TokenProvider",
    "TokenStream",
    "UnsupportedError",
    "User",
    "ValidationError",
]
