"""The prompt budget: a conversation that is too long is made to fit, with as little harm as can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handler.budget import Fitted, certainly_fits, fit, smaller
from custom_handler.prompt import render
from custom_handler.request import ChatRequest, Message, PastCall, Tool

SYSTEM = Message("system", "Be brief.")
TOOLS = (Tool("read", "Reads a file.", {"type": "object"}),)


def four_characters_each(text: str) -> int:
    return -(-len(text) // 4)


def digits_each_other_characters_by_eight(text: str) -> int:
    """Tokens of a text whose density is uneven."""
    digits = sum(map(str.isdigit, text))
    return digits + -(-(len(text) - digits) // 8)


class Counter:
    """Counts tokens, and how often it was asked."""

    def __init__(self, count: Callable[[str], int] = four_characters_each) -> None:
        self.asked = 0
        self._count = count

    def __call__(self, text: str) -> int:
        self.asked += 1
        return self._count(text)


def step(number: int, result: str = "ok", results: int = 1) -> tuple[Message, ...]:
    """An assistant turn with `results` calls, and their results."""
    ids = [f"c{number}.{at}" for at in range(results)]
    calls = tuple(PastCall(name, "read", f'{{"n": {number}}}') for name in ids)
    return (
        Message("assistant", f"Step {number}.", calls),
        *(Message("tool", result, tool_call_id=name) for name in ids),
    )


def chat(turns: int, size: int = 1_000) -> Iterator[Message]:
    for number in range(turns):
        yield Message("user", f"Question {number} ".ljust(size, "q"))
        yield Message("assistant", f"Answer {number} ".ljust(size, "a"))


def request(*messages: Message) -> ChatRequest:
    return ChatRequest(messages, TOOLS)


def fitted(asked: ChatRequest, limit: int, **options: Any) -> Fitted:
    return fit(asked, limit, four_characters_each, **options)


LONG_CHAT = request(SYSTEM, *chat(20), Message("user", "And now?"))


def test_what_fits_is_not_touched() -> None:
    unchanged = fitted(LONG_CHAT, 50_000)
    assert unchanged.request is LONG_CHAT
    assert unchanged.fits
    assert unchanged.summary == ""


def test_what_certainly_fits_is_told_by_its_bytes_since_other_scripts_have_more_tokens() -> None:
    assert certainly_fits("x" * 4_000, 2_000)
    assert not certainly_fits("x" * 4_001, 2_000)
    assert not certainly_fits("汉" * 2_400, 2_000)


def test_the_oldest_turns_go_first_and_the_model_is_told() -> None:
    cut = fitted(LONG_CHAT, 3_000)
    system, note, *kept = cut.request.messages
    assert system is SYSTEM
    assert note == Message("system", f"[{cut.dropped_turns} earlier messages were left out to fit the model's limit]")
    assert tuple(kept) == LONG_CHAT.messages[1 + cut.dropped_turns :]
    assert note.text in render(cut.request)
    assert cut.fits


def test_one_message_left_out_is_told_in_the_singular() -> None:
    asked = request(Message("user", "x" * 4_000), Message("assistant", "Yes."), Message("user", "Thanks."))
    note = fitted(asked, 600).request.messages[0]
    assert note.text == "[1 earlier message was left out to fit the model's limit]"


def test_no_more_turns_go_than_about_one_too_many() -> None:
    tokens_of_a_turn = 260
    for limit in range(1_000, 10_000, 333):
        cut = fitted(LONG_CHAT, limit)
        assert cut.tokens is not None
        assert limit * 0.98 - 2 * tokens_of_a_turn < cut.tokens <= limit


def test_three_counts_are_enough_for_an_even_text() -> None:
    for limit in range(1_000, 10_000, 333):
        count = Counter()
        assert fit(LONG_CHAT, limit, count).fits
        assert count.asked <= 3


def test_an_uneven_text_takes_more_counts_but_not_many() -> None:
    count = Counter(digits_each_other_characters_by_eight)
    dense = (Message("user", "1234567890" * 20) for _ in range(300))
    asked = request(*chat(500, size=200), *dense, Message("user", "And now?"))
    assert fit(asked, 5_000, count).fits
    assert 3 < count.asked <= 10


def test_an_uneven_result_takes_more_counts_but_not_many() -> None:
    count = Counter(digits_each_other_characters_by_eight)
    result = "1" * 20_000 + "r" * 400_000 + "1" * 20_000
    assert fit(request(Message("user", "Do it."), *step(1, result)), 5_000, count).fits
    assert 3 <= count.asked <= 10


def test_a_call_and_its_results_stay_or_go_together() -> None:
    steps = [message for number in range(30) for message in step(number, "r" * 300, results=1 + number % 3)]
    asked = request(SYSTEM, Message("user", "Do it."), *steps, Message("user", "And now?"))
    for limit in range(1_000, 4_000, 97):
        cut = fitted(asked, limit)
        assert cut.fits
        assert_calls_and_results_are_together(cut.request.messages, asked.messages)


def test_a_late_result_keeps_its_call_and_all_that_follows_it() -> None:
    late = (Message("user", "And now?"), Message("tool", "late", tool_call_id="c1.0"))
    call = step(1)[0]
    asked = request(*chat(5), call, *step(2), *chat(4), *late)
    cut = fitted(asked, 2_000)
    assert call in cut.request.messages
    assert cut.request.messages[1:] == asked.messages[10:]
    assert not cut.fits


def test_a_result_whose_call_has_no_id_goes_with_the_call_before_it() -> None:
    call = Message("assistant", "a" * 4_000, (PastCall("", "read", "{}"),))
    asked = request(*chat(3), call, Message("tool", "r" * 400), Message("user", "And now?"))
    assert fitted(asked, 900).request.messages[1:] == asked.messages[-1:]


def test_a_result_without_any_call_goes_by_itself() -> None:
    asked = request(Message("tool", "r" * 9_000, tool_call_id="c9"), Message("user", "And now?"))
    assert fitted(asked, 900).dropped_turns == 1


def test_system_text_in_the_middle_stays() -> None:
    middle, count = Message("system", "In Portuguese! " * 300), Counter()
    asked = request(SYSTEM, *chat(5), middle, *chat(9), Message("user", "And now?"))
    cut = fit(asked, 3_000, count)
    assert [message for message in cut.request.messages if message in (SYSTEM, middle)] == [SYSTEM, middle]
    assert cut.fits
    assert count.asked <= 3


def test_the_last_question_and_what_follows_stay_and_large_results_are_cut() -> None:
    small, large = step(1, "small"), step(2, "".join(f"line {number}\n" for number in range(5_000)))
    asked = request(SYSTEM, *chat(3), Message("user", "Do it."), *small, *large)
    cut = fitted(asked, 2_000)
    assert cut.fits
    assert cut.dropped_turns == 6
    assert cut.request.messages[2:-1] == asked.messages[7:-1]
    result, whole = cut.request.messages[-1].text, large[1].text
    head, marker, tail = result.split("\n[… ")[0], result.split("\n")[-1], result.split("…]\n")[1]
    assert whole.startswith(head)
    assert whole.endswith(tail)
    assert abs(len(head) - len(tail)) <= 1
    assert f"\n[… {len(whole) - len(head) - len(tail):,} characters were cut out here" in result
    assert marker == ""
    assert cut.cut_results == 1
    assert cut.cut_characters == len(whole) - len(result)


def test_turns_that_need_not_go_stay_when_the_results_can_not_be_cut_anyway() -> None:
    asked = request(*chat(3), Message("user", "Do it."), *step(1, "short"))
    cut = fitted(asked, 1_600)
    assert (cut.cut_results, cut.fits) == (0, True)


def test_only_the_largest_results_are_cut_and_to_the_same_size() -> None:
    sizes = [600, 20_000, 900, 30_000, 5_000]
    asked = request(
        Message("user", "Do it."), *(message for at, size in enumerate(sizes) for message in step(at, "r" * size))
    )
    cut = fitted(asked, 5_000)
    left = [len(message.text) for message in cut.request.messages if message.role == "tool"]
    assert cut.fits
    assert (left[0], left[2], left[4]) == (600, 900, 5_000)
    assert left[1] == left[3] > 5_000


def test_a_result_is_cut_to_four_hundred_characters_but_not_to_less() -> None:
    cut = fitted(request(Message("user", "Do it."), *step(1, "r" * 450), *step(2, "r" * 400)), 10)
    assert [len(message.text) for message in cut.request.messages if message.role == "tool"] == [400, 400]
    assert (cut.cut_results, cut.cut_characters) == (1, 50)


def test_what_cannot_be_made_to_fit_says_so() -> None:
    asked = request(SYSTEM, *chat(3), Message("user", "q" * 50_000), *step(1, "r" * 5_000))
    cut = fitted(asked, 1_000)
    assert not cut.fits
    assert cut.request.messages[2] is asked.messages[7]
    assert len(cut.request.messages[-1].text) == 400
    assert cut.summary.endswith("still above the limit")


def test_what_cannot_be_made_to_fit_is_found_out_with_two_counts() -> None:
    count = Counter()
    assert not fit(LONG_CHAT, 10, count).fits
    assert count.asked == 2


def test_a_rendering_that_does_not_get_shorter_is_given_up() -> None:
    asked = request(Message("user", "Do it."), *step(1, "r" * 450))
    assert not fitted(asked, 10, render=lambda _: "x" * 1_000).fits


def test_only_system_text_cannot_be_made_to_fit() -> None:
    asked = request(Message("system", "s" * 9_000))
    assert fitted(asked, 100) == Fitted(asked, render(asked), tokens=four_characters_each(render(asked)), fits=False)


def test_a_conversation_without_a_question_keeps_its_last_turn() -> None:
    asked = request(*(Message("assistant", f"{number}".ljust(4_000)) for number in range(5)))
    assert fitted(asked, 1_600).request.messages[1:] == asked.messages[-1:]


def test_the_summary_tells_numbers_and_nothing_of_the_text() -> None:
    asked = request(*chat(3), Message("user", "Do it."), *step(1, "secret" * 5_000))
    cut = fitted(asked, 1_000)
    assert cut.summary == (
        f"Prompt budget: 6 of the oldest messages left out, 1 tool results cut by {cut.cut_characters} characters; "
        f"{cut.tokens} tokens"
    )


def test_another_rendering_can_be_measured() -> None:
    assert fitted(LONG_CHAT, 10, render=lambda asked: "x" * len(asked.messages)).dropped_turns == 3


TEXTS = st.integers(0, 3_000).map(lambda size: "x" * size)


@st.composite
def conversations(draw: st.DrawFn) -> ChatRequest:
    messages: list[Message] = []
    for number in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from(["user", "assistant", "system", "step", "step"]))
        if kind == "step":
            messages += step(number, draw(TEXTS), draw(st.integers(1, 3)))
        else:
            messages.append(Message(kind, draw(TEXTS)))  # type: ignore[arg-type] # one of the roles above
    return request(*messages)


def assert_calls_and_results_are_together(kept: Sequence[Message], all_messages: Sequence[Message]) -> None:
    calls = [call.id for message in kept for call in message.calls]
    results = [message.tool_call_id for message in kept if message.role == "tool"]
    answered = {message.tool_call_id for message in all_messages if message.role == "tool"}
    assert [call for call in calls if call in answered] == results


@given(
    conversations(),
    st.integers(1, 6_000),
    st.sampled_from([four_characters_each, digits_each_other_characters_by_eight]),
)
def test_whatever_the_conversation(asked: ChatRequest, limit: int, count: Any) -> None:
    cut = fit(asked, limit, count)
    kept, all_messages = cut.request.messages, asked.messages
    # It fits, or says that it does not.
    assert cut.tokens == count(render(cut.request))
    assert cut.fits == (count(render(cut.request)) <= limit)
    # Only turns at the front went, and their number is told once.
    notes = [message for message in kept if message.text.endswith("left out to fit the model's limit]")]
    turns = [message for message in kept if message.role != "system"]
    before = [message for message in all_messages if message.role != "system"]
    assert len(before) - len(turns) == cut.dropped_turns
    assert [note.text.split()[0] for note in notes] == ([f"[{cut.dropped_turns}"] if cut.dropped_turns else [])
    # What is kept is in order and unaltered, but for the results that were cut.
    altered = [(old, new) for old, new in zip(before[cut.dropped_turns :], turns, strict=True) if old is not new]
    assert len(altered) == cut.cut_results
    assert all(old.role == "tool" and len(new.text) < len(old.text) for old, new in altered)
    assert sum(len(old.text) - len(new.text) for old, new in altered) == cut.cut_characters
    # System text, tools and the last question stay; calls and results stay together.
    assert [m for m in kept if m.role == "system" and m not in notes] == [m for m in all_messages if m.role == "system"]
    assert cut.request.tools is asked.tools
    assert [m for m in turns if m.role == "user"][-1:] == [m for m in before if m.role == "user"][-1:]
    assert_calls_and_results_are_together(kept, all_messages)
    # Once more changes nothing.
    assert fit(cut.request, limit, count).request == cut.request


REFUSAL = "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in {} tokens. Reduce them."


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (REFUSAL.format(544_000), 95_000),
        (REFUSAL.format("544,000").replace("272000", "272,000"), 95_000),
        (REFUSAL.format("544.000"), 95_000),
        (REFUSAL.format(272_001), 189_999),
        (REFUSAL.format(1_000), 150_000),  # less than the limit: not to be believed
        (REFUSAL.format("too many"), 150_000),
        ("Your messages resulted in 544000 tokens.", 150_000),
        ("The prompt is too long for the agent's model.", 150_000),
        ("", 150_000),
    ],
)
def test_a_refused_prompt_is_made_smaller_in_proportion(told: str, expected: int) -> None:
    assert smaller(200_000, told) == expected


def test_there_is_always_room_for_one_token() -> None:
    assert smaller(1, REFUSAL.format(10**9)) == 1


@given(st.integers(2_000, 10**7), st.integers(1, 10**7), st.integers(1, 10**7))
def test_a_second_try_is_always_smaller(counted: int, limit: int, size: int) -> None:
    told = f"the configured limit of {limit} tokens. Your messages resulted in {size} tokens."
    assert 1 <= smaller(counted, told) < counted
