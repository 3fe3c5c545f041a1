"""`python -m benchmarks`: measures, and writes the results into docs/benchmarks.md.

`--quick` sends fewer requests and prints the results instead: for work on what is measured.
"""

from __future__ import annotations

import signal
import sys
import time

from benchmarks import prompts, proxy, reading, tools
from benchmarks.report import DOCUMENT, PLACE, Measured, report


def main() -> None:
    """Measure and write."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # else the programs it started would stay
    quick = "--quick" in sys.argv
    begun = time.monotonic()
    figures = proxy.figures(quick=quick)
    measured = Measured(
        proxy=proxy.table(figures),
        beside=proxy.beside(figures),
        prompts=prompts.table(),
        reading=reading.table(sizes=(1,) if quick else reading.SIZES),
        tools=tools.table(),
        notation=tools.notation_tokens(),
        minutes=(time.monotonic() - begun) / 60,
    )
    results = report(measured)
    if quick:
        print(results)
        return
    DOCUMENT.write_text(PLACE.publish(DOCUMENT.read_text("utf-8"), results), "utf-8")
    print(f"The results are in docs/{DOCUMENT.name}.")


if __name__ == "__main__":
    main()
