"""`python -m tests.reliability faults`, or `soak`."""

from __future__ import annotations

import sys

from tests.reliability import faults
from tests.reliability.soak import run as soak

COMMANDS = {"faults": faults.main, "soak": soak.main}

if __name__ == "__main__":
    if sys.argv[1:] not in [[name] for name in COMMANDS]:
        sys.exit(f"usage: python -m tests.reliability {' | '.join(COMMANDS)}")
    COMMANDS[sys.argv[1]]()
