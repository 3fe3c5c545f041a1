"""Words that end an answer."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from fusion_client.integrations.stop_words import StopWords

TEXT = st.text("ab<", max_size=12)


def expected(text: str, words: list[str]) -> str:
    return text[: min((text.find(word) for word in words if word and word in text), default=len(text))]


@given(st.lists(TEXT, max_size=6), st.lists(st.text("ab<", max_size=3), max_size=3))
@example(["a<", "<b"], ["<<b"])
@example(["ba", "a"], ["a", "baa"])
def test_pieces_end_where_the_whole_ends(pieces: list[str], words: list[str]) -> None:
    stop = StopWords(words)
    passed = "".join(map(stop.feed, pieces)) + stop.flush()
    text = "".join(pieces)
    assert passed == StopWords(words).whole(text) == expected(text, words)
    assert stop.met == any(word and word in text for word in words)


@given(TEXT, st.text("xyz", min_size=1, max_size=3))
def test_text_that_cannot_begin_a_word_is_passed_on_at_once(text: str, word: str) -> None:
    assert StopWords([word]).feed(text) == text


def test_nothing_is_held_without_words() -> None:
    assert StopWords().feed("all of it") == "all of it"


def test_nothing_passes_behind_a_word() -> None:
    stop = StopWords(["<end>"])
    assert [stop.feed("One <e"), stop.feed("nd> Two"), stop.feed(" Three"), stop.flush()] == ["One ", "", "", ""]
