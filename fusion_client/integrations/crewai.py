# mypy: disable-error-code="import-not-found, misc"
# CrewAI is not among the packages that types are checked with: its own dependencies do not go with the proxy's.
"""Fusion's agents as language models of CrewAI's agents. Needs `crewai`.

from fusion_client.integrations.crewai import FusionLLM

reporter = Agent(role="reporter", …, llm=FusionLLM(agent_id="…"))  # the key comes from FUSION_API_KEY
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias
from xml.sax.saxutils import escape, quoteattr

from crewai.events.types.llm_events import LLMCallType
from crewai.llms.base_llm import BaseLLM, llm_call_context
from pydantic import PrivateAttr

from fusion_client.credentials import find_credentials
from fusion_client.integrations.clients import Clients
from fusion_client.integrations.stop_words import StopWords
from fusion_client.settings import DEFAULT_RETRIES, DEFAULT_TIMEOUT

Messages: TypeAlias = str | Sequence[Mapping[str, Any]]


class FusionLLM(BaseLLM):
    """An agent of Fusion as the model behind an agent of CrewAI.

    All messages of a call go to Fusion as one message of a new chat. Tools, structured output and stop words work as
    CrewAI does them for models that have none: it writes them into the prompt and reads them out of the answer. The
    service counts no tokens, so a crew's usage is zero.

    Args:
        agent_id: the agent of Fusion.
        api_key: None takes what the settings have, see `FusionSettings`.
        base_url: None takes FUSION_BASE_URL, or else the service's own address.
        timeout: seconds to wait for a connection, and for each next piece of an answer.
        max_retries: how often a call is made again that may be. CrewAI itself tries again after too many requests.
        folder: where the chats are filed.
        stop: words that end an answer; they are left out of it.
        stream: whether CrewAI's listeners are told of each token.
        client_options: further arguments of `FusionClient`, such as `rate_limit` or `max_message_length`.

    Raises:
        ValueError: there is no API key, or an argument cannot be used.
        FusionError: from a call; see `fusion_client.errors`.
    """

    folder: str | None = None
    _clients: Clients = PrivateAttr()

    def __init__(
        self,
        agent_id: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        max_retries: int = DEFAULT_RETRIES,
        folder: str | None = None,
        stop: Sequence[str] = (),
        stream: bool = False,
        client_options: Mapping[str, Any] | None = None,
    ) -> None:
        # The key stays out of the fields, which CrewAI writes into its events.
        told: dict[str, Any] = {"base_url": base_url, "folder": folder, "stop": list(stop), "stream": stream}
        super().__init__(model=agent_id, provider="fusion", **told)
        own: dict[str, Any] = {"base_url": base_url, "timeout": timeout, "max_retries": max_retries}
        further = dict(client_options or {})
        credentials = find_credentials(api_key, further.get("token_provider"))
        self._clients = Clients(**{**own, **further, "token_provider": credentials})

    def supports_function_calling(self) -> bool:
        """Never: CrewAI writes tools into the prompt."""
        return False

    def call(
        self,
        messages: Messages,
        tools: Sequence[Mapping[str, Any]] | None = None,
        callbacks: Sequence[Any] | None = None,  # noqa: ARG002  # they are told of tokens used, which nobody knows
        available_functions: Mapping[str, Any] | None = None,  # noqa: ARG002  # of native tools
        from_task: Any = None,
        from_agent: Any = None,
        response_model: type[Any] | None = None,
    ) -> Any:
        """The answer: text, or a `response_model` that is read out of it. See `BaseLLM.call`."""
        with self._reported(messages, tools, from_task, from_agent) as call:
            self._ask(call)
        return self._validate_structured_output(call.answer, response_model)

    async def acall(
        self,
        messages: Messages,
        tools: Sequence[Mapping[str, Any]] | None = None,
        callbacks: Sequence[Any] | None = None,  # noqa: ARG002  # likewise
        available_functions: Mapping[str, Any] | None = None,  # noqa: ARG002  # likewise
        from_task: Any = None,
        from_agent: Any = None,
        response_model: type[Any] | None = None,
    ) -> Any:
        """The same in an event loop."""
        with self._reported(messages, tools, from_task, from_agent) as call:
            await self._aask(call)
        return self._validate_structured_output(call.answer, response_model)

    @contextmanager
    def _reported(
        self, messages: Messages, tools: Sequence[Mapping[str, Any]] | None, from_task: Any, from_agent: Any
    ) -> Iterator[_Call]:
        """Tells CrewAI's hooks and listeners of a call, as its own models do. Raises ValueError for tools."""
        said, about = self._format_messages(messages), {"from_task": from_task, "from_agent": from_agent}
        with llm_call_context():
            self._emit_call_started_event(messages=messages, tools=tools, **about)
            try:
                _check_no_tools(tools)
                self._invoke_before_llm_call_hooks(said, from_agent)
                call = _Call(_as_text(said), StopWords(self.stop_sequences), self._teller(about))
                yield call
                call.answer = self._invoke_after_llm_call_hooks(said, call.answer, from_agent)
            except Exception as exc:
                self._emit_call_failed_event(error=str(exc), **about)
                raise
            self._emit_call_completed_event(call.answer, LLMCallType.LLM_CALL, messages=messages, **about)

    def _teller(self, about: Mapping[str, Any]) -> Callable[[str], None]:
        kind = LLMCallType.LLM_CALL
        return lambda text: self._emit_stream_chunk_event(chunk=text, call_type=kind, **about)

    def _ask(self, call: _Call) -> None:
        client = self._clients.sync()
        if not self._effective_stream():
            call.take_all(client.send_message(self.model, call.text, folder=self.folder).text)
            return
        with client.send_message(self.model, call.text, folder=self.folder, stream=True) as stream:
            for token in stream:
                if call.take(token):
                    break
        call.end()

    async def _aask(self, call: _Call) -> None:
        client = await self._clients.here()
        if not self._effective_stream():
            call.take_all((await client.send_message(self.model, call.text, folder=self.folder)).text)
            return
        async with await client.send_message(self.model, call.text, folder=self.folder, stream=True) as stream:
            async for token in stream:
                if call.take(token):
                    break
        call.end()


@dataclass(slots=True)
class _Call:
    """One call, and its answer as it comes. tell: is told of each piece of a stream."""

    text: str
    words: StopWords
    tell: Callable[[str], None]
    answer: str = ""

    def take(self, token: str) -> bool:
        """A token came; whether the answer ends here."""
        self._add(self.words.feed(token))
        return self.words.met

    def take_all(self, answer: str) -> None:
        """All of it came."""
        self.answer = self.words.whole(answer)

    def end(self) -> None:
        """The stream ended."""
        self._add(self.words.flush())

    def _add(self, text: str) -> None:
        if text:
            self.answer += text
            self.tell(text)


def _check_no_tools(tools: Sequence[Mapping[str, Any]] | None) -> None:
    if tools:
        raise ValueError("Fusion's agents take no tools; CrewAI writes them into the prompt instead.")


def _as_text(messages: Sequence[Mapping[str, Any]]) -> str:
    """One text: of a single message its text alone, of several one that says who said what."""
    if len(messages) == 1:
        return str(messages[0]["content"])
    return "\n".join(
        f"<message type={quoteattr(one['role'])}>{escape(one['content'] or '')}</message>" for one in messages
    )
