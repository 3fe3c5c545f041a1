"""Half characters never leave: pairs are joined, halves replaced."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handler.surrogates import SurrogateJoiner, mend
from tests.support.pieces import cut_into

TEXT = st.text(st.characters() | st.characters(categories=["Cs"]), max_size=20)


@pytest.mark.parametrize(
    ("text", "mended"),
    [("olá 😀", "olá 😀"), ("\ud83d\ude00", "😀"), ("a\ud83d", "a\ufffd"), ("\ude00b", "\ufffdb"), ("", "")],
)
def test_text_is_mended(text: str, mended: str) -> None:
    assert mend(text) == mended


@given(TEXT)
def test_mended_text_can_be_written_and_is_mended_for_good(text: str) -> None:
    mend(text).encode()
    assert mend(mend(text)) == mend(text)


@given(TEXT, st.integers(1, 5))
def test_text_in_pieces_is_mended_like_the_whole(text: str, size: int) -> None:
    joiner = SurrogateJoiner()
    pieces = [joiner.feed(piece) for piece in cut_into(text, size)]
    assert "".join(pieces) + joiner.flush() == mend(text)
