"""The benchmark's own parts: the service, the load, and what is made of the blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from benchmarks import fusion, programs
from benchmarks.blocks import Block, Blocks, Scenario, measure
from benchmarks.load import Load, Question, send
from benchmarks.programs import Running
from benchmarks.proxy import ONE_TO_ONE, PRODUCT, SCENARIOS, Figures, beside, table

STREAM = Question(200, stream=True)


@pytest.fixture(scope="module")
def service() -> Iterator[Running]:
    with programs.service() as running:
        yield running


@pytest.fixture(scope="module")
def pass_through(service: Running) -> Iterator[Running]:
    with programs.pass_through(service.url) as running:
        yield running


async def test_every_answer_of_the_load_has_the_words_that_were_asked_for(pass_through: Running) -> None:
    for question in (Question(), Question(200), Question(stream=True), STREAM, Question(3, stream=True, pause=1)):
        load = await send(pass_through.url, question, requests=6, at_once=3)
        assert len(load.latencies) == len(load.first_words) == 6
        times = zip(load.first_words, load.latencies, strict=True)
        assert all(0 < first <= whole <= load.seconds for first, whole in times)


async def test_an_answer_with_other_words_ends_the_measurement(service: Running) -> None:
    with pytest.raises(RuntimeError, match="answered 200"):
        await send(service.url, Question(201, stream=True), requests=1, at_once=1)


async def test_programs_get_their_blocks_in_turn(service: Running, pass_through: Running) -> None:
    scenarios = {
        "short": Scenario(Question(stream=True), requests=4, at_once=2, blocks=2),
        "long": Scenario(STREAM, requests=2, at_once=1, blocks=1, only=("pass-through",)),
    }
    found = await measure({"service": service, "pass-through": pass_through}, scenarios, service)
    counts = {name: {title: len(each.blocks) for title, each in by.items()} for name, by in found.items()}
    assert counts == {"service": {"short": 2}, "pass-through": {"short": 2, "long": 1}}
    assert found["pass-through"]["long"].beside > 0


def test_the_client_of_fusion_is_measured_beside_httpx_alone() -> None:
    assert all(seconds > 0 for seconds in fusion.measure(messages=2, rounds=1))


def test_a_program_that_does_not_start_is_named_with_its_output() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)nowhere did not start.*No module named"), programs.started("nowhere"):
        pass


def blocks(seconds: float) -> Blocks:
    """Ten requests of so many seconds each, one after the other, and of as much processor time."""
    times = [seconds] * 10
    return Blocks([Block(Load(10 * seconds, times, times), cpu=seconds, beside=0.25)])


def of_one(seconds: float, without: tuple[str, ...] = ()) -> Figures:
    by_scenario = {name: blocks(seconds) for name in SCENARIOS if name not in without}
    return Figures(by_scenario, memory=100 * seconds, start_up=seconds, alone=0.5)


def cells(text: str) -> Mapping[str, list[str]]:
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return {name.strip(): [value.strip() for value in values] for name, *values in lines}


def test_the_table_tells_the_proxys_figures_as_multiples_of_the_others() -> None:
    other = of_one(2, without=("64 paced streams", "16 paced streams"))
    figures = {PRODUCT: of_one(1), "other": other, ONE_TO_ONE: of_one(4)}
    rows = cells(table(figures))
    assert rows[""] == [PRODUCT, "other", ONE_TO_ONE]
    assert rows["requests a second, 16 at once"] == ["1", "0 (2.00)", "0 (4.00)"]
    assert rows["p95, 64 at once"] == ["1000.0 ms", "2000.0 ms (0.50)", "4000.0 ms (0.25)"]
    assert rows["added to the first token"] == ["500.0 ms", "1500.0 ms (0.33)", "3500.0 ms (0.14)"]
    assert rows["text a CPU second, 64 streams of 100 tokens a second"] == ["1 kB", "n/a", "0 kB (4.00)"]
    assert rows["memory"] == ["100 MB", "200 MB (0.50)", "400 MB (0.25)"]
    assert beside(figures) == 0.25
