"""Fusion's agents as chat models of LangChain. Needs `langchain-core`.

from fusion_client.integrations.langchain import FusionChatModel

model = FusionChatModel(agent_id="…")  # the key comes from FUSION_API_KEY
print(model.invoke("Hi").text)
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import AliasChoices, ConfigDict, Field, PrivateAttr, SecretStr, model_validator

from fusion_client.client import FusionClient
from fusion_client.credentials import find_credentials
from fusion_client.integrations.clients import Clients
from fusion_client.integrations.langchain_messages import Attachment, as_text, files_of, last_chat
from fusion_client.integrations.stop_words import StopWords
from fusion_client.settings import DEFAULT_RETRIES, DEFAULT_TIMEOUT, FusionSettings
from fusion_client.sync_client import SyncFusionClient

_OF_THE_AGENT = ("temperature", "max_tokens")
"""What LangChain's models take as a rule, and Fusion has only as settings of an agent."""


class FusionChatModel(BaseChatModel):
    """An agent of Fusion as a chat model: whole or streamed, sync or async, with callbacks, batches and fallbacks.

    All messages of a call go to Fusion as one message of a new chat; `continue_chats` and `chat_id` go on with one.
    Images and files in messages are uploaded (base64) or named (`file_id`). `stop` is applied here. An answer's
    `response_metadata` has `chat_id`, where the service told it, and the agent as `model_name`.

    Each call takes `model` (another agent), `chat_id`, `folder`, and `files` (ids of uploads) of its own:
    `model.invoke("Hi", chat_id=…)`, or `model.bind(folder="reports")`.

    The service has no tools, structured output, log probabilities or token counts, so `bind_tools` and
    `with_structured_output` raise NotImplementedError, and `usage_metadata` is None; for the first two, ask the same
    agent by way of the proxy. Temperature and maximum of tokens belong to the agent.

    Raises:
        ValueError: there is no API key, or an argument cannot be used.
        FusionError: from a call; see `fusion_client.errors`.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    agent_id: str = Field(validation_alias=AliasChoices("agent_id", "model"))
    """The agent; `model` means the same."""
    api_key: SecretStr | None = None
    """None takes what the settings have, see `FusionSettings`."""
    base_url: str | None = None
    """None takes FUSION_BASE_URL, or else the service's own address."""
    timeout: float = DEFAULT_TIMEOUT
    """Seconds to wait for a connection, and for each next piece of an answer."""
    max_retries: int = DEFAULT_RETRIES
    """How often a call is made again that may be."""
    client_options: Mapping[str, Any] = Field(default_factory=dict, exclude=True, repr=False)
    """Further arguments of `FusionClient`, such as `token_provider`, `rate_limit` or `max_message_length`."""
    folder: str | None = None
    """Where new chats are filed."""
    continue_chats: bool = False
    """Whether messages after an answer of this agent go to its chat, which knows what was before: only they are sent.

    That history was changed since is not noticed.
    """
    stop: list[str] | None = None
    """Words that end an answer; they are left out of it."""
    streaming: bool = False
    """Whether `invoke` reads a stream, so that callbacks are told of each token."""
    temperature: float | None = None
    """Without effect: a setting of the agent."""
    max_tokens: int | None = None
    """Without effect: a setting of the agent."""

    _clients: Clients = PrivateAttr()

    @model_validator(mode="after")
    def _connect(self) -> FusionChatModel:
        if self.api_key is None and "token_provider" not in self.client_options:
            self.api_key = FusionSettings().api_key
        key = self.api_key.get_secret_value() if self.api_key else None
        credentials = find_credentials(key, self.client_options.get("token_provider"))
        own: dict[str, Any] = {"base_url": self.base_url, "timeout": self.timeout, "max_retries": self.max_retries}
        self._clients = Clients(**{**own, **self.client_options, "token_provider": credentials})
        _warn_of({name for name in _OF_THE_AGENT if getattr(self, name) is not None})
        return self

    def bind_tools(self, *_: Any, **__: Any) -> NoReturn:
        """Raises NotImplementedError, as does `with_structured_output`, which needs it."""
        raise NotImplementedError("Fusion's agents have no tools; the proxy, through ChatOpenAI, gives them some.")

    @property
    def _llm_type(self) -> str:
        return "fusion"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        """What LangChain tells answers of its cache apart by."""
        return {"agent_id": self.agent_id, "base_url": self.base_url, "folder": self.folder}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        told = super()._get_ls_params(stop=stop or self.stop, **kwargs)
        return LangSmithParams(**{**told, "ls_provider": "fusion", "ls_model_name": kwargs.get("model", self.agent_id)})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002  # BaseChatModel tells callbacks itself
        **kwargs: Any,
    ) -> ChatResult:
        question, client = self._question(messages, kwargs), self._clients.sync()
        response = client.send_message(**question.arguments(question.send_files(client)))
        return self._result(question, response.text, response.chat_id, stop)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002  # likewise
        **kwargs: Any,
    ) -> ChatResult:
        question, client = self._question(messages, kwargs), await self._clients.here()
        response = await client.send_message(**question.arguments(await question.asend_files(client)))
        return self._result(question, response.text, response.chat_id, stop)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002  # likewise
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        question, client = self._question(messages, kwargs), self._clients.sync()
        files, words = question.send_files(client), StopWords(stop or self.stop)
        with client.send_message(**question.arguments(files), stream=True) as stream:
            for token in stream:
                if text := words.feed(token):
                    yield _chunk(text)
                if words.met:
                    break
            yield _last_chunk(words.flush(), question.told(stream.chat_id))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002  # likewise
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        question, client = self._question(messages, kwargs), await self._clients.here()
        files, words = await question.asend_files(client), StopWords(stop or self.stop)
        async with await client.send_message(**question.arguments(files), stream=True) as stream:
            async for token in stream:
                if text := words.feed(token):
                    yield _chunk(text)
                if words.met:
                    break
            yield _last_chunk(words.flush(), question.told(stream.chat_id))

    def _question(self, messages: Sequence[BaseMessage], kwargs: Mapping[str, Any]) -> _Question:
        """What is asked, and where. Raises ValueError."""
        _warn_of(kwargs.keys() & set(_OF_THE_AGENT))
        if unknown := kwargs.keys() - {"model", "chat_id", "folder", "files", *_OF_THE_AGENT}:
            raise ValueError(f"Fusion's agents know no {', '.join(sorted(unknown))}; see FusionChatModel.")
        agent_id, chat_id = kwargs.get("model", self.agent_id), kwargs.get("chat_id")
        if chat_id is None and self.continue_chats:
            chat_id, messages = last_chat(messages, agent_id)
        files = (*kwargs.get("files", ()), *files_of(messages))
        return _Question(agent_id, as_text(messages), chat_id, files, kwargs.get("folder", self.folder))

    def _result(self, question: _Question, text: str, chat_id: str | None, stop: list[str] | None) -> ChatResult:
        answer = StopWords(stop or self.stop).whole(text)
        message = AIMessage(content=answer, response_metadata=question.told(chat_id))
        return ChatResult(generations=[ChatGeneration(message=message)])


