"""The services as LiteLLM providers: four thin methods over one stream of events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, aclosing, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import httpx
import litellm
from litellm.llms.custom_llm import CustomLLM
from litellm.types.utils import ModelResponse, ModelResponseStream

from custom_handler import answer, correlation, engine, models, request, services, tracing
from custom_handler.auth import Token
from custom_handler.chunks import Chunker, fold
from custom_handler.conversations import Conversations, Scope
from custom_handler.errors import BridgeError, IdentityRefusedError, UpstreamError
from custom_handler.events import Event
from custom_handler.ids import CallIds
from custom_handler.litellm_errors import in_stream, to_litellm
from custom_handler.loop_thread import LoopThread
from custom_handler.measuring import measured
from custom_handler.model_info import ModelInfo
from custom_handler.quota.tickets import Group
from custom_handler.services import Service
from custom_handler.settings import read_call_policy
from custom_handler.upstream.pool import Asking, Pools

log = logging.getLogger("custom_handler.provider")

#: Seconds that whoever asks whether the proxy is ready waits for a token; Kubernetes is told to wait a little longer.
_PATIENCE = 4.0


@dataclass(frozen=True, slots=True)
class _Call:
    """What LiteLLM hands to a provider, as far as it is of use here.

    Attributes:
        named: the client chose the correlation id.
        entry: the name that the model's entry in config.yaml has, such as `stackspot/*`; never what a client made up.
            Where LiteLLM is a library, there is no config.yaml, and any agent id may be asked for.
        routed: LiteLLM's router has called, and not a program of the user's own.
        caller: the hash of the key that the client sent to the proxy; empty where there is none.
        span: LiteLLM's span for the request, if it has one.
    """

    model: str
    entry: str
    messages: Any
    parameters: Mapping[str, Any]
    model_info: Mapping[str, Any]
    correlation_id: str
    named: bool
    routed: bool
    caller: str
    span: object
    timeout: float | None

    @classmethod
    def of(cls, given: Mapping[str, Any], provider: str) -> _Call:
        litellm_params = given.get("litellm_params") or {}
        metadata = litellm_params.get("metadata") or {}
        from_proxy = (litellm_params.get("proxy_server_request") or {}).get("headers") or {}
        headers = {**from_proxy, **(given.get("headers") or {})}
        with _boundary(given["model"], provider):
            return cls(
                model=given["model"],
                entry=str(metadata.get("deployment_model_name") or f"{provider}/*"),
                messages=given["messages"],
                parameters=given.get("optional_params") or {},
                model_info=litellm_params.get("model_info") or {},
                correlation_id=correlation.from_headers(headers) or correlation.new(),
                named=correlation.is_named(headers),
                routed="model_group" in metadata,
                caller=str(metadata.get("user_api_key_hash") or ""),
                span=metadata.get("litellm_parent_otel_span"),
                timeout=_seconds(given.get("timeout")),
            )

    @property
    def call_ids(self) -> CallIds:
        return CallIds(self.correlation_id, self.messages)


def _seconds(timeout: object) -> float | None:
    """The read timeout in LiteLLM's `timeout`, which may also be of httpx's kind."""
    seconds = timeout.read if isinstance(timeout, httpx.Timeout) else timeout
    return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else None


class AgentLLM(CustomLLM):
    """The agents of one service as a LiteLLM provider.

    `model` is an agent id, `chat` for the agent in the settings, or any name whose entry in config.yaml has an
    `agent_id`. All four methods take LiteLLM's keyword arguments; errors are LiteLLM's exceptions.

    Args:
        service: whose agents.
        minute: seconds that a minute of the service's quota lasts; a test lets it pass faster.
    """

    def __init__(self, service: Service, minute: float = 60.0) -> None:
        super().__init__()
        self.service = service
        self._pools = Pools(service.pool, minute)
        self._thread = LoopThread()
        self._conversations = Conversations()

    def completion(self, *_: Any, **given: Any) -> ModelResponse:
        """A whole answer."""
        return self._thread.run(self.acompletion(**given))

    def streaming(self, *_: Any, **given: Any) -> Iterator[ModelResponseStream]:  # type: ignore[override] # LiteLLM's type names its older chunk form only
        """An answer as it comes."""
        return self._thread.iterate(self.astreaming(**given))

    async def acompletion(self, *_: Any, **given: Any) -> ModelResponse:
        """A whole answer."""
        call = self._call(given)
        with correlation.use(call.correlation_id), self._boundary(call):
            async with aclosing(self._events(call)) as events:
                return await fold(events, call.model, call.call_ids)

    def astreaming(self, *_: Any, **given: Any) -> AsyncGenerator[ModelResponseStream, None]:  # type: ignore[override] # as above
        """An answer as it comes."""
        stream = self._stream(given)
        if reply := answer.current.get():
            reply.stream = stream
        return stream

    async def obstacle(self, accounts: Collection[str | None]) -> str | None:
        """Why no agent can be asked now; None when one of `accounts` is signed in, or can be, which costs no quota.

        One is enough: a mistake in the credentials of one team must not take the proxy away from the others.
        """
        reasons = []
        signing_in = [asyncio.create_task(self._obstacle_of(account)) for account in accounts]
        try:
            # Not one behind the other: the first may wait for an answer while the second has its token.
            for answered in asyncio.as_completed(signing_in, timeout=_PATIENCE):
                if (reason := await answered) is None:
                    return None
                reasons.append(reason)
        except TimeoutError:
            reasons.append(f"The identity service has not answered within {_PATIENCE:g} s.")
        finally:
            for task in signing_in:
                task.cancel()
        return " ".join(reasons) or None

    async def _obstacle_of(self, account: str | None) -> str | None:
        try:
            await self._sign_in(account)
        except BridgeError as exc:
            return exc.message
        return None

    async def _sign_in(self, account: str | None) -> object:
        pool = await self._pools.current()
        return await pool.sign_in(pool.read_account(account))

    def _call(self, given: Mapping[str, Any]) -> _Call:
        return _Call.of(given, self.service.provider)

    def _boundary(
        self, call: _Call, raised: Callable[[Exception], Exception] | None = None
    ) -> AbstractContextManager[None]:
        return _boundary(call.model, self.service.provider, raised)

    async def _stream(self, given: Mapping[str, Any]) -> AsyncGenerator[ModelResponseStream, None]:
        call = self._call(given)
        async with aclosing(correlation.follow(call.correlation_id, self._chunks(call))) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _chunks(self, call: _Call) -> AsyncGenerator[ModelResponseStream, None]:
        chunker = Chunker(call.model, call.call_ids)
        begun = False

        def raised(error: Exception) -> Exception:
            return in_stream(error, call.model, self.service.provider, begun=begun, routed=call.routed)

        with self._boundary(call, raised):
            async with aclosing(self._events(call)) as events:
                async for event in events:
                    begun = True
                    yield chunker.chunk(event)

    def _events(self, call: _Call) -> AsyncGenerator[Event, None]:
        return measured(tracing.under(self._answer(call), call.span), call.entry)

    async def _answer(self, call: _Call) -> AsyncGenerator[Event, None]:
        tracing.note(correlation_id=call.correlation_id)
        asked = request.parse(call.messages, call.parameters)
        info = ModelInfo(call.model, call.model_info)
        target = models.resolve(self.service, info)
        pool = await self._pools.current()
        asked = await pool.remote_files.fetch(asked)
        account = pool.read_account(target.account)
        group = Group(call.entry, target.limits) if target.limits else None
        upstream = pool.agent(target.agent_id, account, Asking(call.timeout, call.caller, group), info)
        scope = Scope(
            call.caller, call.correlation_id, target.agent_id, account, ids_chosen=self.service.names_conversations
        )
        memory = self._conversations.of(scope, pool.redis) if call.named else None
        given = engine.answer(asked, upstream, _count_tokens, read_call_policy(), target.max_input_tokens, memory)
        async with aclosing(given) as events:
            async for event in events:
                yield event


def _count_tokens(text: str) -> int:
    return int(litellm.token_counter(model="", text=text))


@contextmanager
def _boundary(model: str, provider: str, raised: Callable[[Exception], Exception] | None = None) -> Iterator[None]:
    """Only LiteLLM's exceptions leave: of any other, LiteLLM sends the whole traceback to the client.

    Args:
        raised: what is raised in place of one of them; None for itself.
    """
    try:
        yield
        return
    except BridgeError as exc:
        log.log(_severity(exc), "%s: %s", type(exc).__name__, exc)
        error = exc
    except Exception:
        log.exception("A fault in the proxy itself")
        error = BridgeError(f"A fault in the proxy itself; its log has the details under {correlation.current()}.")
    # Raised out here: LiteLLM also judges by what an exception was raised from.
    mapped = to_litellm(error, model, provider)
    raise raised(mapped) if raised else mapped


def _severity(error: BridgeError) -> int:
    return logging.ERROR if isinstance(error, UpstreamError | IdentityRefusedError) else logging.WARNING


class StackspotLLM(AgentLLM):
    """LiteLLM provider `stackspot`; see `AgentLLM`."""

    def __init__(self, minute: float = 60.0) -> None:
        super().__init__(services.STACKSPOT, minute)

    def authenticate(self, account: str | None = None) -> Token:
        """Sign in by hand: the token of the default account, or of `account`.

        Raises:
            BridgeError: a setting is missing, the credentials were refused, or the identity service cannot be reached;
                the message says which and what to do.
        """
        return cast(Token, self._thread.run(self._sign_in(account)))


stackspot_llm = StackspotLLM()


class FusionLLM(AgentLLM):
    """LiteLLM provider `fusion`; see `AgentLLM`."""

    def __init__(self, minute: float = 60.0) -> None:
        super().__init__(services.FUSION, minute)


fusion_llm = FusionLLM()


async def obstacle(model_list: Iterable[Mapping[str, Any]]) -> str | None:
    """Why no model of ours in `model_list`, as config.yaml has it, can be asked now; None when one can.

    A service of which nothing is set is not used. Where that is so of all, the first one's settings are asked for.
    """
    listed = list(model_list)
    served = [(llm, models.accounts(llm.service, listed)) for llm in (stackspot_llm, fusion_llm)]
    used = services.used((llm.service, accounts) for llm, accounts in served if accounts)
    reasons = []
    for llm, accounts in served:
        if llm.service in used:
            if (reason := await llm.obstacle(accounts)) is None:
                return None
            reasons.append(reason)
    return " ".join(reasons) or None
