"""StackSpot's HTTP errors: what a client and an operator are told."""

import json

import pytest

from custom_handler import errors
from custom_handler.errors import BridgeError
from custom_handler.upstream.refusals import as_refusal

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
TOO_LONG = {
    "type": "BadRequestError",
    "code": "INFERENCE_6001_LLM_MODEL_BAD_REQUEST",
    "details": "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300000 tokens.",
}


def refusal(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> BridgeError:
    return as_refusal(status, headers or {}, body, AGENT)


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, b"", errors.IdentityRefusedError, "token"),
        (403, b"", errors.AgentRefusedError, "agent id wrong or not shared with this key"),
        (403, b'{"code": "X_1"}', errors.AgentRefusedError, "X_1"),
        (429, b'{"code": "INFERENCE_3008_CHAT_RATE_LIMIT_EXCEEDED"}', errors.ServiceQuotaError, "INFERENCE_3008"),
        (400, json.dumps(TOO_LONG).encode(), errors.ContextWindowError, "300000 tokens"),
        (400, b'{"code": "INFERENCE_6001_X"}', errors.ContextWindowError, "too long"),
        (400, b'{"code": "INFERENCE_1_X", "details": "prompt: abc"}', errors.RequestError, "INFERENCE_1_X"),
        (404, b"[]", errors.RequestError, AGENT),
        (422, b'{"detail": [{"input": "my prompt"}]}', errors.RequestError, "422"),
        (408, b"", errors.UpstreamTimeoutError, "408"),
        (504, b"<html>", errors.UpstreamTimeoutError, "504"),
        (500, b"", errors.UnavailableError, "500"),
        (502, b"<html>", errors.UnavailableError, "502"),
        (503, b'{"code": "Y"}', errors.UnavailableError, "Y"),
        (302, b"", errors.UnreachableError, "302"),
        (204, b"", errors.UnreachableError, "204"),
        (400, b'{"a":' * 100_000, errors.RequestError, "400"),
    ],
)
def test_each_refusal_says_what_it_is(status: int, body: bytes, kind: type[BridgeError], words: str) -> None:
    error = refusal(status, body)
    assert type(error) is kind
    assert words in error.message


@pytest.mark.parametrize("status", [400, 403, 404, 422, 429, 500])
def test_prose_of_the_service_which_may_quote_the_prompt_is_not_passed_on(status: int) -> None:
    body = json.dumps({"code": "E", "details": "my prompt", "detail": "my prompt", "message": "my prompt"})
    assert "my prompt" not in refusal(status, body.encode()).message


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), (" 7 ", 7), ("0", 1), ("99999", 3600), ("soon", 15), (None, 15)]
)
def test_a_rate_limit_always_says_when_to_come_back(header: str | None, seconds: int) -> None:
    headers = {} if header is None else {"retry-after": header}
    assert refusal(429, headers=headers).retry_after == seconds


def test_every_error_has_a_type_and_a_code_of_its_own() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BridgeError)]
    kinds.remove(errors.ServiceQuotaError)  # the quota waits instead, so no client reads it
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(400 <= kind.status < 600 for kind in kinds)
    assert all(str(kind("text")) == "text" for kind in kinds)
