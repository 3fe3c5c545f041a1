"""Everything one emulator knows, in one place: the rooms that its endpoints share."""

from emulator.clock import Clock
from emulator.conversations import Conversations
from emulator.fusion.chats import Chats
from emulator.fusion.knowledge import Knowledge
from emulator.fusion.times import Calendar
from emulator.identity import Identity
from emulator.limiter import SlidingWindow
from emulator.options import Options
from emulator.recording import Recorder
from emulator.script import Script
from emulator.uploads import Uploads


class Service:
    """The state of one emulator."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.clock = Clock(options.clock_speed)
        calendar = Calendar(self.clock, options.fusion_times)
        self.recorder = Recorder()
        self.script = Script(options.fault)
        self.identity = Identity(options, self.clock)
        self.limiter = SlidingWindow(options.rpm, self.clock)
        self.conversations = Conversations(options.memory)
        self.uploads = Uploads(options, self.clock)
        self.chats = Chats(calendar)
        self.knowledge = Knowledge(calendar)

    def forget_realm(self, realm: str) -> None:
        """Forget what was scripted for `realm` alone, and its requests."""
        self.script.clear(realm)
        self.recorder.clear(realm)

    def forget_conversations(self) -> None:
        """Forget what was said in every conversation, and Fusion's chats."""
        self.conversations.forget()
        self.chats.clear()

    def reset(self) -> None:
        """Back to the start, except that tokens and ids of files stay valid: a proxy may be holding them."""
        self.script.clear()
        self.recorder.clear()
        self.limiter.clear()
        self.forget_conversations()
        self.uploads.clear()
        self.knowledge.clear()
