"""LiteLLM's command `litellm`, with worker processes that stop as one process does.

With `--num_workers`, uvicorn's supervisor listens too, and goes on when it was told to end: what connects then is
accepted by nobody, and waits until the last answer under way is finished. One process alone refuses it at once.

A server that has finished raises the signal again that told it to. By default that ends the process on the spot, and
the spans of the last seconds never leave; so it is made an end like any other.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module

from uvicorn.supervisors import Multiprocess


class Supervisor(Multiprocess):
    """uvicorn's supervisor of worker processes, which refuses connections while the workers finish."""

    def terminate_all(self) -> None:
        """Tell the workers to end. They close their own handles of the socket."""
        for listening in self.sockets:
            listening.close()
        super().terminate_all()


def main() -> None:
    """Run LiteLLM with the arguments of this program."""
    # Not above: each worker imports this module first, and is killed when that takes more than 5 seconds.
    from litellm.proxy.proxy_cli import run_server

    # By its name: the package has a function under `uvicorn.main`. LiteLLM calls `uvicorn.run`, and passes no class.
    vars(import_module("uvicorn.main"))["Multiprocess"] = Supervisor
    run_server()


def _end(*_: object) -> None:
    sys.exit()


if __name__ in {"__main__", "__mp_main__"}:  # the second in a worker
    signal.signal(signal.SIGTERM, _end)
if __name__ == "__main__":
    main()
