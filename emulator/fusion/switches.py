"""What nobody knows about Fusion, as choices: each may be had, since a client must bear all of them."""

from typing import Literal, get_args

ChatTold = Literal["first", "last", "header", "never"]
"""Where a stream tells its chat: in an event before the tokens, in one behind them, in `x-chat-id`, or nowhere."""

Streaming = Literal["sse", "json", "refused"]
"""What comes of `"stream": true`: a stream, JSON all the same, or a 422 for an unknown field."""

Lists = Literal["object", "bare"]
"""Whether a list comes in an object, under its name, or bare."""

Times = Literal["z", "offset", "naive"]
"""How a time ends: in `Z`, in an offset from UTC, or in nothing."""

CHAT_TOLD: tuple[ChatTold, ...] = get_args(ChatTold)
STREAMING: tuple[Streaming, ...] = get_args(Streaming)
LISTS: tuple[Lists, ...] = get_args(Lists)
TIMES: tuple[Times, ...] = get_args(Times)
