"""Fusion's agents as chat models of LangChain, against the emulator."""

from __future__ import annotations

import asyncio
import base64
import copy
import gc
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from typing import Any
from uuid import UUID

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from emulator import Emulator, Reply
from fusion_client import AgentNotFoundError, AuthenticationError, TokenProvider, ValidationError
from fusion_client.integrations.langchain import FusionChatModel

AGENT, OTHER_AGENT = "00000000-0000-4000-8000-000000000000", "11111111-1111-4111-8111-111111111111"
PIXEL = base64.b64encode(b"a picture").decode()

Invoke = Callable[..., BaseMessage]


def model_of(emulator: Emulator, **options: Any) -> FusionChatModel:
    return FusionChatModel(**{"agent_id": AGENT, "api_key": "sk-test", "base_url": emulator.fusion_url, **options})


def invoke(model: FusionChatModel, asked: Any, /, **options: Any) -> BaseMessage:
    return model.invoke(asked, **options)


def ainvoke(model: FusionChatModel, asked: Any, /, **options: Any) -> BaseMessage:
    return asyncio.run(model.ainvoke(asked, **options))


def stream(model: FusionChatModel, asked: Any, /, **options: Any) -> BaseMessage:
    first, *others = model.stream(asked, **options)
    return sum(others, first)


def astream(model: FusionChatModel, asked: Any, /, **options: Any) -> BaseMessage:
    async def streamed() -> BaseMessage:
        first, *others = [chunk async for chunk in model.astream(asked, **options)]
        return sum(others, first)

    return asyncio.run(streamed())


@pytest.fixture(params=[invoke, ainvoke, stream, astream], ids=lambda way: way.__name__)
def ask(request: pytest.FixtureRequest) -> Iterator[Invoke]:
    """Asks a model in one of the four ways."""
    yield request.param
    gc.collect()  # the clients of the model are closed here, so that a mistake in that is this test's


def sent(emulator: Emulator) -> list[Any]:
    return [chat.json["message"] for chat in emulator.chats]


def test_an_answer_tells_its_agent_and_its_chat(emulator: Emulator, ask: Invoke) -> None:
    emulator.script(Reply("Good morning."))
    answer = ask(model_of(emulator), "Hello")
    assert answer.text == "Good morning."
    assert answer.response_metadata["model_name"] == AGENT
    assert UUID(answer.response_metadata["chat_id"])
    assert sent(emulator) == ["Hello"]


def test_several_messages_become_one_that_says_who_said_what(emulator: Emulator, ask: Invoke) -> None:
    said = [SystemMessage("Be brief."), HumanMessage("1 < 2?"), AIMessage("Yes."), HumanMessage("Why?")]
    ask(model_of(emulator), said)
    assert sent(emulator) == [
        '<message type="system">Be brief.</message>\n'
        '<message type="human">1 &lt; 2?</message>\n'
        '<message type="ai">Yes.</message>\n'
        '<message type="human">Why?</message>'
    ]


def test_a_model_that_continues_chats_sends_only_what_is_new(emulator: Emulator, ask: Invoke) -> None:
    model = model_of(emulator, continue_chats=True)
    history: list[BaseMessage] = [HumanMessage("One")]
    for question in ("Two", "Three"):
        history += [ask(model, history), HumanMessage(question)]
    ask(model, history)
    assert sent(emulator) == ["One", "Two", "Three"]
    first, second, third = emulator.chats
    assert first.path.endswith("/chat")
    assert second.path == third.path != first.path


@pytest.mark.parametrize(
    "answer",
    [
        AIMessage("Yes."),
        AIMessage("Yes.", response_metadata={"model_name": OTHER_AGENT, "chat_id": OTHER_AGENT}),
        AIMessage("Yes.", response_metadata={"model_name": AGENT}),
    ],
    ids=["of another service", "of another agent", "of a chat that was not told"],
)
def test_a_chat_begins_anew_where_the_last_answer_tells_none(emulator: Emulator, answer: AIMessage) -> None:
    model_of(emulator, continue_chats=True).invoke([HumanMessage("One"), answer, HumanMessage("Two")])
    assert emulator.chats[0].path.endswith("/chat")
    assert "One" in sent(emulator)[0]


def test_a_history_that_ends_with_an_answer_is_sent_whole(emulator: Emulator) -> None:
    model = model_of(emulator, continue_chats=True)
    model.invoke([HumanMessage("One"), model.invoke("One")])
    assert "One" in sent(emulator)[1]


