"""`make faults`: every fault and every scene, and the tables of them."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path

from tests.reliability import cells, stage
from tests.reliability.attempt import Visitor
from tests.reliability.cells import PATIENCE, Result
from tests.reliability.client import client_of
from tests.reliability.report import DOCUMENT, FAULTS_PLACE, Played, report, shortfalls
from tests.reliability.scenes import bodies, connections, identity, logs, nonsense, shared, workers
from tests.reliability.scenes.scene import Found, Ground, Scene
from tests.reliability.service import service_of
from tests.reliability.stage import EVERYBODY, FUSION_LANE, Lane, Proxy
from tests.support.redis_server import RedisServer

_LANES, _AT_ONCE = 24, 12
_FRAME_PAUSE = "0.02"  # seconds, so that a stream of two workers lasts long enough for something to happen


def main() -> None:
    """Try everything and write it down; what is broken is written too, since the document tells what is so."""
    with tempfile.TemporaryDirectory() as folder:
        results, played = _with_one_worker(Path(folder))
        played = [*played, *_with_two_workers(Path(folder))]
    document = DOCUMENT.read_text("utf-8")
    DOCUMENT.write_text(FAULTS_PLACE.publish(document, report(results, played)), "utf-8")
    _say(f"The results are in docs/{DOCUMENT.name}.")
    sys.exit("\n".join(shortfalls(results, played)) or None)


def _with_one_worker(folder: Path) -> tuple[list[Result], Played]:
    lanes = stage.lanes(_LANES)
    with (
        stage.emulator() as service,
        stage.proxy(folder, service, [*lanes, FUSION_LANE], **PATIENCE.settings) as proxy,
    ):
        return asyncio.run(_cells_and_scenes(proxy, service, lanes))


async def _cells_and_scenes(proxy: Proxy, service: str, lanes: Sequence[Lane]) -> tuple[list[Result], Played]:
    async with _ground(proxy, service, lanes) as ground:
        visitors = [Visitor(lane, ground.client, ground.service, PATIENCE) for lane in (*lanes[:_AT_ONCE], FUSION_LANE)]
        results = await cells.run(list(cells.cells()), visitors)
        _say(f"{len(results)} faults are tried.")
        of_faults = await _play(ground, [logs.OF_FAULTS])
        # Outages of half a minute, each on a lane of its own, while the rest is played on the others.
        apart = zip(ground.lanes, identity.SCENES, strict=False)
        outages = [_play(replace(ground, lanes=[lane]), [scene]) for lane, scene in apart]
        scenes = [*bodies.SCENES, *nonsense.SCENES, *connections.SCENES]
        rest = _play(replace(ground, lanes=lanes[len(outages) :]), scenes)
        played = await asyncio.gather(rest, *outages)
        return results, [*of_faults, *chain.from_iterable(played), *await _play(ground, [logs.OF_SCENES])]


def _with_two_workers(folder: Path) -> Played:
    with ExitStack() as stack:
        redis = RedisServer(folder)
        stack.callback(redis.stop)
        service = stack.enter_context(stage.emulator("--delay", _FRAME_PAUSE))
        # A quota rests for three seconds when Redis returns, and nobody is to be refused for that.
        settings = {**PATIENCE.settings, "STACKSPOT_MAX_WAIT": "60", "WORKERS": "2", "REDIS_URL": redis.url}
        proxy, launcher = stack.enter_context(stage.made_run(folder, service, **settings))
        return asyncio.run(_redis_and_workers(proxy, service, [*shared.scenes(redis), *workers.scenes(launcher)]))


async def _redis_and_workers(proxy: Proxy, service: str, scenes: Sequence[Scene]) -> Played:
    async with _ground(proxy, service, [EVERYBODY]) as ground:
        return await _play(ground, scenes)


@asynccontextmanager
async def _ground(proxy: Proxy, service: str, lanes: Sequence[Lane]) -> AsyncIterator[Ground]:
    async with client_of(proxy.url) as client, service_of(service) as watched:
        yield Ground(proxy, client, watched, lanes)


async def _play(ground: Ground, scenes: Sequence[Scene]) -> list[tuple[Scene, Found]]:
    played = []
    for scene in scenes:
        found = await scene.play(ground)
        played.append((scene, found))
        _say(f"{scene.name}: {'; '.join(found.broken) or 'well'}")
    return played


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
