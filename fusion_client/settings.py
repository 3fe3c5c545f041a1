"""What can be set from outside."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_BASE_URL = "https://api.fusion.com/v1"
DEFAULT_TIMEOUT = 30.0  # seconds
DEFAULT_RETRIES = 3
DEFAULT_CACHE_SIZE = 1000  # answers
DEFAULT_CACHE_TTL = 60.0  # seconds
MAX_CONNECTIONS = 100


class FusionSettings(BaseSettings):
    """Settings of a client, from `FUSION_…` in the environment or in `.env` of the working directory.

    An empty one is as missing. They mean what the arguments of `FusionClient` of the same names do. credentials_file:
    JSON with `api_key`, for where FUSION_API_KEY is not set; nobody but its owner may be able to read it.
    """

    model_config = SettingsConfigDict(
        env_prefix="FUSION_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    api_key: SecretStr | None = None
    credentials_file: Path | None = None
    base_url: str = DEFAULT_BASE_URL
    timeout: float = Field(default=DEFAULT_TIMEOUT, gt=0, allow_inf_nan=False)
    max_retries: int = Field(default=DEFAULT_RETRIES, ge=0)
    rate_limit: int | None = Field(default=None, gt=0)
    enable_cache: bool = True
    cache_size: int = Field(default=DEFAULT_CACHE_SIZE, gt=0)
    cache_ttl: float = Field(default=DEFAULT_CACHE_TTL, gt=0)
    enable_tracing: bool = False
