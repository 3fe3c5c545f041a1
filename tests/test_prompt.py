"""The prompt: one text, deterministic, with everything of the request in its order."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handler.disarm import QUOTE, disarm, restore
from custom_handler.events import CallArguments, CallBegan, CallEnded
from custom_handler.markers import render_call
from custom_handler.parser import CallParser
from custom_handler.prompt import render
from custom_handler.request import ChatRequest, Message, PastCall, Tool, ToolChoice, parse
from emulator.prompt_reading import Prompt, read_prompt

WEATHER = Tool("get_weather", "Tempo: céu", {"type": "object", "properties": {"city": {"type": "string"}}})
USER = Message("user", "Chove em Recife?")


def test_a_single_plain_question_is_sent_as_it_is() -> None:
    assert render(ChatRequest((USER,))) == "Chove em Recife?"


def test_system_text_comes_first_then_tools_then_the_turns_in_their_order() -> None:
    asked = ChatRequest(
        messages=(
            Message("system", "Be brief."),
            Message("system", "Speak Portuguese."),
            USER,
            Message("assistant", "Vou ver.", (PastCall("c1", "get_weather", '{"city": "Recife"}'),)),
            Message("tool", "31 °C", tool_call_id="c1"),
            Message("system", "Now be funny."),
            Message("user", "E amanhã?"),
        ),
        tools=(WEATHER,),
    )
    system, rest = render(asked).split("\n\n<tools>\n")
    tools, rest = rest.split("\n</tools>\n\n")
    conversation, reminder = rest.split("\n\n")
    assert system == "Be brief.\n\nSpeak Portuguese."
    assert tools.splitlines()[-3:] == ["get_weather( // Tempo: céu", "city? string", ")"]
    assert conversation == "\n".join(
        [
            "<conversation>",
            "<user>",
            "Chove em Recife?",
            "</user>",
            "<assistant>",
            "Vou ver.",
            "FUNCTION_CALL_START",
            "get_weather",
            'arguments: {"city": "Recife"}',
            "FUNCTION_CALL_END",
            "</assistant>",
            '<tool_result name="get_weather">',
            "31 °C",
            "</tool_result>",
            "<system>",
            "Now be funny.",
            "</system>",
            "<user>",
            "E amanhã?",
            "</user>",
            "</conversation>",
        ]
    )
    assert "FUNCTION_CALL_START" in reminder


def test_results_of_several_calls_say_which_call_they_belong_to() -> None:
    calls = (PastCall("a", "run", "{}"), PastCall("b", "run", "{}"))
    asked = ChatRequest(
        (
            USER,
            Message("assistant", "", calls),
            Message("tool", "second", tool_call_id="b"),
            Message("tool", "first", tool_call_id="a"),
        )
    )
    prompt = render(asked)
    assert '<tool_result name="run" call="2">\nsecond\n' in prompt
    assert '<tool_result name="run" call="1">\nfirst\n' in prompt
    assert prompt.index("second") < prompt.index("first")


def test_results_are_kept_when_the_request_brings_no_tools_or_no_call_for_them() -> None:
    asked = ChatRequest((USER, Message("tool", "31", tool_call_id="lost"), Message("tool", "x", name="run")))
    prompt = render(asked)
    assert '<tool_result name="tool">\n31\n' in prompt
    assert '<tool_result name="run">\nx\n' in prompt
    assert "<tools>" not in prompt


def arguments_shown(arguments: str) -> str:
    prompt = render(ChatRequest((USER, Message("assistant", "", (PastCall("c1", "run", arguments),)))))
    return prompt.partition("arguments: ")[2].partition("\nFUNCTION_CALL_END")[0]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (r'{"city": "S\u00e3o \ud83d\ude00"}', '{"city": "São \U0001f600"}'),
        (r'{"a": "\\u00e3 \\\u00e3"}', r'{"a": "\\u00e3 \\ã"}'),
        (r'{"a": "\u0022 \u005c \u000a"}', r'{"a": "\" \\ \n"}'),
        (r'{"a": "\ud83d \u200b"}', r'{"a": "\ud83d \u200b"}'),
        (r'{"a": "\u12"}', r'{"a": "\u12"}'),
    ],
    ids=["letters", "escaped backslashes", "what JSON escapes", "what cannot be seen", "no escape"],
)
def test_letters_in_arguments_are_written_out(sent: str, shown: str) -> None:
    assert arguments_shown(sent) == shown


@given(st.text())
def test_arguments_keep_their_meaning_however_they_were_escaped(text: str) -> None:
    shown = arguments_shown(json.dumps({"a": text}))
    assert restore(json.loads(shown)["a"]) == text


def test_an_empty_assistant_turn_leaves_no_trace() -> None:
    assert "<assistant>" not in render(ChatRequest((USER, Message("assistant", ""), USER)))


def test_system_text_alone_is_enough() -> None:
    assert render(ChatRequest((Message("system", "Say hi."),))).startswith("Say hi.\n\n")


def test_what_the_answer_must_or_must_not_call_is_told() -> None:
    def prompt(**given: Any) -> str:
        return render(ChatRequest((USER,), tools=(WEATHER,), **given))

    assert "must contain at least one call" in prompt(tool_choice=ToolChoice("required"))
    assert "must call get_weather" in prompt(tool_choice=ToolChoice("named", "get_weather"))
    assert "at most one call" in prompt(parallel_tool_calls=False)
    assert prompt(tool_choice=ToolChoice("none")) == "Chove em Recife?"


def test_the_format_that_is_taught_is_the_format_that_is_read() -> None:
    prompt = render(ChatRequest((USER,), tools=(WEATHER,)))
    content = CallParser(["name_of_the_tool"]).feed(prompt)
    began = content.index(CallBegan("name_of_the_tool"))
    assert content[began + 1 : began + 3] == [CallArguments('{"parameter": "value"}'), CallEnded()]


TEXT = st.text(max_size=40)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": TEXT})
    | st.fixed_dictionaries({"role": st.just("tool"), "content": TEXT, "tool_call_id": TEXT}),
    min_size=1,
    max_size=8,
).filter(lambda messages: any(message["content"].strip() for message in messages))


@given(MESSAGES)
def test_the_same_request_gives_the_same_prompt_with_every_text_in_its_order(messages: list[dict[str, str]]) -> None:
    prompt = render(parse(messages, {}))
    assert prompt == render(parse(json.loads(json.dumps(messages)), {}))
    restored, position = restore(prompt), 0
    for message in messages:
        position = restored.index(message["content"], position) + len(message["content"])


# Told in several requests to an agent that remembers.

WORDS = st.sampled_from(["a", "é", " ", "\n", "<user>", "</tool_result>", "FUNCTION_CALL_START"])
SAID = st.lists(WORDS, max_size=5).map("".join)
CALLS = st.lists(st.tuples(st.sampled_from(["get_weather", "run"]), st.sampled_from(['{"a": 1}', "{}"])), max_size=3)


SPOKEN = st.builds(Message, st.sampled_from(["user", "system"]), SAID)
Round = tuple[Message, ...]


@st.composite
def dialogues(draw: st.DrawFn) -> list[Round]:
    """What the client sends anew with each request; all but the first begin with the agent's answer."""
    rounds: list[Round] = [(Message("user", draw(SAID)), *draw(st.lists(SPOKEN, max_size=1)))]
    for number in range(draw(st.integers(0, 4))):
        calls = [PastCall(f"{number}.{index}", *call) for index, call in enumerate(draw(CALLS))]
        results = draw(st.permutations([Message("tool", draw(SAID), tool_call_id=call.id) for call in calls]))
        spoken = draw(st.lists(SPOKEN, min_size=not results, max_size=2))
        rounds.append((Message("assistant", draw(SAID), tuple(calls)), *results, *spoken))
    return rounds


