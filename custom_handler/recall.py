"""What the agent remembers of a conversation while one answer is made, and whether it can be relied on.

It can as long as the service confirms it, and holds no more than the client was given: what was cut off, or dropped,
the agent would take for said. So after a failure, and after a stop word, everything is sent again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from custom_handler import budget
from custom_handler.conversations import Conversation, Memory, Outcome
from custom_handler.folding import Folded
from custom_handler.prompt import render
from custom_handler.question import Question
from custom_handler.request import ChatRequest, Message, PastCall

log = logging.getLogger("custom_handler.recall")

#: System text and tools are remembered as often as they were sent. When that makes the memory so many times longer than
#: the conversation, it is sent anew: it saves the agent more reading than it costs sending.
_MOST_TIMES = 4
#: Characters a token. Prose and code have three to five.
_MOST_CHARACTERS = 8


class Recall:
    """The conversation in which one request is answered.

    Args:
        memory: what the agent remembers of earlier requests; None when it is to remember nothing.
        request: what the client asked.
        max_input_tokens: what a prompt may have, together with all that is remembered.
        count_tokens: the tokens of a text, about.

    Attributes:
        conversation: the one that holds what the client was given so far; None when there is none.
    """

    def __init__(
        self,
        memory: Memory | None,
        request: ChatRequest,
        max_input_tokens: int,
        count_tokens: Callable[[str], int],
    ) -> None:
        self.conversation: Conversation | None = None
        self._memory = memory
        self._request = request
        self._limit = max_input_tokens
        self._count_tokens = count_tokens
        self._known = False  # the agent was told the beginning of the request before

    async def what_is_new(self) -> Question | None:
        """The part of the request that the agent was not told yet; None when it is to be told everything."""
        taken = await self._memory.take(self._request.messages) if self._memory else None
        if taken is None:
            return None
        self._known = True
        conversation, told = taken
        prompt = render(self._request, told)
        if await self._may_continue(conversation, prompt, told):
            return Question(prompt, conversation=conversation, continues=True)
        log.info("What the agent remembers has grown too long; the conversation is sent anew")
        return None

    def begin(self, prompt: str) -> Question:
        """`prompt`, which says everything, in a conversation of its own."""
        return Question(prompt, conversation=self._memory.begin() if self._memory else None)

    async def note(self, question: Question, *, shortened: bool) -> None:
        """The answer to `question` is there; `shortened` when the client is given less than the agent said."""
        self.conversation = None if shortened else await self._confirmed(question)

    async def keep(self, first: Question, given: Folded, *, complete: bool) -> None:
        """The client was `given` the answer: keep the conversation for its next request, if it holds the same."""
        if self._memory is None:
            return
        self._memory.count(self._outcome(first))
        if self.conversation and complete and (given.text.strip() or given.calls):
            calls = tuple(PastCall("", call.name, call.arguments) for call in given.calls)
            await self._memory.keep(self.conversation, self._request.messages, Message("assistant", given.text, calls))

    async def _may_continue(self, conversation: Conversation, prompt: str, told: int) -> bool:
        """Whether the agent remembers no more than it can read, and not much more than it needs."""
        whole = sum(map(budget.characters, self._request.messages[:told])) + len(prompt)
        if conversation.characters + len(prompt) > _MOST_TIMES * whole:
            return False
        room = self._limit - conversation.tokens
        return budget.certainly_fits(prompt, room) or await asyncio.to_thread(self._count_tokens, prompt) <= room

    async def _confirmed(self, question: Question) -> Conversation | None:
        before, report = question.conversation, question.report
        if before is None or self._memory is None:
            return None
        if not report.conversation_id or before.id not in ("", report.conversation_id):
            if report.stop_reason is not None:
                self._memory.miss_confirmation()
            return None
        if _forgotten(question):
            self._memory.lose_trust()
            return None
        earlier = 0 if report.prompt_tokens else before.tokens  # the service counts all that it remembers
        return Conversation(
            id=report.conversation_id,
            characters=before.characters + len(question.prompt) + len(question.text),
            prompt_tokens=report.prompt_tokens or 0,
            tokens=earlier + sum(await question.tokens(self._count_tokens)),
            quoted=question.quoted,
        )

    def _outcome(self, first: Question) -> Outcome:
        if first.continues:
            return "forgotten" if _forgotten(first) else "hit"
        return "restarted" if self._known else "new"


def _forgotten(question: Question) -> bool:
    """Whether the agent knew less than it was told, by the service's count of what it read."""
    before, counted = question.conversation, question.report.prompt_tokens
    if before is None or counted is None or not question.continues:
        return False
    least = min(len(question.prompt) // _MOST_CHARACTERS, len(question.prompt.split()))  # a word is a token at least
    return counted < before.prompt_tokens + least
