"""How fast answers are read, whether time grows in proportion to their length, and how much memory that takes."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable, Sequence

from custom_handler.markers import render_call
from custom_handler.output import OutputFormat
from custom_handler.reader import Reader
from custom_handler.request import ChatRequest, Message, Tool
from tests.support.published import markdown_table

_CHECK_CHARS = 1000  # as the setting is by default
_PIECES = (32, 256, 4096)
_MB = 1_000_000
SIZES = (1, 4)  # megabytes
_ASKED = (Message("user", "Hi"),)
_CALLING = ChatRequest(_ASKED, tools=(Tool("write", "", {"type": "object"}),))
_JSON = ChatRequest(_ASKED, output=OutputFormat())

_PROSE = "The quick brown fox jumps over The lazy dog. Tudo bem? <b>Fim</b> F1 + T2.\n"
_CODE = r"def f(x):\n    return \"<tool_call>\" if x else {\"a\": [1, 2]}\n"
_DRIFTED = 'def f(x):\n\treturn "a" if x == "b" else {"a": [1, 2]} # \\d+\n'
_RECORD = '{"path": "src/a.py", "line": 12, "done": true, "size": [1.5, null]}'


def _repeated(text: str, size: int) -> str:
    return text * (size // len(text) + 1)


def _code(size: int) -> str:
    return '{"code": "' + _repeated(_CODE, size) + '"}'


def _drifted(size: int) -> str:
    return "{'code': \"" + _repeated(_DRIFTED, size) + "\", 'done': True,}"


def _records(size: int) -> str:
    return '{"records": [' + ", ".join([_RECORD] * (size // len(_RECORD))) + "]}"


def _call(arguments: Callable[[int], str]) -> Callable[[int], str]:
    return lambda size: render_call("write", arguments(size))


#: What the agent writes → what the client asked for, and the answer of some size.
_INPUTS: dict[str, tuple[ChatRequest, Callable[[int], str]]] = {
    "text": (_CALLING, lambda size: _repeated(_PROSE, size)),
    "arguments: code in a string": (_CALLING, _call(_code)),
    "arguments: the same, to be mended": (_CALLING, _call(_drifted)),
    "arguments: records": (_CALLING, _call(_records)),
    "arguments: records, encoded twice": (_CALLING, _call(lambda size: json.dumps(_records(size)))),
    "structured output: code in a string": (_JSON, _code),
    "structured output: records": (_JSON, _records),
}


def _read(request: ChatRequest, text: str, piece: int) -> None:
    reader = Reader(request, _CHECK_CHARS)
    reader.begin(quoted=False)
    for start in range(0, len(text), piece):
        for _ in reader.feed(text[start : start + piece]):
            pass
    for _ in reader.flush():
        pass


def _seconds(request: ChatRequest, text: str, piece: int) -> float:
    """The better of two readings of `text` in pieces of `piece` characters."""
    best = float("inf")
    for _ in range(2):
        started = time.process_time()
        _read(request, text, piece)
        best = min(best, time.process_time() - started)
    return best


def _memory(request: ChatRequest, text: str, piece: int) -> float:
    """The most memory that reading takes, as a multiple of the text, which is not counted itself."""
    tracemalloc.start()
    _read(request, text, piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / len(text)


def table(sizes: Sequence[int] = SIZES) -> str:
    """Megabytes a second by input, length of the pieces, and size of the answer; and memory."""
    told = [f"{size} MB" for size in sizes]
    head = ["input", "pieces of", *told, f"memory for {told[0]}"]
    return markdown_table(head, *(_line(name, piece, sizes) for name in _INPUTS for piece in _PIECES))


def _line(name: str, piece: int, sizes: Sequence[int]) -> list[str]:
    request, make = _INPUTS[name]
    texts = [make(size * _MB) for size in sizes]
    speeds = [f"{len(text) / _MB / _seconds(request, text, piece):.1f} MB/s" for text in texts]
    return [name, f"{piece} characters", *speeds, f"{_memory(request, texts[0], piece):.1f} of the text"]
