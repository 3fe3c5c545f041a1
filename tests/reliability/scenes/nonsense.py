"""Bodies and bytes that mean nothing."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from collections.abc import Mapping

from tests.reliability import leaks
from tests.reliability.answer import error_code
from tests.reliability.apis import APIS, Api
from tests.reliability.scenes.others import others
from tests.reliability.scenes.raw import connect
from tests.reliability.scenes.scene import PATIENCE, Found, Ground, Scene, unless

_SIZE = 10_000_000


def _random(size: int) -> bytes:
    return random.Random(4).randbytes(size)  # noqa: S311 # the same each time


def _nonsense() -> Mapping[str, bytes]:
    """Bodies that cannot be served, by what they are."""
    return {
        "nothing": b"",
        "white space": b" \n" * 1000,
        "half of an object": b'{"model": "lane-2", "messages": [{"role": "us',
        "a list": b"[]",
        "a text": b'"hello"',
        "a number": b"12",
        "null": b"null",
        "NUL bytes": b"\0" * 1000,
        "a NUL byte inside": b'{"model": "lane\0-2"}',
        "no UTF-8": b'{"model": "\xff\xfe\xc3\x28"}',
        "UTF-16": '{"model": "lane-2"}'.encode("utf-16"),
        "a huge number": b'{"model": "lane-2", "max_tokens": 1e999, "messages": 1' + b"0" * 5000 + b"}",
        "NaN": b'{"model": "lane-2", "temperature": NaN}',
        "deep lists": b"[" * 200_000 + b"]" * 200_000,
        "deep objects": b'{"messages":' * 100_000 + b"1" + b"}" * 100_000,
        "10 MB of random bytes": _random(_SIZE),
        "10 MB of JSON, cut": b'{"model": "lane-2", "messages": "' + b"x" * _SIZE,
        "10 MB of brackets": b"[" * _SIZE,
        "a million fields": json.dumps({f"field{number}": number for number in range(1_000_000)}).encode(),
        "40 MB": b'{"x": "' + b"x" * 40_000_000 + b'"}',
        "gzip": gzip.compress(b'{"model": "lane-2"}'),
        "a form": b"model=lane-2&messages=hello",
        "XML": b"<?xml version='1.0'?><model>lane-2</model>",
        **{
            f"{field} is {value}": json.dumps({"model": "lane-2", "messages": [], "input": [], field: value}).encode()
            for field in ("model", "messages", "input", "tools", "system", "tool_choice")
            for value in (5, [None], [[1]], {"a": 1}, [{"role": "user", "content": {"a": 1}}], [{"type": "function"}])
        },
    }


def _no_requests() -> Mapping[str, bytes]:
    """Bytes that are no request, by what they are."""
    return {
        "random bytes": _random(100_000),
        "a TLS greeting": bytes.fromhex("16030100c8010000c40303") + _random(200),
        "another version": b"GET / HTTP/9.9\r\n\r\n",
        "a length below zero": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "chunks of nonsense": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
        "a header of 1 MB": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n",
        "a request with garbage behind it": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + _random(1000),
    }


async def _bodies(ground: Ground) -> Found:
    async with others(ground) as met:
        sent = [(api, name, body) for api in APIS for name, body in _nonsense().items()]
        broken = [found for each in sent for found in await _refused(ground, *each)]
    return Found("a 4xx in the API's form; others are answered", (*met.broken(PATIENCE), *broken))


async def _refused(ground: Ground, api: Api, name: str, body: bytes) -> tuple[str, ...]:
    async with asyncio.timeout(60):
        answer = await ground.client.post(api.path, content=body, headers={"content-type": "application/json"})
    try:
        code = error_code(answer.json()["error"])
    except (ValueError, LookupError, TypeError):
        code = "formless"
    right = 400 <= answer.status_code < 500 and code != "formless"
    leaked = leaks.in_answer(answer.text)
    return (
        *unless(right, f"{api.name}, {name}: {answer.status_code} {code}"),
        *unless(not leaked, f"{api.name}, {name}: {', '.join(leaked)}"),
    )


async def _bytes(ground: Ground) -> Found:
    async with others(ground) as met:
        broken = [found for name, sent in _no_requests().items() for found in await _survived(ground, name, sent)]
    return Found("400 or an end of the connection; others are answered", (*met.broken(PATIENCE), *broken))


async def _survived(ground: Ground, name: str, sent: bytes) -> tuple[str, ...]:
    reader, writer = await connect(ground)
    writer.write(sent)
    writer.write_eof()
    try:
        async with asyncio.timeout(PATIENCE):
            received = (await reader.read()).decode("utf-8", "replace")
    except TimeoutError:
        return (f"{name}: the connection stays open",)
    except OSError:
        received = ""
    finally:
        writer.transport.abort()
    leaked = leaks.in_answer(received)
    server_errors = received.count("HTTP/1.1 5")
    return (
        *unless(not leaked, f"{name}: {', '.join(leaked)}"),
        *unless(not server_errors, f"{name}: {received[:40]!r}"),
    )


SCENES = (
    Scene("Bodies of nonsense, up to 40 MB", "a clear refusal, and nothing of the inside", _bodies),
    Scene("Bytes that are no request", "others do not notice", _bytes),
)
