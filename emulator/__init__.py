"""A stand-in for StackSpot AI and for Fusion: same endpoints, same streams, same errors, no credentials.

    from emulator import Emulator, Options, Reply

    with Emulator(Options(rpm=None)) as emulator:
        emulator.script(Reply("Hello"), Reply("Hello again", fault="drop_in_stream", after=5))

or, as a program: `python -m emulator --port 4001`.
"""

from emulator.faults import FAULTS, Fault
from emulator.options import Options
from emulator.recording import Recorded
from emulator.reply import Reply
from emulator.server import Emulator

__all__ = ["FAULTS", "Emulator", "Fault", "Options", "Recorded", "Reply"]
