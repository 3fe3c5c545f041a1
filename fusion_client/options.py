"""The arguments of a client, for those who hand them on."""

from __future__ import annotations

from typing import TypedDict

import httpx

from fusion_client.bearer import Credentials
from fusion_client.credentials import settings_key
from fusion_client.observing import Observer
from fusion_client.settings import FusionSettings


class ClientOptions(TypedDict, total=False):
    """The arguments of `FusionClient` but for the key, all of which may be left out."""

    token_provider: Credentials | None
    base_url: str | None
    timeout: float | httpx.Timeout
    max_retries: int
    rate_limit: int | None
    enable_cache: bool
    cache_size: int
    cache_ttl: float
    max_message_length: int | None
    observer: Observer | None
    enable_tracing: bool
    http_client: httpx.AsyncClient | None


def settled(settings: FusionSettings, options: ClientOptions) -> ClientOptions:
    """All that `settings` say, but for what `options` do. Raises ValueError when neither has credentials."""
    told: ClientOptions = {
        "base_url": settings.base_url,
        "timeout": settings.timeout,
        "max_retries": settings.max_retries,
        "rate_limit": settings.rate_limit,
        "enable_cache": settings.enable_cache,
        "cache_size": settings.cache_size,
        "cache_ttl": settings.cache_ttl,
        "enable_tracing": settings.enable_tracing,
    }
    if options.get("token_provider") is None:
        told["token_provider"] = settings_key(settings)
    return {**told, **options}