@dataclass(frozen=True, slots=True)
class _Question:
    """One message to an agent. files: ids, and files that are still to be sent."""

    agent_id: str
    text: str
    chat_id: str | None
    files: Sequence[str | Attachment]
    folder: str | None

    def send_files(self, client: SyncFusionClient) -> list[str]:
        """The ids of all files."""
        return [
            file if isinstance(file, str) else client.upload_file(**self._upload(file)).file_id for file in self.files
        ]

    async def asend_files(self, client: FusionClient) -> list[str]:
        """The ids of all files."""
        return [
            file if isinstance(file, str) else (await client.upload_file(**self._upload(file))).file_id
            for file in self.files
        ]

    def arguments(self, file_ids: Sequence[str]) -> dict[str, Any]:
        """What `send_message` takes."""
        about = {"agent_id": self.agent_id, "message": self.text, "chat_id": self.chat_id, "folder": self.folder}
        return {**about, "files": file_ids}

    def told(self, chat_id: str | None) -> dict[str, Any]:
        """The metadata of the answer."""
        about = {"model_name": self.agent_id, "model_provider": "fusion"}
        return {**about, "chat_id": chat_id} if chat_id else about

    def _upload(self, file: Attachment) -> dict[str, Any]:
        return {"file": file.content, "filename": file.name, "content_type": file.mime_type, "chat_id": self.chat_id}


def _chunk(text: str) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=AIMessageChunk(content=text))


def _last_chunk(text: str, told: Mapping[str, Any]) -> ChatGenerationChunk:
    return ChatGenerationChunk(
        message=AIMessageChunk(content=text, response_metadata=dict(told), chunk_position="last")
    )


def _warn_of(names: set[str]) -> None:
    if names:
        text = f"{', '.join(sorted(names))} has no effect: Fusion has it only as a setting of the agent."
        warnings.warn(text, stacklevel=2)
