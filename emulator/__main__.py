"""`python -m emulator`: the emulator as a program."""

import argparse
import logging
import signal
import sys
from collections.abc import Callable, Mapping, Sequence

from emulator.agent import Agent
from emulator.brain import Brain, BrainUnavailableError
from emulator.conversations import MEMORIES
from emulator.errors import BODY_STYLES
from emulator.faults import FAULTS
from emulator.fusion.switches import CHAT_TOLD, LISTS, STREAMING, TIMES
from emulator.options import Options
from emulator.server import Emulator
from emulator.smollm2 import SmolLM2

SIGNALS = (signal.SIGINT, signal.SIGTERM)
BRAINS: Mapping[str, Callable[[], Brain]] = {"agent": Agent, "smollm2": SmolLM2.load}
LOG_LEVELS = ("debug", "info", "warning", "error")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM. Returns 0, or 1 when serving is not possible; exits with 2 on bad options."""
    chosen = _parser().parse_args(arguments)
    logging.basicConfig(level=chosen.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        _serve(_options(chosen))
    except OSError as error:
        return _fail(f"cannot listen on {chosen.host}:{chosen.port}: {error.strerror}; choose another --host or --port")
    except BrainUnavailableError as error:
        return _fail(str(error))
    return 0


def _serve(options: Options) -> None:
    # Waited for and not handled: a handler may run in the middle of whatever the main thread does, its wait included.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        with Emulator(options) as emulator:
            sys.stdout.write(f"StackSpot AI emulator ready on {emulator.url} and Fusion's on {emulator.fusion_url}\n")
            sys.stdout.flush()
            signal.sigwait(SIGNALS)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def _fail(message: str) -> int:
    sys.stderr.write(f"emulator: {message}\n")
    return 1


def _options(chosen: argparse.Namespace) -> Options:
    return Options(
        host=chosen.host,
        port=chosen.port,
        first_byte_delay=chosen.first_byte_delay,
        delay=chosen.delay,
        chunk=chosen.chunk,
        frame_style=chosen.frame_style,
        line_end=chosen.line_end,
        rpm=chosen.rpm or None,
        memory=chosen.memory,
        retry_after=chosen.retry_after,
        clock_speed=chosen.clock_speed,
        fault=chosen.fault,
        error_body=chosen.error_body,
        fusion_keys=chosen.fusion_key,
        fusion_agents=chosen.fusion_agent,
        fusion_chat_told=chosen.fusion_chat_told,
        fusion_streaming=chosen.fusion_streaming,
        fusion_lists=chosen.fusion_lists,
        fusion_times=chosen.fusion_times,
        fusion_ignores_filters=chosen.fusion_ignores_filters,
        fusion_keeps_chats=chosen.fusion_keeps_chats,
        brain=BRAINS[chosen.brain](),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emulator", description="A StackSpot AI and a Fusion of one's own.")
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=_port, default=4001, help="port, 0 for a free one (default: %(default)s)")
    add("--first-byte-delay", type=_seconds, default=0.0, metavar="SECONDS", help="wait before the first frame")
    add("--delay", type=_seconds, default=0.0, metavar="SECONDS", help="wait between frames")
    add("--chunk", type=_positive, metavar="CHARS", help="characters a frame (default: about a token)")
    add("--frame-style", choices=("delta", "base"), default="delta", help="what a frame carries beside the text")
    add("--line-end", choices=("crlf", "lf"), default="crlf", help="line ends of the stream (default: %(default)s)")
    add("--rpm", type=_count, default=100, help="requests a minute and account, 0 for no limit (default: %(default)s)")
    add("--memory", choices=MEMORIES, default="kept", help="what becomes of conversations (default: %(default)s)")
    add("--retry-after", action="store_true", help="tell in a 429 of that limit when to come back")
    add("--clock-speed", type=_speed, default=1.0, metavar="N", help="let a minute of that limit pass N times faster")
    add("--brain", choices=tuple(BRAINS), default="agent", help="what writes the answers (default: %(default)s)")
    add("--fault", choices=tuple(FAULTS), metavar="NAME", help=f"strikes every request; one of {', '.join(FAULTS)}")
    add("--error-body", choices=BODY_STYLES, help="shape of the error bodies that nobody knows")
    add("--log-level", choices=LOG_LEVELS, default="warning", help="(default: %(default)s)")
    _add_fusion(parser)
    return parser


def _add_fusion(parser: argparse.ArgumentParser) -> None:
    """The options of Fusion's endpoints: what nobody knows about them can be had in every variant."""
    add = parser.add_argument_group("Fusion").add_argument
    add("--fusion-key", action="append", metavar="KEY", help="a key to accept, may be repeated (default: any)")
    add("--fusion-agent", action="append", metavar="ID", help="an agent to have, may be repeated (default: any UUID)")
    add("--fusion-chat-told", choices=CHAT_TOLD, default="first", help="where a stream tells its chat")
    add("--fusion-streaming", choices=STREAMING, default="sse", help="what comes when a stream is asked for")
    add("--fusion-lists", choices=LISTS, default="object", help="how lists come (default: %(default)s)")
    add("--fusion-times", choices=TIMES, default="z", help="how times end (default: %(default)s)")
    add("--fusion-ignores-filters", action="store_true", help="list all chats, whatever is asked for")
    add("--fusion-keeps-chats", action="store_true", help="refuse to delete chats")


def _number(text: str, low: int, high: int | None, meaning: str) -> int:
    if not text.isdecimal() or int(text) < low or (high is not None and int(text) > high):
        raise argparse.ArgumentTypeError(f"{text!r} is not {meaning}")
    return int(text)


def _port(text: str) -> int:
    return _number(text, 0, 65535, "a port from 0 to 65535")


def _positive(text: str) -> int:
    return _number(text, 1, None, "a whole number from 1 on")


def _count(text: str) -> int:
    return _number(text, 0, None, "a whole number from 0 on")


def _seconds(text: str) -> float:
    value = _decimal(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value


def _speed(text: str) -> float:
    value = _decimal(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def _decimal(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1.0


if __name__ == "__main__":
    sys.exit(main())
