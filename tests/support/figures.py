"""What Prometheus reads, as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families


class Figures:
    """The samples of one exposition."""

    def __init__(self, text: str) -> None:
        self._samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def of(self, name: str, **labels: str) -> float:
        """The sum of all samples of this name that have these labels; 0 where there is none."""
        return sum(
            sample.value for sample in self._samples if sample.name == name and labels.items() <= sample.labels.items()
        )


@contextmanager
def counted(name: str, **labels: str) -> Iterator[list[float]]:
    """By how much a figure of this process has grown inside the block, once it is left; labels are all that it has."""

    def now() -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    before, growth = now(), list[float]()
    yield growth
    growth.append(now() - before)


def labelled(name: str, label: str) -> Mapping[str, float]:
    """The samples of one figure of this process by one of its labels."""
    samples = (sample for family in REGISTRY.collect() for sample in family.samples if sample.name == name)
    return {sample.labels[label]: sample.value for sample in samples}
