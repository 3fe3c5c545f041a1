"""The figures: their names, their labels, and how they are read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from custom_handler import errors, metrics
from custom_handler.errors import BridgeError
from tests.support.figures import Figures
from tests.support.program import ROOT

FIGURES = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]
#: Each takes its values from a table of the code, or from the operator's configuration.
BOUNDED = {"model", "outcome", "direction", "part", "kind", "reason", "code", "account"}


def test_the_labels_of_all_figures_are_bounded() -> None:
    assert len(FIGURES) > 10
    assert {label for figure in FIGURES for label in figure._labelnames} <= BOUNDED


def test_names_follow_the_conventions_of_prometheus() -> None:
    for figure in FIGURES:
        (described,) = figure.describe()
        assert described.name.startswith("agent_proxy_")
        assert described.name.endswith("_seconds") == isinstance(figure, Histogram)


def test_what_several_workers_count_is_put_together_and_what_ended_with_a_worker_does_not_stay() -> None:
    gauges = [figure for figure in FIGURES if isinstance(figure, Gauge)]
    assert gauges
    assert {figure._multiprocess_mode for figure in gauges} == {"livesum", "livemin"}


@pytest.mark.parametrize("error", [None, *vars(errors).values()])
def test_an_outcome_is_ok_or_a_code(error: object) -> None:
    if error is None:
        assert metrics.outcome_of(None) == "ok"
    elif isinstance(error, type) and issubclass(error, BridgeError):
        assert metrics.outcome_of(error("no")) == error.code


def test_an_outcome_that_nobody_has_foreseen_is_an_internal_error() -> None:
    assert metrics.outcome_of(ZeroDivisionError()) == "internal_error"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [("", "text/plain"), ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text")],
)
def test_figures_are_read_in_the_form_that_prometheus_asks_for(accept: str, kind: str) -> None:
    content_type, text = metrics.exposition(accept)
    assert content_type.startswith(kind)
    assert b"agent_proxy_requests_in_flight 0.0" in text


COUNT = (
    "from custom_handler import metrics; metrics.{}; import sys; sys.stdout.write(metrics.exposition('')[1].decode())"
)


def run_worker(folder: Path, does: str) -> Figures:
    """A process that does something and tells all figures."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    command = [sys.executable, "-c", COUNT.format(does)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    return Figures(done.stdout)


def test_a_worker_tells_the_figures_of_all(tmp_path: Path) -> None:
    run_worker(tmp_path, "REQUESTS.labels('a', 'ok').inc(2)")
    run_worker(tmp_path, "DURATION.labels('a', 'ok').observe(3)")
    figures = run_worker(tmp_path, "REQUESTS.labels('a', 'ok').inc(3)")
    assert figures.of("agent_proxy_requests_total", model="a", outcome="ok") == 5
    assert figures.of("agent_proxy_request_duration_seconds_sum", model="a") == 3
