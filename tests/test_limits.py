"""Stop words and length: where an answer ends before the model does, whatever the pieces it comes in."""

from __future__ import annotations

import re

import litellm
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_handler.limits import LengthLimit, StopFilter
from tests.support.pieces import cut_at, cut_into

CUTS = st.lists(st.integers(0, 60), max_size=12)
EVERYWHERE = list(range(1, 400))


# --- stop words ---


def stopped_text(pieces: list[str], stops: list[str]) -> tuple[str, bool]:
    stop = StopFilter(stops)
    return "".join([stop.feed(piece) for piece in pieces]) + stop.flush(), stop.stopped


def before_first_stop(text: str, stops: list[str]) -> tuple[str, bool]:
    """The rule, on the whole text."""
    starts = [text.find(stop) for stop in stops if stop and stop in text]
    return (text[: min(starts)], True) if starts else (text, False)


@pytest.mark.parametrize(
    ("text", "stops", "given_out"),
    [
        ("Thought: go.\nObservation: 5", ["Observation:", "Calling tools:"], "Thought: go.\n"),
        ("one two three", ["three", "two"], "one "),
        ("one two", ["two words", "two"], "one "),
        ("xabcd", ["abcd", "bc"], "x"),
        ("xabce", ["abcd", "bc"], "xa"),
        ("xabc", ["abcd", "bc"], "xa"),
        ("aaab", ["aab"], "a"),
        ("aabaaabaaac", ["aabaaac"], "aaba"),
        ("a.bb", ["abb"], "a.bb"),
        ("a\nb", ["\n"], "a"),
        ("olá 😀! fim", ["😀!"], "olá "),
        ("e\u0301", ["\u0301"], "e"),
        ("stop", ["stop"], ""),
        ("sto", ["stop"], "sto"),
        ("text", ["", "x"], "te"),
        ("text", [""], "text"),
        ("text", [], "text"),
    ],
)
def test_text_ends_where_the_first_stop_word_begins(text: str, stops: list[str], given_out: str) -> None:
    for cuts in ([], EVERYWHERE, [1], [2], [3]):
        assert stopped_text(cut_at(text, cuts), stops) == (given_out, given_out != text)


@given(st.text("ab\U0001f600", max_size=50), st.lists(st.text("ab\U0001f600", max_size=6), max_size=4), CUTS)
def test_stop_words_are_found_in_pieces_as_in_the_whole(text: str, stops: list[str], cuts: list[int]) -> None:
    assert stopped_text(cut_at(text, cuts), stops) == before_first_stop(text, stops)


@given(st.text("ab", max_size=40), st.lists(st.text("ab", min_size=1, max_size=6), max_size=4), CUTS)
def test_only_the_beginning_of_a_stop_word_is_held_back(text: str, stops: list[str], cuts: list[int]) -> None:
    stop, read, given_out = StopFilter(stops), "", ""
    for piece in cut_at(text, cuts):
        read, given_out = read + piece, given_out + stop.feed(piece)
        if stop.stopped:
            break
        held = read[len(given_out) :]
        assert read.startswith(given_out)
        assert not held or any(word.startswith(held) and word != held for word in stops)


def test_nothing_is_given_out_after_a_stop_word() -> None:
    stop = StopFilter(["."])
    assert stop.feed("One. Two") == "One"
    assert stop.stopped
    assert stop.feed(" Three") == ""
    assert stop.flush() == ""


def test_a_stop_word_is_known_as_soon_as_it_is_complete() -> None:
    stop = StopFilter(["END"])
    assert (stop.feed("textEN"), stop.stopped) == ("text", False)
    assert (stop.feed("D"), stop.stopped) == ("", True)


def test_a_longer_stop_word_does_not_delay_the_one_it_begins_with() -> None:
    stop = StopFilter(["two words", "two"])
    assert (stop.feed("one two"), stop.stopped) == ("one ", True)


class Comparisons(str):
    """A text that counts how often one of its characters was asked for."""

    asked = 0

    def __getitem__(self, key: object) -> str:
        self.asked += 1
        return super().__getitem__(key)  # type: ignore[index]  # it is what str takes


@pytest.mark.parametrize("piece", [1, 7])
def test_partial_matches_cost_no_second_look(piece: int) -> None:
    word, text = Comparisons("a" * 500 + "b"), "a" * 20_000
    stop = StopFilter([word])
    assert sum(len(stop.feed(part)) for part in cut_into(text, piece)) == 19_500
    assert word.asked < 8 * len(text)


# --- length ---


def limited(pieces: list[str], max_tokens: int) -> tuple[str, bool]:
    limit = LengthLimit(max_tokens, words_and_signs)
    return "".join([limit.feed(piece) for piece in pieces]) + limit.flush(), limit.exceeded


def words_and_signs(text: str) -> int:
    """A tokenizer: up to three letters, or one other sign, with the spaces before them, are a token."""
    return len(re.findall(r"\s*\w{1,3}|\s*[^\w\s]|\s+$", text))


def tokens_of(text: str) -> int:
    """What the provider counts with."""
    return int(litellm.token_counter(model="", text=text))


