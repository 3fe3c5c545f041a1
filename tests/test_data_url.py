"""Data URLs: every one that is written is read, and nothing else passes for one."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handler.data_url import LONGEST_NAME, DataUrl, is_data_url, of_base64, read, with_name

MEDIA_TYPES = st.just("") | st.from_regex(r"[a-z]{1,9}/[a-z0-9.+-]{1,20}", fullmatch=True)


@given(st.binary(), MEDIA_TYPES, st.text())
def test_what_is_written_is_read(data: bytes, media_type: str, name: str) -> None:
    url = of_base64(base64.b64encode(data).decode(), media_type, name)
    told = name.encode("utf-8", "replace").decode()  # half a character has no form in an address
    assert read(url) == DataUrl(media_type, told, data)


@given(st.binary())
def test_what_is_escaped_is_read(data: bytes) -> None:
    assert read(f"data:,{quote(data, safe='=')}").data == data


def test_the_longest_name_is_read_by_its_end() -> None:
    url = with_name("data:application/pdf;base64,YQ==", "\U0001f600" * 2000 + ".pdf")
    assert read(url).name == "\U0001f600" * (LONGEST_NAME - 4) + ".pdf"


@given(st.text())
def test_whatever_follows_the_scheme_is_read_or_refused(rest: str) -> None:
    try:
        found = read(f"data:{rest}")
    except ValueError:
        return
    assert isinstance(found.data, bytes)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("data:image/png;base64,iVBO", DataUrl("image/png", "", b"\x89PN")),
        ("DATA:Image/PNG;BASE64,iVBO", DataUrl("image/png", "", b"\x89PN")),
        ("data:;base64,YQ==", DataUrl("", "", b"a")),
        ("data:,a%20b", DataUrl("", "", b"a b")),
        ("data:,a=41=\n%3d_%0A\r\n%41 \n", DataUrl("", "", b"a=41=\n=_\n\r\nA \n")),
        ("data:text/plain;charset=utf-8,%C3%A9, d", DataUrl("text/plain", "", "é, d".encode())),
        ("data:text/plain; charset=utf-8 ;base64,YQ==", DataUrl("text/plain", "", b"a")),
        ("data:text/csv;name=a%20b.csv;base64,YQ==", DataUrl("text/csv", "a b.csv", b"a")),
        ("data:text/csv;filename=b.csv;base64,YQ==", DataUrl("text/csv", "b.csv", b"a")),
        ("data:image/png;base64,aVZC\r\n Tw==\n", DataUrl("image/png", "", b"iVBO")),
    ],
)
def test_every_form_is_read(url: str, found: DataUrl) -> None:
    assert read(url) == found


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("data:image/png;base64", "no comma"),
        ("data:" + "x" * 30_000 + ",a", "no comma"),
        ("data:,secr%", "a % without"),
        ("data:,%4g", "a % without"),
        ("data:image/png;base64,YQ", "base64"),
        ("data:image/png;base64,YQ=", "base64"),
        ("data:image/png;base64,Y", "base64"),
        ("data:image/png;base64,YQ==YQ==", "base64"),
        ("data:image/png;base64,_-8=", "base64"),
        ("data:image/png;base64,çççç", "base64"),
        ("data:image/png;base64,secr%65t", "base64"),
    ],
)
def test_what_cannot_be_read_is_refused_without_its_data(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refusal:
        read(url)
    assert "secr" not in str(refusal.value)


@given(st.binary(min_size=3), st.integers(min_value=1, max_value=3))
def test_data_that_was_cut_is_noticed_unless_the_cut_is_between_its_groups(data: bytes, missing: int) -> None:
    whole = base64.b64encode(data).decode().rstrip("=")
    cut = whole[: len(whole) - len(whole) % 4 - missing]
    with pytest.raises(ValueError, match="cut"):
        read(f"data:;base64,{cut}")


def test_a_name_goes_before_what_is_told_already() -> None:
    assert with_name("data:text/csv;base64,YQ==", "") == "data:text/csv;base64,YQ=="
    assert read(with_name("data:text/csv;name=old.csv;base64,YQ==", "new, é;.csv")).name == "new, é;.csv"
    assert read(with_name("data:,a", "x.txt")) == DataUrl("", "x.txt", b"a")


@pytest.mark.parametrize("url", ["https://a.example/r.pdf", "https://a.example/r.pdf?x=1;2,3"])
def test_an_address_of_another_kind_is_not_changed(url: str) -> None:
    """Another one would be fetched."""
    assert with_name(url, "report.pdf") == url


@pytest.mark.parametrize(
    ("text", "is_one"), [("data:,", True), ("Data:x", True), ("https://data:", False), ("dat", False)]
)
def test_a_data_url_is_told_by_its_beginning(text: str, is_one: bool) -> None:
    assert is_data_url(text) == is_one
