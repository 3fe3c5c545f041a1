"""A real LiteLLM proxy in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

from tests.support.program import ROOT

#: What the proxy gets of the developer's environment; no key of a vendor is among it.
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")
_START_SECONDS = 180
_STOP_SECONDS = 20
_PAUSE_SECONDS = 0.05


class ProxyProcess:
    """`litellm --config …` on a free port, ready for requests.

    Args:
        config_path: its config.yaml; its folder is the working directory.
        env: settings, on top of what every start needs.
        host: the address to listen on.

    Attributes:
        url: where it listens, such as `http://127.0.0.1:43121`.

    Raises:
        RuntimeError: it did not start; the text has its log.
    """

    def __init__(self, config_path: Path, env: Mapping[str, str], host: str = "127.0.0.1") -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._log = config_path.parent / f"proxy-{port}.log"
        command = [sys.executable, "-m", "tests.support.litellm_main", "--config", config_path.name]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [*command, "--host", host, "--port", str(port)],
                cwd=config_path.parent,
                env=environment(env),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_until(self._is_ready, _START_SECONDS, "The proxy is not ready")
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid

    def log_text(self) -> str:
        """Everything it has written so far."""
        return self._log.read_text(errors="replace")

    def wait_for_log(self, text: str, seconds: float) -> None:
        """Wait until `text` is in the log; RuntimeError after `seconds`."""
        self._wait_until(lambda: text in self.log_text(), seconds, f"{text!r} is not in the log")

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait_until(self, condition: Callable[[], bool], seconds: float, failure: str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{failure} (exit code {self._process.poll()}):\n{self.log_text()[-5000:]}")
            time.sleep(_PAUSE_SECONDS)

    def _is_ready(self) -> bool:
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=_START_SECONDS)
        with closing(connection):
            try:
                connection.request("GET", "/health/liveliness")
                return connection.getresponse().status == HTTPStatus.OK
            except OSError:
                return False


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program that uses LiteLLM: little of the developer's, and `env`."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    ours = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    return {**inherited, **ours, **env}


def watched() -> dict[str, str]:
    """What makes coverage watch a program, if it watches the tests; a proxy starts a third slower for it."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