@pytest.mark.parametrize(
    ("text", "max_tokens", "given_out"),
    [
        ("one two six", 3, "one two six"),
        ("one two six", 2, "one two"),
        ("one two six", 1, "one"),
        ("one\n\n  two", 1, "one"),
        ("one  ", 1, "one"),
        ("wonderful", 2, "wonder"),
        ("a wonderful day", 3, "a wonder"),
        ("x", 1, "x"),
        ("", 1, ""),
        ("!" * 100, 70, "!" * 70),
        ("word " * 100, 150, "word " * 74 + "word"),
    ],
)
def test_text_ends_with_the_last_token_allowed(text: str, max_tokens: int, given_out: str) -> None:
    for cuts in ([], EVERYWHERE, [1], [2], [40]):
        given, exceeded = limited(cut_at(text, cuts), max_tokens)
        assert (given, exceeded) == (given_out, given_out != text)


TEXTS = st.text(st.sampled_from("ab cd\n.!\r\u0301\u200d\U0001f600\U0001f3fd\U0001f1e7"), max_size=120)


@given(TEXTS, st.integers(1, 60), CUTS)
@example(" " * 70 + "a" * 70, 2, [33])
def test_length_does_not_depend_on_the_pieces(text: str, max_tokens: int, cuts: list[int]) -> None:
    given_out, exceeded = limited(cut_at(text, cuts), max_tokens)
    assert (given_out, exceeded) == limited([text], max_tokens)
    assert text.startswith(given_out)
    assert exceeded == (given_out != text)


@given(st.lists(st.text("abcdefg", min_size=1, max_size=9), max_size=40), st.integers(1, 80), CUTS)
def test_as_much_is_given_out_as_the_tokens_allow(words: list[str], max_tokens: int, cuts: list[int]) -> None:
    text = " ".join(words)
    given_out, _ = limited(cut_at(text, cuts), max_tokens)
    fitting = [size for size in range(len(text) + 1) if words_and_signs(text[:size]) <= max_tokens]
    longest = text[: max(fitting)]
    assert given_out in {longest, longest.rstrip()}  # the space belongs to the word that no longer fits


TOGETHER = {
    "letter and accent": "e\u0301",
    "person and job": "\U0001f469\u200d\U0001f4bb",
    "skin tone": "\U0001f44d\U0001f3fd",
    "flag": "\U0001f1e7\U0001f1f7",
    "flag of a region": "\U0001f3f4\U000e0067\U000e007f",
    "line break": "\r\n",
    "vowel sign": "\u0915\u093f",
    "halves of a pair": "\ud83d\ude00",
}


@pytest.mark.parametrize("together", TOGETHER.values(), ids=TOGETHER.keys())
@pytest.mark.parametrize("before", ["", "x", "x" * 31, "x" * 63])
def test_what_is_read_as_one_character_is_not_cut(together: str, before: str) -> None:
    for max_tokens in range(1, 80):
        limit = LengthLimit(max_tokens, len)
        given_out = limit.feed(before + together + "x" * 20) + limit.flush()
        assert not given_out[len(before) : len(before) + len(together)] or together in given_out


def test_a_character_without_end_is_cut_all_the_same() -> None:
    assert limited(["e" + "\u0301" * 1000], 300)[1]


@pytest.mark.parametrize("text", ["Brazilian Portuguese text, ação e reação. " * 200, "漢字" * 900, "{}[]:=;\n" * 500])
@pytest.mark.parametrize("max_tokens", [1, 10, 500, 2000])
def test_with_the_real_tokenizer_the_limit_is_kept_and_used(text: str, max_tokens: int) -> None:
    limit = LengthLimit(max_tokens, tokens_of)
    given_out = limit.feed(text) + limit.flush()
    assert 0.9 * min(max_tokens, tokens_of(text)) - 1 <= tokens_of(given_out) <= 1.02 * max_tokens


class Counter:
    """Counts like `words_and_signs` and remembers what it was asked for."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, text: str) -> int:
        self.texts.append(text)
        return words_and_signs(text)


def test_a_short_answer_is_never_counted() -> None:
    counter = Counter()
    limit = LengthLimit(4096, counter)
    text = "uma resposta curta " * 200
    assert "".join([limit.feed(character) for character in text]) + limit.flush() == text
    assert counter.texts == []


def test_a_long_answer_is_counted_once_in_few_stretches() -> None:
    counter = Counter()
    limit = LengthLimit(40_000, counter)
    text = "internationalization of answers " * 4_000
    given_out = "".join([limit.feed(piece) for piece in cut_into(text, 10)]) + limit.flush()
    assert limit.exceeded
    assert len(counter.texts) < 100
    assert sum(map(len, counter.texts)) < 1.1 * len(given_out)


def test_far_from_the_limit_text_passes_at_once() -> None:
    limit = LengthLimit(1000, words_and_signs)
    assert [limit.feed(piece) for piece in ("Hel", "lo, w", "orld")] == ["Hel", "lo, w", "orld"]
    assert limit.flush() == ""


def test_near_the_limit_only_the_last_word_waits() -> None:
    limit = LengthLimit(5, words_and_signs)
    assert [limit.feed(piece) for piece in ("one", " two", " th")] == ["", "one", " two"]
    assert limit.flush() == " th"


def test_nothing_is_given_out_beyond_the_limit() -> None:
    limit = LengthLimit(1, words_and_signs)
    assert limit.feed("one two six") == "one"
    assert limit.exceeded
    assert limit.feed(" ten ") + limit.flush() == ""