def written(answer: Message) -> str:
    """The answer as the agent wrote it, as far as it quotes others as it was told to."""
    calls = (render_call(call.name, call.arguments) for call in answer.calls)
    return "\n".join(filter(None, (disarm(answer.text), *calls)))


def understood(prompt: Prompt) -> object:
    """What it comes to for whoever reads it; an answer without a word is none, and about quotes one is told once."""
    turns = [(turn.role, turn.name, turn.text.split()) for turn in prompt.turns]
    spoken = [turn for turn in turns if turn[0] != "assistant" or turn[2]]
    return prompt.system.partition(f"\n`{QUOTE}`")[0], prompt.rules, prompt.tools, spoken


@given(dialogues(), st.booleans())
def test_what_an_agent_remembers_and_what_is_new_are_together_what_is_told_at_once(
    rounds: list[Round], with_tools: bool
) -> None:
    first, *others = rounds
    asked = ChatRequest((Message("system", "Be brief."), *first), tools=(WEATHER,) if with_tools else ())
    remembered = read_prompt(render(asked))
    for answer, *said in others:
        told = len(asked.messages) + 1
        asked = replace(asked, messages=(*asked.messages, answer, *said))
        remembered = read_prompt(render(asked, told)).after(remembered.answered(written(answer)))
    assert understood(remembered) == understood(read_prompt(render(asked)))
