"""What nobody knows about Fusion, as choices: each may be had, since a client must bear all of them."""

from collections.abc import Iterable
from typing import Literal, get_args

from starlette.responses import JSONResponse

from emulator.steps import Json

ChatTold = Literal["first", "last", "header", "never"]
"""Where a stream tells its chat: in an event before the tokens, in one behind them, in `x-chat-id`, or nowhere."""

Streaming = Literal["sse", "json", "refused"]
"""What comes of `"stream": true`: a stream, JSON all the same, or a 422 for an unknown field."""

Lists = Literal["object", "bare"]
"""Whether a list comes in an object, under its name, or bare."""

CHAT_TOLD: tuple[ChatTold, ...] = get_args(ChatTold)
STREAMING: tuple[Streaming, ...] = get_args(Streaming)
LISTS: tuple[Lists, ...] = get_args(Lists)


def listed(name: str, values: Iterable[Json], style: Lists) -> JSONResponse:
    """A list as Fusion tells it."""
    return JSONResponse(list(values) if style == "bare" else {name: list(values)})
