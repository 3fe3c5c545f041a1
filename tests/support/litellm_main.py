"""The command `litellm`, ended when the program that started it is gone, however that ended."""

from __future__ import annotations

import os
import signal
import sys
import threading

from litellm.proxy.proxy_cli import run_server


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # the parent never writes: this returns when its end of the pipe is closed
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    run_server()
