"""Only what is marked in a document is replaced by results."""

from __future__ import annotations

import pytest

from tests.support.published import Place

PLACE = Place.of("make something")
BEGIN, END = "<!-- results: make something -->\n", "<!-- end of results -->\n"


def test_only_what_is_marked_is_replaced() -> None:
    written = PLACE.publish(f"before\n{BEGIN}old\n{END}after\n", "new\n")
    assert written == f"before\n{BEGIN}new\n{END}after\n"
    assert PLACE.published(written) == "new\n"


@pytest.mark.parametrize("document", ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{END}" * 2])
def test_without_exactly_one_marked_place_nothing_is_written(document: str) -> None:
    with pytest.raises(ValueError, match="unpack"):
        PLACE.publish(document, "new\n")
