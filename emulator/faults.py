"""Every way in which the service may misbehave, by name. Data first: a fault is a row of this table.

Each row is a case of the upstream contract, or a trap that clients of such streams fell into.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from emulator import errors
from emulator import stream_faults as change
from emulator.errors import Refusal
from emulator.steps import Json
from emulator.stream_faults import NESTING, Change

Target = Literal["chat", "token", "form", "store", "other"]
"""The requests that a fault can hit: form and store are those of an upload, other is all else that Fusion has."""

TARGETS: tuple[Target, ...] = get_args(Target)


@dataclass(frozen=True, slots=True)
class Fault:
    """One misbehaviour. What is not set stays as in a good answer.

    hits: the kind of request. revoke: the token used is revoked first. slow: `Reply.seconds` pass before
    the first byte. drop: the connection is closed without a byte. whole: JSON comes instead of SSE. form:
    these fields of the form's answer are others, or missing where null. refusal: this error comes instead
    of an answer. change: what becomes of the stream, at `Reply.after` characters of text; it does nothing
    to an answer that is not streamed.
    """

    summary: str
    hits: Target = "chat"
    revoke: bool = False
    slow: bool = False
    drop: bool = False
    whole: bool = False
    form: Json | None = None
    refusal: Refusal | None = None
    change: Change | None = None


_FAILURE: Json = {"code": "INFERENCE_0000_STREAM", "message": "The model failed."}

FAULTS: Mapping[str, Fault] = {
    # the token request
    "identity_refused": Fault("the token is refused", "token", refusal=errors.INVALID_CLIENT),
    "identity_down": Fault("the token endpoint is down", "token", refusal=errors.IDENTITY_DOWN),
    "identity_slow": Fault("the token comes late", "token", slow=True),
    "identity_drop": Fault("the token request gets no byte", "token", drop=True),
    # the request for an upload form
    "form_refused": Fault("400, the file is not wanted", "form", refusal=errors.FILE_NOT_ALLOWED),
    "form_forbidden": Fault("403, the account may not upload", "form", refusal=errors.FORBIDDEN),
    "form_rate_limited": Fault("429 for an upload form", "form", refusal=errors.RATE_LIMITED),
    "form_down": Fault("503 for an upload form", "form", refusal=errors.UNAVAILABLE),
    "form_slow": Fault("the form comes late", "form", slow=True),
    "form_drop": Fault("the request for a form gets no byte", "form", drop=True),
    "form_incomplete": Fault("the form has no address", "form", form={"url": None}),
    "form_web_page": Fault("200 with a web page, as of a proxy in between", "form", refusal=errors.LOGIN_PAGE),
    "form_odd_address": Fault("the form's address is none of HTTP", "form", form={"url": "file:///etc/hostname"}),
    "form_unknown_id": Fault("the chat does not know the id", "form", form={"id": "01JQ0000000000000000000000"}),
    # the post to the object store
    "store_refused": Fault("403 of the object store", "store", refusal=errors.ACCESS_DENIED),
    "store_too_large": Fault("400 of the object store, the file is too large", "store", refusal=errors.TOO_LARGE),
    "store_down": Fault("503 of the object store", "store", refusal=errors.SLOW_DOWN),
    "store_slow": Fault("the object store answers late", "store", slow=True),
    "store_drop": Fault("the post to the object store gets no byte", "store", drop=True),
    # an error in place of the answer
    "unauthorized_once": Fault("401 although the token is valid", refusal=errors.UNAUTHORIZED),
    "expired_token": Fault("401 until a new token is fetched", revoke=True, refusal=errors.UNAUTHORIZED),
    "forbidden": Fault("403 with an empty body", refusal=errors.FORBIDDEN),
    "rate_limited": Fault("429", refusal=errors.RATE_LIMITED),
    "too_long": Fault("400, the prompt has too many tokens", refusal=errors.too_long(272_000, 300_000)),
    "not_found": Fault("404", refusal=errors.NOT_FOUND),
    "unprocessable": Fault("422", refusal=errors.UNPROCESSABLE),
    "server_error": Fault("500", refusal=errors.SERVER_ERROR),
    "bad_gateway": Fault("502 with an HTML body", refusal=errors.BAD_GATEWAY),
    "unavailable": Fault("503", refusal=errors.UNAVAILABLE),
    "gateway_timeout": Fault("504 with an HTML body", refusal=errors.GATEWAY_TIMEOUT),
    # before the first byte
    "slow_first_byte": Fault("the first byte comes late", slow=True),
    "drop_before": Fault("the chat request gets no byte", drop=True),
    "json_body": Fault("JSON instead of SSE", whole=True),
    # a stream that is cut
    "drop_in_stream": Fault("closed after n characters, no terminating chunk", change=change.drop()),
    "reset_in_stream": Fault("reset (RST) after n characters", change=change.drop(reset=True)),
    "drop_in_marker": Fault("closed in the middle of a FUNCTION_CALL_START", change=change.drop_in_marker),
    "cut_in_frame": Fault("ended cleanly in the middle of a frame", change=change.cut_in_frame),
    # a stream that ends otherwise
    "endless_empty": Fault("empty deltas for ever after n characters", change=change.endless_empty),
    "no_final_frame": Fault("a plain end, no final frame", change=change.no_final_frame),
    "no_blank_line": Fault("no empty line after the final frame", change=change.final_line_ends(1)),
    "no_line_end": Fault("no line end after the final frame", change=change.final_line_ends(0)),
    "done_marker": Fault("[DONE] after the final frame", change=change.done_marker),
    "error_event": Fault("`event: error` ends the stream", change=change.error_event),
    "error_type": Fault(
        'a frame with "type": "error" (and a message) ends the stream',
        change=change.error_frame({"type": "error", **_FAILURE}),
    ),
    "error_object": Fault(
        'a frame with an "error" object ends the stream', change=change.error_frame({"error": _FAILURE})
    ),
    "error_text": Fault(
        'a frame with an "error" string ends the stream',
        change=change.error_frame({"error": "The model failed."}),
    ),
    # usage
    "null_tokens": Fault(
        "each token count is null",
        change=change.tokens(lambda _i, _o: {"tokens": {"input": None, "output": None}}),
    ),
    "tokens_is_null": Fault('"tokens" itself is null', change=change.tokens(lambda _i, _o: {"tokens": None})),
    "string_tokens": Fault(
        "token counts are strings",
        change=change.tokens(lambda i, o: {"tokens": {"input": str(i), "output": str(o)}}),
    ),
    "user_enrichment_tokens": Fault(
        "input tokens counted as user and enrichment",
        change=change.tokens(lambda i, o: {"tokens": {"user": i // 2, "enrichment": i - i // 2, "output": o}}),
    ),
    "no_tokens": Fault('no "tokens" in the final frame', change=change.tokens(lambda _i, _o: {})),
    # odd frames in a stream that is good otherwise
    "ping_after_id": Fault("an event with an id, then pings with empty data", change=change.ping_after_id),
    "byte_order_mark": Fault("a byte order mark before the first frame", change=change.byte_order_mark),
    "split_surrogates": Fault("an emoji's escaped pair over two frames", change=change.split_surrogates),
    "lone_surrogate": Fault("half an emoji after n characters", change=change.insert_text("\ud83d")),
    "line_separators": Fault(
        "raw U+2028, U+2029 and U+0085 inside the JSON", change=change.insert_text("\u2028\u2029\u0085")
    ),
    "nested": Fault(
        "a frame of deeply nested JSON",
        change=change.insert_frame('{"message":"","source":' + "[" * NESTING + "]" * NESTING + "}"),
    ),
    "plain_text_frame": Fault("a frame that is not JSON", change=change.insert_frame("keep-alive")),
    "no_space": Fault("`data:{` without a space", change=change.no_space),
    "gzip": Fault("a compressed stream", change=change.gzip),
}
