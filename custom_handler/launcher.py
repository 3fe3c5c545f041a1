"""Starts the proxy: `python -m custom_handler.launcher`, which is what `make run` and the container image call.

With credentials of StackSpot or Fusion the proxy talks to the service itself. Without any, on a loopback address, an
emulator is started beside it, so that a first try needs no account; where other machines are served, a forgotten
credential must not turn into made-up answers, and it is an error.

LiteLLM runs in a process of its own: this module knows its command line and its environment, and imports nothing of it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from http.client import HTTPConnection, HTTPException
from urllib.request import getproxies, proxy_bypass

from custom_handler import processes, settings
from custom_handler.errors import SettingError
from custom_handler.launch_plan import MASTER_KEY, Address, Plan, plan, proxy_address, services_with_credentials
from custom_handler.processes import Ended
from custom_handler.settings import find

#: Seconds between two looks whether the proxy answers; it needs about 5 to start.
_PERIOD = 0.2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the proxy until Ctrl-C, SIGTERM or SIGHUP.

    Returns:
        0 after a signal; 1 when a process ended by itself; 2, and a line why, when the settings do not allow a start.
        With `--health`: 0 when the proxy with these settings answers, else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m custom_handler.launcher", description="Start the proxy.")
    parser.add_argument("--health", action="store_true", help="only tell, by the exit code, whether it answers")
    options = parser.parse_args(argv)
    try:
        if options.health:
            return 0 if status(proxy_address()) == 200 else 1
        with tempfile.TemporaryDirectory(prefix="agent-proxy-figures-") as figures:
            return asyncio.run(_serve(plan(), figures))
    except SettingError as exc:
        print(exc.message, file=sys.stderr)
        return 2


def status(address: Address) -> int | None:
    """The HTTP status of the liveliness path at `address`; None when nothing answers within two seconds.

    Straight to the socket: a proxy in the environment (HTTP_PROXY) is not asked.
    """
    connection = HTTPConnection(address.reachable_host, address.port, timeout=2)
    try:
        connection.request("GET", "/health/liveliness")
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


async def _serve(chosen: Plan, figures: str) -> int:
    _say(f"Starting the proxy on {chosen.address.url}; it takes some seconds. {_behind(chosen)}")
    ended = await processes.run(chosen.commands(figures), partial(_announce, chosen), _say_why)
    if ended is None:
        _say("Stopped.")
    return 0 if ended is None else 1


async def _announce(chosen: Plan) -> None:
    while not await asyncio.to_thread(_is_ready, chosen):  # noqa: ASYNC110 (another process sets no event of ours)
        await asyncio.sleep(_PERIOD)
    variable = _key_variable()
    hint = "" if variable is None else f", in a shell in which {variable} is set"
    _say(f"\nThe proxy answers on {chosen.address.url}/v1. {_behind(chosen)}\nTry it{hint}:\n")
    _say(f"  {curl(chosen)}\n\nCtrl-C ends it.\n")


def _is_ready(chosen: Plan) -> bool:
    """Whether the proxy answers, and the emulator too if it is the launcher's own."""
    emulator = chosen.emulator.own if chosen.emulator else None
    return status(chosen.address) == 200 and (emulator is None or status(emulator) is not None)


def _behind(chosen: Plan) -> str:
    if chosen.emulator is None:
        return f"Behind it is {' and '.join(services_with_credentials())}."
    return f"Behind it is not StackSpot but an emulator ({chosen.emulator.url})."


def _key_variable() -> str | None:
    """The variable that has a key in the shown request; None where no key is needed."""
    if find(MASTER_KEY) is not None:
        return MASTER_KEY.name
    return "YOUR_KEY" if settings.read(settings.KEYS_FILE) or settings.read(settings.KEYS) else None


def curl(chosen: Plan) -> str:
    """A request that works as it is pasted. It names the variable with the key, never the key."""
    model = _model(chosen)
    body = f'{{"model": "{model}", "messages": [{{"role": "user", "content": "How much is 17 * 3?"}}]}}'
    variable = _key_variable()
    key = () if variable is None else (f'-H "Authorization: Bearer ${variable}"',)
    host = chosen.address.reachable_host
    # curl would ask the HTTP proxy of the environment for this machine, too.
    direct = () if "http" not in getproxies() or proxy_bypass(host) else ("--noproxy", host)
    url = f"{chosen.address.url}/v1/chat/completions"
    return " ".join(("curl", *direct, url, *key, "-H 'Content-Type: application/json'", f"-d '{body}'"))


def _model(chosen: Plan) -> str:
    """One that answers."""
    if chosen.emulator or find(settings.AGENT_ID):
        return "stackspot-chat"
    if services_with_credentials() != ("Fusion",):
        return "stackspot/YOUR_AGENT_ID"
    return "fusion-chat" if find(settings.FUSION_AGENT_ID) else "fusion/YOUR_AGENT_ID"


def _say_why(ended: Ended | None) -> None:
    if ended is None:
        _say("\nStopping. Answers under way are finished; Ctrl-C again ends them at once.")
    else:
        _say(f"\nStopping, because {ended}. Its last lines are above.")


def _say(text: str) -> None:
    # Flushed: the processes write to the same output, and the order is to stay.
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
