"""`make soak`: the clients, the emulator and the proxy, each in a process of its own, and what is found."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.reliability import stage
from tests.reliability.attempt import Patience, Visitor
from tests.reliability.client import client_of
from tests.reliability.report import DOCUMENT, SOAK_PLACE
from tests.reliability.service import service_of
from tests.reliability.soak.findings import Findings
from tests.reliability.soak.load import CLIENTS, Load
from tests.reliability.soak.watch import Sample, watch
from tests.reliability.stage import Lane, Proxy

SECONDS = 600.0
#: Longer than in `make faults`: the machine is busy, and a good answer must not be taken for a late one.
_PATIENCE = Patience(read_timeout=20.0)


def main() -> None:
    """Soak for SOAK_SECONDS and print what was found; of a whole run, the document tells too."""
    seconds, lanes = float(os.environ.get("SOAK_SECONDS") or SECONDS), stage.lanes(CLIENTS)
    with (
        tempfile.TemporaryDirectory() as folder,
        stage.emulator() as service,
        stage.proxy(Path(folder), service, lanes, **_PATIENCE.settings) as proxy,
    ):
        findings = asyncio.run(_soak(proxy, service, lanes, seconds))
    sys.stdout.write(findings.report())
    if seconds >= SECONDS:
        DOCUMENT.write_text(SOAK_PLACE.publish(DOCUMENT.read_text("utf-8"), findings.report()), "utf-8")
    sys.exit("\n".join(findings.broken()) or None)


async def _soak(proxy: Proxy, service: str, lanes: Sequence[Lane], seconds: float) -> Findings:
    load, samples = Load(), list[Sample]()
    async with client_of(proxy.url) as client, service_of(service) as watched:
        watching = asyncio.create_task(watch(proxy.pid, samples))
        until = asyncio.get_running_loop().time() + seconds
        visitors = [Visitor(lane, client, watched, _PATIENCE) for lane in lanes]
        chances = [random.Random(number) for number in range(len(lanes))]  # noqa: S311 # the same load each time
        await asyncio.gather(*(load.ask(*each, until) for each in zip(visitors, chances, strict=True)))
        watching.cancel()
    return Findings(load, samples, proxy.log())
