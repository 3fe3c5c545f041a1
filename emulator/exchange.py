"""What one service wraps around the text of an answer, and where it remembers what was said."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Sequence

from emulator.frames import Dialect
from emulator.prompt_reading import read_prompt
from emulator.service import Service
from emulator.steps import Json, Send
from emulator.stream import Ending
from emulator.uploads import Upload


class Exchange(ABC):
    """One question and its answer. `memory`: the key of the conversation that it belongs to; None for none."""

    dialect: Dialect

    def __init__(self, service: Service, message: str, files: Sequence[Upload], memory: Hashable | None) -> None:
        self._service = service
        self._memory = memory
        earlier = None if memory is None else service.conversations.recall(memory)
        self.prompt = read_prompt(message).with_files(map(str, files)).after(earlier)

    @property
    def base(self) -> Json:
        """The fields that frames may repeat."""
        return {}

    @property
    def opening(self) -> Iterable[Send]:
        """What a stream sends before its first delta."""
        return ()

    @property
    def headers(self) -> dict[str, str]:
        """What a stream has beyond the usual headers."""
        return {}

    @abstractmethod
    def whole(self, text: str, ending: Ending) -> Json:
        """The answer `text` as one object."""

    @abstractmethod
    def end(self, text: str) -> Json:
        """What is told at the end of the answer `text`. Asked for once all is written: only then is it remembered."""

    def _remember(self, text: str) -> None:
        if self._memory is not None:
            self._service.conversations.store(self._memory, self.prompt.answered(text))
