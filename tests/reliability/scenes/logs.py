"""What stands in the proxy's log afterwards."""

from __future__ import annotations

from tests.reliability import leaks
from tests.reliability.scenes.scene import Found, Ground, Scene


async def _of_faults(ground: Ground) -> Found:
    return Found("nothing of the kind", leaks.in_log_of_expected(ground.proxy.log()))


async def _of_scenes(ground: Ground) -> Found:
    return Found("nothing of the kind", leaks.in_log(ground.proxy.log()))


OF_FAULTS = Scene(
    "The log of all faults above",
    "no secret, token or prompt; no path, traceback or exception that nobody handled",
    _of_faults,
)
OF_SCENES = Scene(
    "The log of all scenes above", "no secret, token or prompt; no exception that nobody handled", _of_scenes
)
