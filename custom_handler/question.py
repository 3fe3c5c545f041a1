"""One question to the agent and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from custom_handler.conversations import Conversation
from custom_handler.disarm import QUOTE
from custom_handler.follow_up import Reason
from custom_handler.limits import LengthLimit
from custom_handler.upstream.base import Query, Report


@dataclass(slots=True)
class Question:
    """One question, with its answer as far as it has come.

    Attributes:
        reason: why the agent is asked again; empty for what the client asked.
        calls: as `Reader.begin` has it.
        conversation: the one in which it is asked, as it was before; None for none.
        continues: the agent must remember what was said in that.
        again: it is asked in place of one that was refused, which had waited for its turn.
        limit: how much of the answer is read; None for all of it.
        pieces: what was read.
    """

    prompt: str
    reason: Reason | Literal[""] = ""
    calls: bool = True
    conversation: Conversation | None = None
    continues: bool = False
    again: bool = False
    limit: LengthLimit | None = None
    report: Report = field(default_factory=Report)
    pieces: list[str] = field(default_factory=list)

    def take(self, text: str) -> str:
        """The part of `text` that is read now, up to the limit."""
        return self._keep(text if self.limit is None else self.limit.feed(text))

    def rest(self) -> str:
        """What was held back at the limit."""
        return self._keep("" if self.limit is None else self.limit.flush())

    def _keep(self, text: str) -> str:
        self.pieces.append(text)
        return text

    @property
    def hidden(self) -> bool:
        """The client knows nothing of it."""
        return bool(self.reason)

    @property
    def query(self) -> Query:
        """What the service is asked."""
        conversation_id = self.conversation.id if self.conversation else None
        begun = self.hidden or self.again
        return Query(self.prompt, follow_up=begun, conversation_id=conversation_id, continues=self.continues)

    @property
    def quoted(self) -> bool:
        """Whether anything that the agent remembers, or is told now, was disarmed."""
        return QUOTE in self.prompt or (self.conversation is not None and self.conversation.quoted)

    @property
    def text(self) -> str:
        """All that was read of what the model wrote."""
        return "".join(self.pieces)

    @property
    def exceeded(self) -> bool:
        """The model wrote more than may be read."""
        return self.limit is not None and self.limit.exceeded

    async def tokens(self, count: Callable[[str], int]) -> tuple[int, int]:
        """Tokens of prompt and answer as the service counts them; else counted here, off the event loop."""
        return (
            await _known_or_counted(self.report.prompt_tokens, self.prompt, count),
            await _known_or_counted(self.report.completion_tokens, self.text, count),
        )


async def _known_or_counted(known: int | None, text: str, count: Callable[[str], int]) -> int:
    # Zero for a text that is there breaks clients that divide by it.
    return known if known or (known == 0 and not text) else await asyncio.to_thread(count, text)
