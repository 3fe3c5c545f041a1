"""Which regular expressions of clients are searched, and in how long a text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handler.schema_pattern import MOST_STEPS, read


def is_searched(source: str, size: int) -> bool:
    pattern = read(source)
    assert pattern is not None
    return pattern.steps(size) <= MOST_STEPS


@pytest.mark.parametrize(
    ("source", "at_least"),
    [
        (r"^\d{4}-\d{2}-\d{2}$", 100_000),
        (r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{12}$", 100_000),
        (r"^[A-Za-z0-9_-]+$", 100_000),
        (r"^(GET|POST|PUT)$", 100_000),
        (r"^https?://", 100_000),
        (r"^[^@\s]+@[^@\s]+\.[a-z]+$", 99),
        (r"^v\d+\.\d+\.\d+$", 99),
        (r"\.py$", 100_000),
        (r"[*+?|(){}]", 100_000),
        (r"\(\*\+\?", 100_000),
    ],
)
def test_patterns_as_people_write_them_are_searched(source: str, at_least: int) -> None:
    assert is_searched(source, at_least)


@pytest.mark.parametrize(
    ("source", "above"),
    [
        ("^(a+)+$", 16),
        ("^(a|a|b)*$", 16),
        ("^(?:a?){30}$", 16),
        ("a*a*a*a*b", 25),
        ("a{1,9}" * 9, 10),
        ("^a+b|a+c", 200),
        ("(a?)" * 30, 0),
    ],
)
def test_patterns_that_may_take_long_are_searched_in_short_texts_only(source: str, above: int) -> None:
    assert not is_searched(source, above)


@pytest.mark.parametrize("source", [r"\p{L}", "(", "(?<name>a)", "a{2,1}", "a{99999999999}", "(" * 5_000])
def test_what_python_cannot_read_is_none(source: str) -> None:
    assert read(source) is None


def test_a_warning_of_python_is_not_passed_on() -> None:
    re.purge()  # a pattern that `re` knows warns no more
    assert read("[[a]never read before") is not None


@given(st.text(r"ab*+?{},19()[]|^$\.", max_size=12))
def test_longer_texts_never_take_less(source: str) -> None:
    pattern = read(source)
    if pattern is not None:
        assert [pattern.steps(size) for size in range(9)] == sorted(pattern.steps(size) for size in range(9))
