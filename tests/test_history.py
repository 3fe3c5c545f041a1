"""A history that a client sends back is known again, whatever the client made of it, and no other is taken for it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from custom_handler.attachments import FileReference, Files
from custom_handler.history import past, told
from custom_handler.request import Message, PastCall, parse
from tests.support.files import GIF, PNG, data_url

USER, SYSTEM = Message("user", "Read a.py and b.py."), Message("system", "Be brief.")
CALLS = (PastCall("c1", "read", '{"path": "a.py", "lines": 10}'), PastCall("c2", "read", '{"path": "b.py"}'))
CALLED = Message("assistant", "I read them.\n", CALLS)
RESULTS = (Message("tool", "one", tool_call_id="c1"), Message("tool", "two", tool_call_id="c2"))
ANSWER = Message("assistant", "Both are short.\n\nAnything else?")
Messages = tuple[Message, ...]


def said(
    user: Message = USER, called: Messages = (CALLED,), results: Messages = RESULTS, answer: Messages = (ANSWER,)
) -> Messages:
    """The history of these tests, with something of it changed."""
    return (user, *called, *results, *answer)


def calling(*calls: PastCall, text: str = CALLED.text) -> Messages:
    return (Message("assistant", text, calls),)


def asking_with(image: bytes) -> Message:
    """The question, with an image of the same name each time."""
    reference = FileReference(data_url(image, "image/png" if image == PNG else "image/gif"), "image", "messages[0]")
    return replace(USER, files=(Files().add(reference),))


# What clients change

SAME = {
    "system text": (SYSTEM, SYSTEM, *said()),
    "white space around a question": said(replace(USER, text="\n Read a.py and b.py.  ")),
    "white space in an answer": said(answer=(replace(ANSWER, text=" Both are short.\nAnything else? \n"),)),
    "an answer in two messages": said(
        answer=(Message("assistant", "Both are short."), Message("assistant", "Anything else?"))
    ),
    "text and calls in two messages": said(called=(Message("assistant", "I read them."), *calling(*CALLS, text=""))),
    "a message for each call": said(called=(*calling(CALLS[0]), *calling(CALLS[1], text=""))),
    "arguments written anew": said(
        called=calling(replace(CALLS[0], arguments='{"lines":10.0,"path":"a.py"}'), CALLS[1])
    ),
    "other ids": said(
        called=calling(*(replace(call, id=f"x{call.id}") for call in CALLS)),
        results=tuple(replace(result, tool_call_id=f"x{result.tool_call_id}") for result in RESULTS),
    ),
}


@pytest.mark.parametrize("sent", SAME.values(), ids=SAME)
def test_it_is_the_same_history_with(sent: Messages) -> None:
    assert past(sent) == past(said())


@pytest.mark.parametrize("content", [None, "", [], [{"type": "text", "text": ""}]])
def test_a_turn_of_calls_alone_has_no_content_in_whatever_form(content: object) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "read", "arguments": "{}"}}
    told = [{"role": "user", "content": "Read."}, {"role": "assistant", "content": content, "tool_calls": [call]}]
    expected = (Message("user", "Read."), *calling(PastCall("", "read", "{}"), text=""))
    assert past(parse(told, {}).messages) == past(expected)


def test_a_text_in_parts_is_the_same_text() -> None:
    parts = [{"type": "text", "text": "Both are short."}, {"type": "output_text", "text": "Anything else?"}]
    assert past((USER, *parse([{"role": "assistant", "content": parts}], {}).messages)) == past((USER, ANSWER))


def test_what_an_answer_says_beside_its_calls_can_be_told_from_nothing_and_from_something_else() -> None:
    spoken, silent, other = (past((USER, *calling(*CALLS, text=text))) for text in ("I read.", "", "I write."))
    assert spoken.head == silent.head == other.head
    assert silent.beside == ""
    assert len({spoken.beside, silent.beside, other.beside}) == 3


UNREADABLE = ['{"a": ', "[" * 100_000, '{"a": ' + "9" * 5_000 + "}", '{"a": 1e999}', '{"a": "\ud83d"}']


@pytest.mark.parametrize("arguments", UNREADABLE, ids=["cut", "deep", "long number", "infinite", "half a character"])
def test_arguments_that_cannot_be_read_are_taken_as_they_are(arguments: str) -> None:
    def head(text: str) -> str:
        return past((USER, *calling(PastCall("c", "read", text)))).head

    assert head(arguments) == head(f" {arguments}\n") != head(arguments + "x")


# What is another history

OTHER = {
    "without its beginning": said()[1:],
    "another question": said(replace(USER, text="Read a.py and c.py.")),
    "white space inside a question": said(replace(USER, text="Read  a.py and b.py.")),
    "a question twice": (USER, *said()),
    "an image beside a question": said(asking_with(PNG)),
    "a result with an image": said(results=(replace(RESULTS[0], files=asking_with(PNG).files), RESULTS[1])),
    "a system message in the middle": (USER, SYSTEM, *said()[1:]),
    "a question as system text": said(Message("system", USER.text)),
    "results in another order": said(results=RESULTS[::-1]),
    "results of each other's calls": said(
        results=(replace(RESULTS[0], tool_call_id="c2"), replace(RESULTS[1], tool_call_id="c1"))
    ),
    "a result less": said(results=RESULTS[:1]),
    "without the text beside earlier calls": said(called=calling(*CALLS, text="")),
    "a call less": said(called=calling(CALLS[0])),
    "a call of another tool": said(called=calling(replace(CALLS[0], name="write"), CALLS[1])),
    "a call with other arguments": said(called=calling(replace(CALLS[0], arguments='{"path": "a.py"}'), CALLS[1])),
    "another answer": said(answer=(replace(ANSWER, text="Both are long."),)),
    "a turn more": (*said(), USER, ANSWER),
}


@pytest.mark.parametrize("sent", OTHER.values(), ids=OTHER)
def test_it_is_another_history(sent: Messages) -> None:
    assert past(sent).head != past(said()).head


TEXTS = st.text(st.sampled_from('ab" \n{}'), max_size=6)
ARGUMENTS = st.dictionaries(TEXTS, TEXTS | st.integers(-3, 3) | st.none(), max_size=2).map(json.dumps)
ASSISTANT = st.builds(
    Message, st.just("assistant"), TEXTS, st.lists(st.builds(PastCall, TEXTS, TEXTS, ARGUMENTS), max_size=2).map(tuple)
)
OTHERS = st.builds(Message, st.sampled_from(["user", "system"]), TEXTS) | st.builds(
    Message, st.just("tool"), TEXTS, tool_call_id=TEXTS
)
MESSAGES = st.lists(OTHERS | ASSISTANT, max_size=4).map(lambda messages: (USER, *messages))


@given(MESSAGES, OTHERS, OTHERS, ASSISTANT)
def test_a_turn_that_is_changed_makes_another_history(
    messages: Messages, one: Message, other: Message, answer: Message
) -> None:
    assume((one.role, one.text.strip()) != (other.role, other.text.strip()))
    assert past((*messages, one, answer)).head != past((*messages, other, answer)).head


@given(MESSAGES, ASSISTANT)
def test_the_hash_of_a_history_does_not_depend_on_how_it_is_cut_into_requests(
    messages: Messages, answer: Message
) -> None:
    sent = (*messages, answer, USER)
    assert told(sent) == len(messages) + 1
    assert past(sent[: told(sent)]) == past((*messages, answer))


# What of a request the agent may know


@pytest.mark.parametrize(
    ("messages", "count"),
    [
        ((USER,), None),
        ((SYSTEM, USER), None),
        ((USER, ANSWER), None),
        ((USER, ANSWER, USER), 2),
        (said()[:4], 2),
        ((SYSTEM, *said(), USER, SYSTEM), 6),
    ],
)
def test_the_agent_may_know_all_up_to_its_last_answer_where_something_follows(
    messages: Messages, count: int | None
) -> None:
    assert told(messages) == count


def test_another_image_makes_another_history() -> None:
    assert past(said(asking_with(PNG))) == past(said(asking_with(PNG)))
    assert past(said(asking_with(PNG))) != past(said(asking_with(GIF)))
