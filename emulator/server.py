"""The emulator on a real socket: uvicorn in a thread of its own."""

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self

import uvicorn

from emulator.app import build
from emulator.options import Options
from emulator.player import OpenProtocol
from emulator.recording import FUSION, Recorded
from emulator.reply import Reply
from emulator.service import Service
from emulator.uploads import Upload


class Emulator:
    """A StackSpot AI and a Fusion of one's own. Use it as a context manager; it serves from entry to exit.

        with Emulator(Options(rpm=None)) as emulator:
            emulator.script(Reply("Hello"), Reply(fault="rate_limited"))
            …  # send requests to emulator.url
            assert emulator.chats[0].json["user_prompt"] == "Hi"

    Scripted replies are used in order, one a chat request; when none is left, `Options.brain` answers.
    """

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self._service = Service(self.options)
        self._socket: socket.socket | None = None
        self._server = _Server(
            uvicorn.Config(
                build(self._service),
                http=OpenProtocol,
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                date_header=False,
                server_header=False,
            )
        )
        self._thread = threading.Thread(target=self._serve, name="emulator", daemon=True)

    def __enter__(self) -> Self:
        """Start serving. Raises OSError when the port cannot be had."""
        host = self.options.host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, self.options.port), family=family)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop.set_result(None)
        self._thread.join()

    @property
    def url(self) -> str:
        """The base of every endpoint, such as `http://127.0.0.1:4001`."""
        host, port = self._listening.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def fusion_url(self) -> str:
        """The base of Fusion's endpoints, as a client of Fusion takes it."""
        return self.url + FUSION

    def script(self, *replies: Reply) -> None:
        """Line up `replies`, behind those that are still waiting."""
        self._service.script.add(replies)

    @property
    def requests(self) -> list[Recorded]:
        """Every request so far, oldest first."""
        return self._service.recorder.requests

    @property
    def chats(self) -> list[Recorded]:
        """The chat requests so far."""
        return [one for one in self.requests if one.kind == "chat"]

    @property
    def token_requests(self) -> list[Recorded]:
        """The token requests so far."""
        return [one for one in self.requests if one.kind == "token"]

    @property
    def files(self) -> list[Upload]:
        """The files that were uploaded and are still there."""
        return self._service.uploads.stored

    @property
    def forms(self) -> list[Recorded]:
        """The requests for an upload form so far."""
        return [one for one in self.requests if one.kind == "form"]

    def wait_for(self, condition: Callable[["Emulator"], bool], timeout: float = 5.0) -> None:
        """Wait until `condition(self)` is true. Raises TimeoutError after `timeout` seconds.

        A condition on a request that has not come yet, such as `e.chats[0].held`, is not true yet.
        """

        def met() -> bool:
            try:
                return condition(self)
            except IndexError:
                return False

        self._service.recorder.wait_for(met, timeout)

    def release(self) -> None:
        """Let every held answer go on; `Recorded.release` does so for one."""
        self._service.recorder.release()

    def advance(self, seconds: float) -> None:
        """Move the clock of tokens, rate limit and uploads forward."""
        self._service.clock.advance(seconds)

    def revoke_tokens(self) -> None:
        """Stop accepting every token issued so far."""
        self._service.identity.revoke_all()

    def forget_conversations(self) -> None:
        """Forget what was said in every conversation, as a service may."""
        self._service.forget_conversations()

    def forget_files(self) -> None:
        """Forget every file and its id, as a service may."""
        self._service.uploads.forget()

    def reset(self) -> None:
        """Back to the start, except that tokens and ids of files stay valid: a proxy may be holding them."""
        self._service.reset()

    @property
    def _listening(self) -> socket.socket:
        if self._socket is None:
            raise RuntimeError("the emulator is not running: enter it with a `with` statement first")
        return self._socket

    def _serve(self) -> None:
        asyncio.run(self._server.serve([self._listening]))


#: Turns of the event loop until what was accepted just now is a connection, which can be closed.
_TURNS = 5


class _Server(uvicorn.Server):
    """uvicorn that stops at once: it does not poll for its end, nor wait for answers, which may be held."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stop: Future[None] = Future()

    async def main_loop(self) -> None:
        await asyncio.wrap_future(self.stop)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002  # uvicorn's signature
        for server in self.servers:
            server.close()
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        while self.server_state.connections:
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            await asyncio.sleep(0)
        if tasks := self.server_state.tasks:
            await asyncio.wait(tasks)
