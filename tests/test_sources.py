"""What an answer draws on: every likely form, and nothing twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handler.events import Source
from custom_handler.upstream.sources import merged, read_sources

URL = "https://wiki.example.com/a"
URN = "urn:stackspot:knowledge-source:"


@pytest.mark.parametrize(
    ("fields", "sources"),
    [
        ({}, []),
        ({"source": [], "cross_account_source": [], "knowledge_source_id": []}, []),
        ({"source": None, "knowledge_source_id": None}, []),
        ({"source": ["Manual"]}, [Source("Manual", "")]),
        ({"source": "Manual"}, [Source("Manual", "")]),
        ({"source": [URL]}, [Source(URL, URL)]),
        ({"source": [{"name": "Manual", "url": URL}]}, [Source("Manual", URL)]),
        ({"source": {"name": "Manual", "url": URL}}, [Source("Manual", URL)]),
        ({"source": [{"title": "Manual", "link": URL, "id": "ks 1"}]}, [Source("Manual", URL)]),
        ({"source": [{"name": "Manual", "knowledge_source_id": "ks/1"}]}, [Source("Manual", f"{URN}ks%2F1")]),
        ({"source": [{"id": "ks"}]}, [Source("ks", f"{URN}ks")]),
        ({"source": [{"name": "Manual", "url": "javascript:alert(1)"}]}, [Source("Manual", "")]),
        ({"cross_account_source": [{"name": "Other", "url": URL}]}, [Source("Other", URL)]),
        ({"knowledge_source_id": ["a", "b"]}, [Source("a", f"{URN}a"), Source("b", f"{URN}b")]),
        ({"knowledge_source_id": "a"}, [Source("a", f"{URN}a")]),
        (
            {"source": [{"knowledge_source_id": "a", "name": "Manual"}], "knowledge_source_id": ["a", "b"]},
            [Source("Manual", f"{URN}a"), Source("b", f"{URN}b")],
        ),
        ({"source": ["a"], "knowledge_source_id": ["a"]}, [Source("a", f"{URN}a")]),
        ({"source": ["Manual", "Manual", {"name": "Manual"}]}, [Source("Manual", "")]),
        ({"source": [5, None, {}, {"name": ""}, [], {"name": 5}], "knowledge_source_id": [5, {}]}, []),
    ],
)
def test_every_likely_form_is_read(fields: dict[str, Any], sources: list[Source]) -> None:
    assert read_sources(fields) == tuple(sources)


NAMES = st.sampled_from(["name", "url", "id", "source"]) | st.text()
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
)


@given(JSON, JSON, JSON)
def test_nothing_is_too_odd_to_be_read(source: Any, cross: Any, ids: Any) -> None:
    found = read_sources({"source": source, "cross_account_source": cross, "knowledge_source_id": ids})
    assert len(set(found)) == len(found)
    assert all(each.title and each.url.startswith(("", "http", URN)) for each in found)


def test_later_frames_add_what_is_new() -> None:
    a, b = Source("a", ""), Source("b", "")
    assert merged((a,), (a, b)) == (a, b)
    assert len(merged((), (Source(str(n), "") for n in range(500)))) == 100