def test_a_call_can_name_the_agent_the_chat_the_folder_and_files(emulator: Emulator, ask: Invoke) -> None:
    model = model_of(emulator, folder="inbox")
    file = model._clients.sync().upload_file(b"1;2", filename="a.csv").file_id
    first = ask(model, "Hello", model=OTHER_AGENT, folder="reports", files=[file])
    ask(model, "Again", chat_id=first.response_metadata["chat_id"])
    ask(model, "Hello")
    new, again, usual = emulator.chats
    assert (new.json["agent_id"], new.json["folder"], new.json["files"]) == (OTHER_AGENT, "reports", [file])
    assert again.path.endswith(f"/chat/{first.response_metadata['chat_id']}/message")
    assert (usual.json["agent_id"], usual.json["folder"]) == (AGENT, "inbox")


def test_files_in_messages_are_uploaded_or_named(emulator: Emulator, ask: Invoke) -> None:
    model = model_of(emulator)
    known = model._clients.sync().upload_file(b"1;2", filename="a.csv").file_id
    ask(
        model,
        [
            HumanMessage(
                [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image", "base64": PIXEL, "mime_type": "image/png"},
                    {"type": "file", "file_id": known},
                    {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{PIXEL}"}},
                    {"type": "file", "base64": PIXEL, "mime_type": "text/csv", "extras": {"filename": "b.csv"}},
                    {"type": "file", "base64": PIXEL, "filename": "c.txt"},
                ]
            )
        ],
    )
    assert [(file.file_name, file.content) for file in emulator.files[1:]] == [
        (name, b"a picture") for name in ("image-1.png", "image-3.jpg", "b.csv", "c.txt")
    ]
    assert sent(emulator) == ["What is this?"]
    assert emulator.chats[0].json["files"][1] == known
    assert len(emulator.chats[0].json["files"]) == 5


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        ({"type": "image", "url": "https://example.org/a.png"}, "files at an address are not fetched"),
        ({"type": "image", "base64": "?", "mime_type": "image/png"}, "base64 of the image in a message cannot be read"),
    ],
)
def test_a_file_that_cannot_be_had_is_refused(emulator: Emulator, block: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        model_of(emulator).invoke([HumanMessage([block])])
    assert emulator.requests == []


def test_what_an_agent_sent_itself_is_not_sent_back(emulator: Emulator) -> None:
    picture = {"type": "image", "base64": PIXEL, "mime_type": "image/png"}
    model_of(emulator).invoke([HumanMessage("Draw"), AIMessage([picture]), ToolMessage("ok", tool_call_id="1")])
    assert emulator.files == []


def test_stop_words_end_an_answer(emulator: Emulator, ask: Invoke) -> None:
    emulator.script(Reply("One Two Three Four"), Reply("One Two Three Four"))
    assert ask(model_of(emulator), "Count", stop=["Three", "wo "]).text == "One T"
    assert ask(model_of(emulator, stop=["Five", "Four"]), "Count").text == "One Two Three "


def test_errors_of_the_client_reach_the_caller(emulator: Emulator, ask: Invoke) -> None:
    emulator.script(Reply(fault="unauthorized_once"))
    with pytest.raises(AuthenticationError):
        ask(model_of(emulator), "Hello")


def test_a_message_that_is_too_long_is_refused_unless_told_otherwise(emulator: Emulator) -> None:
    with pytest.raises(ValidationError, match="at most"):
        model_of(emulator).invoke("a" * 10_001)
    assert model_of(emulator, client_options={"max_message_length": None}).invoke("a" * 10_001).text


@pytest.mark.parametrize("streaming", [True, False])
def test_callbacks_are_told_of_tokens_ends_and_errors(emulator: Emulator, streaming: bool) -> None:
    class Notes(BaseCallbackHandler):
        def __init__(self) -> None:
            self.tokens: list[str] = []
            self.ended = 0
            self.errors: list[BaseException] = []

        def on_llm_new_token(self, token: str | list[str | dict[str, Any]], **_: Any) -> None:
            self.tokens.append(str(token))

        def on_llm_end(self, *_: Any, **__: Any) -> None:
            self.ended += 1

        def on_llm_error(self, error: BaseException, **_: Any) -> None:
            self.errors.append(error)

    notes = Notes()
    model = model_of(emulator, streaming=streaming)
    emulator.script(Reply("One Two"), Reply(fault="not_found"))
    model.invoke("Count", config={"callbacks": [notes]})
    with pytest.raises(AgentNotFoundError):
        model.invoke("Count", config={"callbacks": [notes]})
    assert "".join(notes.tokens) == ("One Two" if streaming else "")
    assert notes.ended == 1
    assert [type(error) for error in notes.errors] == [AgentNotFoundError]


def test_a_model_is_part_of_a_chain_and_falls_back(emulator: Emulator) -> None:
    emulator.script(Reply(fault="forbidden"), Reply("Bom dia."))
    prompt = ChatPromptTemplate.from_template("Translate: {text}")
    model = model_of(emulator).with_fallbacks([model_of(emulator, agent_id=OTHER_AGENT)])
    assert (prompt | model | StrOutputParser()).invoke({"text": "Good morning."}) == "Bom dia."
    assert [chat.json["agent_id"] for chat in emulator.chats] == [AGENT, OTHER_AGENT]


def test_one_model_serves_many_loops_and_none(emulator: Emulator) -> None:
    model = model_of(emulator)

    async def several() -> int:
        return len(await asyncio.gather(*(model.ainvoke("Hello") for _ in range(5))))

    assert [asyncio.run(several()) for _ in range(2)] == [5, 5]
    assert len(model.batch(["Hello"] * 5)) == 5


def test_a_copy_of_a_model_shares_its_connections(emulator: Emulator) -> None:
    model = model_of(emulator)
    assert copy.deepcopy(model)._clients is model.model_copy()._clients is model._clients
    assert copy.deepcopy(model).invoke("Hello").text


def test_a_stream_that_is_left_is_closed(emulator: Emulator) -> None:
    emulator.script(Reply("One Two Three", hold_after=3))

    async def first() -> None:
        chunks = model_of(emulator).astream("Count")
        assert isinstance(chunks, AsyncGenerator)
        async with aclosing(chunks):
            await anext(chunks)
        await asyncio.to_thread(emulator.wait_for, lambda it: it.chats[0].disconnected)

    asyncio.run(first())


def test_a_call_that_is_cancelled_ends_its_request(emulator: Emulator) -> None:
    emulator.script(Reply(hold=True))

    async def cancelled() -> None:
        call = asyncio.create_task(model_of(emulator).ainvoke("Hello"))
        await asyncio.to_thread(emulator.wait_for, lambda it: it.chats[0].held)
        call.cancel()
        await asyncio.to_thread(emulator.wait_for, lambda it: it.chats[0].disconnected)
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(cancelled())


def test_a_model_that_is_dropped_ends_its_thread(emulator: Emulator) -> None:
    before = set(threading.enumerate())
    model = model_of(emulator)
    model.invoke("Hello")
    (thread,) = {thread for thread in threading.enumerate() if thread.name == "fusion-client"} - before
    del model
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize("name", ["temperature", "max_tokens"])
def test_what_only_the_agent_can_be_told_has_no_effect_and_a_warning(emulator: Emulator, name: str) -> None:
    with pytest.warns(UserWarning, match=f"{name} has no effect"):
        model = model_of(emulator, **{name: 1})
    with pytest.warns(UserWarning, match=f"{name} has no effect"):
        invoke(model, "Hello", **{name: 1})


def test_other_arguments_are_refused_by_name(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="top_p"):
        model_of(emulator, top_p=1)
    with pytest.raises(ValueError, match="know no response_format, tools"):
        model_of(emulator).invoke("Hello", tools=[], response_format={})


def test_tools_and_structured_output_are_refused_with_what_to_do_instead(emulator: Emulator) -> None:
    with pytest.raises(NotImplementedError, match="the proxy"):
        model_of(emulator).bind_tools([])
    with pytest.raises(NotImplementedError, match="the proxy"):
        model_of(emulator).with_structured_output({"title": "City", "type": "object"})


def test_a_key_is_needed_when_the_model_is_made_and_is_never_shown(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FUSION_API_KEY", raising=False)
    with pytest.raises(ValueError, match="API key is required"):
        FusionChatModel(agent_id=AGENT)
    monkeypatch.setenv("FUSION_API_KEY", "sk-of-the-environment")
    model = FusionChatModel(agent_id=AGENT, base_url=emulator.fusion_url)
    model.invoke("Hello")
    assert emulator.chats[0].headers["authorization"] == "Bearer sk-of-the-environment"
    assert "sk-of-the-environment" not in f"{model!r} {model.model_dump()} {model._identifying_params}"


def test_tokens_of_a_provider_are_sent(emulator: Emulator) -> None:
    provider = TokenProvider("client", "refresh", f"{emulator.fusion_url}/auth/refresh")
    model = FusionChatModel(agent_id=AGENT, base_url=emulator.fusion_url, client_options={"token_provider": provider})
    assert model.invoke("Hello").text
    assert model.api_key is None
