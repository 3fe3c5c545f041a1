"""What a prompt of 230 kB with 36 tools costs, by counts and ratios: seconds depend on the machine."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from types import FrameType

import pytest

from benchmarks.prompts import HISTORY, SOURCES, Asked, asked

pytestmark = pytest.mark.parametrize("source", SOURCES.values())


def cpu(work: Callable[[], object]) -> float:
    """Processor seconds: the best of ten."""

    def once() -> float:
        begun = time.process_time()
        work()
        return time.process_time() - begun

    return min(once() for _ in range(10))


def calls(work: Callable[[], object]) -> int:
    """How many functions of Python are entered."""
    count = 0

    def note(_frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def in_json(request: Asked) -> str:
    return json.dumps([request.messages, request.parameters])


def test_building_it_takes_a_few_times_what_writing_its_request_as_json_does(source: str) -> None:
    request = asked(source)
    assert len(request.parameters["tools"]) == 36
    assert len(request.build().encode()) > HISTORY
    assert cpu(request.build) < 20 * cpu(lambda: in_json(request)), "10 as a rule, more where coverage watches"


def test_tools_of_a_session_are_not_written_anew_with_each_request(source: str) -> None:
    request = asked(source, f" in {source}, for this test")
    first, later = calls(request.build), calls(request.build)
    assert later < first / 2
