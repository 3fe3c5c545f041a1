"""The judges of `make faults`: a broken promise is seen, whichever it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from emulator import FAULTS
from tests.reliability import exchange, leaks
from tests.reliability.answer import Answer, Told
from tests.reliability.exchange import Exchange, Written
from tests.reliability.outcome import Outcome, Verdict, classify, expected
from tests.support.services import FUSION, STACKSPOT

TEXT = Written("one two three", cut=False)
CALL = Written(
    'FUNCTION_CALL_START\nsave\narguments: {"path": "a", "content": "b"}\nFUNCTION_CALL_END',
    cut=False,
)
STREAM = "content-type: text/event-stream\n\n"
EXCHANGES = {"text": exchange.text, "call": exchange.call}


def answer(told: Told, status: int | None = 200, *, torn: bool = False, given_up: bool = False) -> Answer:
    """An answer of a stream, or of an error status."""
    return Answer(status, STREAM if status == 200 else "\n\n", told, 0.1, torn, given_up)


@pytest.mark.parametrize(
    ("told", "status", "tries", "verdict"),
    [
        (Told("one two three", complete=True), 200, 1, Verdict(Outcome.WHOLE)),
        (Told("one two three", complete=True), 200, 2, Verdict(Outcome.AGAIN)),
        (Told("one", error="cut"), 200, 1, Verdict(Outcome.CUT, 200, "cut")),
        (Told(error="down"), 503, 4, Verdict(Outcome.ERROR, 503, "down")),
        (Told(error="down"), 200, 4, Verdict(Outcome.ERROR, 200, "down")),
    ],
)
def test_what_is_well_is_of_its_class_and_breaks_nothing(told: Told, status: int, tries: int, verdict: Verdict) -> None:
    assert classify(answer(told, status), TEXT, tries) == verdict


@pytest.mark.parametrize(
    ("given", "broken"),
    [
        (answer(Told(), None, given_up=True), "hangs"),
        (answer(Told("one"), torn=True), "connection torn"),
        (answer(Told("one")), "neither whole nor an error"),
        (answer(Told("one two three", complete=True, error="cut")), "an error that looks complete"),
        (answer(Told(error="formless"), 502), "error without form"),
        (Answer(200, "content-type: application/json\n\n", Told(error="x"), 0.1), "an error with status 200"),
        (answer(Told("one", complete=True)), "text lost"),
        (answer(Told("one two threeone two three", complete=True)), "text doubled"),
        (answer(Told("two", complete=True)), "other text than was written"),
        (answer(Told("one three", error="cut")), "other text than was written"),
        (answer(Told("one two three", (("save", "{}"),), complete=True)), "a call that was not written"),
    ],
)
def test_each_broken_promise_about_a_text_is_seen(given: Answer, broken: str) -> None:
    assert broken in classify(given, TEXT, 1).broken


@pytest.mark.parametrize(
    "told",
    [
        Told(complete=True),
        Told(calls=(("save", '{"path": "a"}'),), complete=True),
        Told(calls=(("save", '{"path": "a", "con'),), complete=True),
        Told(calls=(("erase", '{"path": "a", "content": "b"}'),), complete=True),
        Told(calls=(("save", '{"path": "a", "content": "b"}'),) * 2, complete=True),
        Told("text", (("save", '{"path": "a", "content": "b"}'),), complete=True),
    ],
)
def test_a_call_that_is_not_the_one_that_was_written_is_seen(told: Told) -> None:
    assert classify(answer(told), CALL, 1).broken == ("another call than was written",)


def test_half_a_call_is_well_when_an_error_follows() -> None:
    half = Told(calls=(("save", '{"path": "a", "con'),), error="cut")
    assert classify(answer(half), CALL, 1) == Verdict(Outcome.CUT, 200, "cut")
    other = replace(half, calls=(("save", '{"path": "b'),))
    assert classify(answer(other), CALL, 1).broken == ("other text than was written",)


@pytest.mark.parametrize("make", EXCHANGES.values(), ids=EXCHANGES)
@pytest.mark.parametrize("fault", FAULTS)
def test_something_is_expected_of_every_fault(fault: str, make: Callable[[], Exchange]) -> None:
    written = make().written(fault)
    once, always = (expected(fault, written, stays=stays) for stays in (False, True))
    assert once
    assert always
    if written.cut:
        assert Outcome.WHOLE not in once | always


def test_without_a_fault_the_answer_is_whole_and_asked_for_once() -> None:
    assert expected(None, TEXT, stays=False) == {Outcome.WHOLE}


def test_a_key_that_is_refused_is_not_renewed_as_a_token_is() -> None:
    outcomes = [expected("unauthorized_once", TEXT, stays=False, service=service) for service in (STACKSPOT, FUSION)]
    assert outcomes == [{Outcome.AGAIN}, {Outcome.ERROR}]


@pytest.mark.parametrize("make", EXCHANGES.values(), ids=EXCHANGES)
def test_what_the_service_writes_is_what_the_emulator_says(make: Callable[[], Exchange]) -> None:
    asked = make()
    whole, half = asked.written(None), asked.answer[: asked.cut_at]
    assert whole == Written(asked.answer, cut=False)
    assert asked.written("drop_in_stream") == Written(half, cut=True)
    assert asked.written("lone_surrogate").text == f"{half}\ufffd{asked.answer[asked.cut_at :]}"
    assert asked.written("split_surrogates") == whole
    assert asked.written("nested").cut
    assert not asked.written("plain_text_frame").cut


@pytest.mark.parametrize(
    ("received", "found"),
    [
        (f"x {leaks.secret()} x", "a secret"),
        (f"x {leaks.prompt()} x", "a prompt"),
        ("Bearer eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.abc", "a token"),
        ("Traceback (most recent call last):", "a traceback"),
        ('  File "/srv/app/x.py", line 1', "a path of this machine"),
        (f"{leaks.__file__}", "a path of this machine"),
        ("litellm.APIConnectionError: x", "a class of LiteLLM"),
    ],
    ids=["secret", "prompt", "token", "traceback", "path", "own path", "class"],  # some have random text in them
)
def test_each_leak_is_seen(received: str, found: str) -> None:
    assert leaks.in_answer(received) == (found,)
    assert leaks.in_answer("x-litellm-version: 1\n\none two three") == ()


def test_a_log_may_name_files_and_classes_but_no_secret() -> None:
    log = f'File "/srv/app.py"\nlitellm.Timeout\n{leaks.secret()}'
    assert leaks.in_log(log) == ("a secret",)
    assert leaks.in_log_of_expected(log) == ("a secret", "a path of this machine")
    assert leaks.in_log("Task exception was never retrieved") == ("an exception that nobody handled",)
