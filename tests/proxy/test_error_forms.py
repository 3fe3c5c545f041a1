"""What a client reads when a request fails."""

from __future__ import annotations

import json
from typing import Any

import httpx
import litellm.exceptions
import pytest

from custom_handler import errors
from custom_handler.litellm_errors import CLASSES, origin, to_litellm
from tests.proxy import endpoints
from tests.proxy.scripted import ERRORS, SECRET, error_of

EVENTS = {
    endpoints.RESPONSES: "response.failed",
    endpoints.MESSAGES: "error",
}


def data_of(answer: httpx.Response) -> list[Any]:
    """The JSON values of an event stream."""
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def assert_is(error: dict[str, Any], expected: errors.BridgeError) -> None:
    assert error == {
        "message": expected.message,
        "type": expected.type,
        "param": expected.param,
        "code": expected.code,
    }


def test_every_error_of_ours_has_a_class_of_litellms() -> None:
    ours = {error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, Exception)}
    assert set(CLASSES) == ours


@pytest.mark.parametrize("name", ERRORS)
def test_a_mapped_error_keeps_what_it_says(name: str) -> None:
    error = error_of(name)
    mapped: Any = to_litellm(error, "stackspot/x")
    assert str(mapped) == mapped.message == error.message
    assert (mapped.status_code, mapped.type, mapped.param, mapped.code) == (
        error.status,
        error.type,
        error.param,
        error.code,
    )
    assert mapped.headers == {"retry-after": "7"}


def test_an_error_without_a_time_to_wait_has_no_such_header() -> None:
    mapped: Any = to_litellm(errors.RequestError("no"), "stackspot/x")
    assert mapped.headers is None


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (errors.ContextWindowError("long"), litellm.exceptions.ContextWindowExceededError),
        (errors.RateLimitedError("much"), litellm.exceptions.RateLimitError),
        (errors.UpstreamTimeoutError("slow"), litellm.exceptions.Timeout),
        (errors.UnavailableError("down"), litellm.exceptions.ServiceUnavailableError),
        (errors.RequestError("bad"), litellm.exceptions.BadRequestError),
    ],
)
def test_litellms_fallbacks_recognise_the_kind(ours: errors.BridgeError, theirs: type[Exception]) -> None:
    assert isinstance(to_litellm(ours, "stackspot/x"), theirs)


def test_our_error_is_found_behind_whatever_wraps_it() -> None:
    mapped = to_litellm(errors.RateLimitedError("much"), "stackspot/x")
    wrapped = litellm.exceptions.MidStreamFallbackError("x", "x", "x", original_exception=mapped)
    rewrapped = RuntimeError()
    rewrapped.__cause__ = wrapped
    assert isinstance(origin(rewrapped), errors.RateLimitedError)


def test_an_error_of_somebody_else_has_no_origin() -> None:
    one, other = KeyError(), ValueError()
    one.__cause__, other.__cause__ = other, one
    assert origin(one) is None
    assert origin(None) is None


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", [endpoints.CHAT, endpoints.COMPLETIONS])
@pytest.mark.parametrize("name", ERRORS)
def test_an_error_before_the_first_chunk_has_its_status(
    client: httpx.Client, path: str, name: str, stream: bool
) -> None:
    answer = client.post(path, json=endpoints.request(path, f"stackspot/raise-{name}", stream=stream))
    expected = error_of(name)
    assert answer.status_code == expected.status
    assert answer.headers["retry-after"] == "7"
    assert_is(answer.json()["error"], expected)


@pytest.mark.parametrize("path", [endpoints.RESPONSES, endpoints.MESSAGES])
@pytest.mark.parametrize("name", ERRORS)
def test_an_error_of_the_other_endpoints_has_its_status(client: httpx.Client, path: str, name: str) -> None:
    answer = client.post(path, json=endpoints.request(path, f"stackspot/raise-{name}"))
    expected = error_of(name)
    assert (answer.status_code, answer.headers["retry-after"]) == (expected.status, "7")
    assert_is(answer.json()["error"], expected)
    assert ("type" in answer.json()) is (path == endpoints.MESSAGES)  # Anthropic's form says that it is an error


@pytest.mark.parametrize("path", [endpoints.CHAT, endpoints.COMPLETIONS])
@pytest.mark.parametrize("name", ERRORS)
def test_an_error_in_mid_stream_is_an_event(client: httpx.Client, path: str, name: str) -> None:
    answer = client.post(path, json=endpoints.request(path, f"stackspot/break-{name}", stream=True))
    *chunks, last = data_of(answer)
    assert answer.status_code == 200
    assert "first" in json.dumps(chunks)
    assert_is(last["error"], error_of(name))


@pytest.mark.parametrize("verb", ["raise", "break"])
@pytest.mark.parametrize("path", [endpoints.RESPONSES, endpoints.MESSAGES])
@pytest.mark.parametrize("name", ERRORS)
def test_an_error_in_a_stream_of_the_other_apis_is_their_event(
    client: httpx.Client, path: str, name: str, verb: str
) -> None:
    answer = client.post(path, json=endpoints.request(path, f"stackspot/{verb}-{name}", stream=True))
    last = data_of(answer)[-1]
    assert last["type"] == EVENTS[path]
    assert (last.get("error") or last["response"]["error"])["message"] == error_of(name).message


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("verb", ["raise", "break"])
@pytest.mark.parametrize("path", endpoints.STREAMING)
def test_an_unforeseen_exception_shows_nothing_of_itself(
    client: httpx.Client, path: str, verb: str, stream: bool
) -> None:
    answer = client.post(path, json=endpoints.request(path, f"stackspot/{verb}-fault", stream=stream))
    assert answer.headers["correlation-id"] in answer.text
    for inside in (SECRET, "secret", "Traceback", ".py", "KeyError", "LiteLLM", "litellm"):
        assert inside not in answer.text.replace("litellm_", "")


def test_the_log_has_the_exception_that_the_client_is_not_shown(client: httpx.Client, proxy: Any) -> None:
    client.post(endpoints.CHAT, json=endpoints.request(endpoints.CHAT, "stackspot/break-fault", stream=True))
    proxy.wait_for_log("KeyError", seconds=5)
