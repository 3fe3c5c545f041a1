"""`python -m tests.corpus`: writes the results into docs/tool-calling.md; fails when one falls short."""

from __future__ import annotations

import logging
import sys

from tests.corpus.measured import measure
from tests.corpus.report import DOCUMENT, PLACE, report
from tests.corpus.thresholds import shortfalls


def main() -> None:
    """Measure and write; what falls short is written too, since the document tells what is so."""
    logging.disable()  # the product warns of answers that end inside a call, of which the corpus has many
    measured = measure()
    DOCUMENT.write_text(PLACE.publish(DOCUMENT.read_text("utf-8"), report(measured)), "utf-8")
    print(f"The results are in docs/{DOCUMENT.name}.")  # noqa: T201 - a command line tool prints
    sys.exit("\n\n".join(shortfalls(measured)) or None)


if __name__ == "__main__":
    main()
