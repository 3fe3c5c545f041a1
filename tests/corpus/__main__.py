"""`python -m tests.corpus`: prints the table of results."""

from __future__ import annotations

from tests.corpus.adapter import ProductReader
from tests.corpus.generate import generate
from tests.corpus.runner import run
from tests.corpus.table import table


def main() -> None:
    """Generate, read, print."""
    print(table(run(ProductReader(), generate())))  # noqa: T201 - a command line tool prints


if __name__ == "__main__":
    main()
