"""`python -m tests.launcher.supervisor GRACE CODE…` runs each CODE, which is Python, as a child."""

from __future__ import annotations

import asyncio
import os
import sys

from custom_handler.processes import Command, Ended, run


async def _started() -> None:
    _say("started")


def _ending(ended: Ended | None) -> None:
    _say(f"ending: {ended}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    grace, *codes = sys.argv[1:]
    commands = [Command(f"child {n}", (sys.executable, "-c", code), os.environ) for n, code in enumerate(codes)]
    _say(f"ended: {asyncio.run(run(commands, _started, _ending, float(grace)))}")
