"""What LiteLLM calls around a request, and the gate that is put around LiteLLM."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import litellm
from litellm.integrations.custom_logger import CustomLogger
from litellm.types.router import GenericLiteLLMParams
from litellm.types.utils import CallTypes, ModelResponseStream, all_litellm_params

from custom_handler import answer, garbage, log, settings, tracing
from custom_handler.gate import Gate, Rules
from custom_handler.key_limits import KeyLimits
from custom_handler.key_ring import KeyRing
from custom_handler.keys import Keys, KeysOfDatabase, KeysOfSettings, is_in_database
from custom_handler.litellm_errors import origin, to_litellm
from custom_handler.provider import obstacle
from custom_handler.redis_link import RedisLink

logger = logging.getLogger("custom_handler.hooks")

_LITELLM_LOGGERS = ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router")


class ProxyHooks(CustomLogger):
    """The hooks of this product. Making the instance in a running proxy puts the gate around LiteLLM's app."""

    def __init__(self) -> None:
        super().__init__()
        proxy_server = sys.modules.get("litellm.proxy.proxy_server")
        if proxy_server is not None:  # else LiteLLM is used as a library
            log.configure()
            for name in _LITELLM_LOGGERS:
                logging.getLogger(name).addFilter(_is_news)
            _enclose(proxy_server)
            if collector := settings.read(settings.OTLP_ENDPOINT):
                _trace(collector)
            if garbage.NEEDED:
                garbage.collect_between_steps(asyncio.get_running_loop())

    async def async_post_call_failure_hook(  # type: ignore[override] # LiteLLM passes these by name
        self, *, original_exception: Exception, **_: Any
    ) -> None:
        """Called with every failed request, before its error is written."""
        reply = answer.current.get()
        if reply is None:
            return
        reply.failure = origin(original_exception)
        if reply.failure is None:
            # LiteLLM has the traceback, but not the correlation id.
            logger.error("LiteLLM failed with %s; its record of that is close by", type(original_exception).__name__)

    async def async_post_call_success_deployment_hook(
        self, _request_data: dict[str, Any], response: Any, _call_type: CallTypes | None
    ) -> None:
        """Called when the provider has returned; of a stream, nothing has come yet."""
        reply = answer.current.get()
        if reply is not None and not hasattr(response, "__aiter__"):
            reply.provider_answered = True

    async def async_post_call_streaming_iterator_hook(  # type: ignore[override] # likewise
        self, *, response: AsyncIterator[Any], request_data: dict[str, Any], **_: Any
    ) -> AsyncGenerator[Any, None]:
        """Called with every stream."""
        reply = answer.current.get()
        created: int | None = None
        try:
            async for chunk in response:
                if reply is not None:
                    reply.provider_answered = True
                if isinstance(chunk, ModelResponseStream):
                    created = chunk.created = created or chunk.created  # LiteLLM dates its own last chunks anew
                    if _is_usage_only(chunk):
                        chunk.choices = []  # OpenAI's form; LiteLLM leaves a choice that says nothing
                yield chunk
        except Exception as exc:
            if origin(exc) is not None:
                raise
            # LiteLLM would show the client the exception's text, and in a chat its traceback too.
            raise to_litellm(answer.unforeseen(), str(request_data.get("model"))) from exc


def _is_usage_only(chunk: ModelResponseStream) -> bool:
    return getattr(chunk, "usage", None) is not None and not any(
        choice.finish_reason or any(choice.delta.model_dump().values()) for choice in chunk.choices
    )


def _is_news(record: logging.LogRecord) -> bool:
    """Whether LiteLLM's record tells more than ours: not so for an error of ours, logged in one line already."""
    return not record.exc_info or origin(record.exc_info[1]) is None


def _trace(collector: str) -> None:
    """Send LiteLLM's spans and ours to `collector`.

    Not by `callbacks: [otel]` in config.yaml: that prints spans to the console where no collector is set.
    """
    from litellm.integrations.opentelemetry import OpenTelemetry, OpenTelemetryConfig

    from custom_handler.span_export import new_provider

    # LiteLLM goes on to write into the span of a failed request when it has ended it; each time is a warning.
    logging.getLogger("opentelemetry.sdk.trace").setLevel(logging.ERROR)
    provider = new_provider(collector)
    tracing.start(provider)
    # Its spans would not leave with messages in them anyway; so they need not be written.
    without_messages = OpenTelemetryConfig(exporter="otlp_http", capture_message_content="NO_CONTENT")
    litellm.callbacks.append(OpenTelemetry(without_messages, tracer_provider=provider))


def _enclose(proxy_server: Any) -> None:
    """Put the gate around LiteLLM's app.

    LiteLLM loads its callbacks after it has built its middleware and before it takes its first request: adding one is
    no longer possible then, so the gate goes around what was built.
    """

    def models() -> set[str]:
        router = proxy_server.llm_router
        return {*router.model_names, *router.model_group_alias} if router is not None else set()

    async def in_the_way() -> str | None:
        router = proxy_server.llm_router
        return await obstacle(router.model_list if router is not None else ())

    redis_url = settings.read(settings.REDIS_URL)
    rules = Rules(
        models=models,
        keys=_keys(proxy_server),
        limits=KeyLimits(RedisLink(redis_url) if redis_url else None),
        correlation_required=settings.read(settings.REQUIRE_CORRELATION_ID),
        reserved=frozenset(all_litellm_params) | frozenset(GenericLiteLLMParams.model_fields),
        obstacle=in_the_way,
    )
    app = proxy_server.app
    app.middleware_stack = Gate(app.middleware_stack or app.build_middleware_stack(), rules)


def _keys(proxy_server: Any) -> Keys:
    ring = KeyRing()  # first, since it finds out what is wrong with the settings

    def master_key() -> str | None:
        key: str | None = proxy_server.master_key  # LiteLLM sets it last when it starts
        return key

    if settings.read(settings.DATABASE_URL):
        return KeysOfDatabase(master_key, is_in_database)
    return KeysOfSettings(master_key, ring.keys)


proxy_hooks = ProxyHooks()
