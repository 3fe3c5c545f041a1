"""The deterministic agent: reads a prompt as a model would, and answers with a call or with text (pure)."""

import json
import re
from collections.abc import Generator, Sequence

from emulator.arguments import make_arguments
from emulator.choosing import choose, finishing, nearest
from emulator.directives import Directive, read_directives, wants_parallel
from emulator.frames import DEFAULT_CHUNK, pieces
from emulator.prompt_reading import Prompt, Tool, Turn
from emulator.talk import Said, shortened, talk

_MUST_CALL = re.compile(r"\bmust (?:contain at least one call|call (?P<name>[\w.:/-]+?))\.?\s*$", re.MULTILINE)
_ONE_CALL = re.compile(r"\bat most one call\b")


class Agent:
    """A brain without a model: the same prompt always gets the same answer."""

    blocking = False

    def answer(self, prompt: Prompt) -> Generator[str, None, None]:
        """The answer in pieces of about a token."""
        yield from pieces(respond(prompt), DEFAULT_CHUNK)

    def count_tokens(self, text: str) -> int:
        """About four characters a token."""
        return max(1, len(text) // 4)


def respond(prompt: Prompt) -> str:
    """The answer to `prompt`: what the user ordered, else the tool asked for, else plain text."""
    users = [index for index, turn in enumerate(prompt.turns) if turn.role == "user"]
    last = users[-1] if users else -1
    message = prompt.turns[last].text if users else ""
    since = prompt.turns[last + 1 :]
    if prompt.tools and (calls := _calls(prompt, message, since)):
        return "\n".join(_rendered(call) for call in calls)
    if results := [turn for turn in since if turn.role == "tool_result"]:
        return _summary(results, message)
    return talk(Said(message, [prompt.turns[index].text for index in users[:-1]], prompt.files))


def _calls(prompt: Prompt, message: str, since: Sequence[Turn]) -> list[Directive]:
    """The calls to make now, with their arguments complete."""
    done = sum(len(turn.called) for turn in since)
    orders = read_directives(message, [tool.name for tool in prompt.tools])
    if pending := orders[done:]:
        together = wants_parallel(message) and not _ONE_CALL.search(prompt.rules)
        return [_complete(order, prompt.tools) for order in (pending if together else pending[:1])]
    tool = _wanted(prompt, message, since) if not orders else None
    tool = tool or _required(prompt, message, since)
    # Behind a result there is more to take from it than from the question.
    text = "\n".join(turn.text for turn in since if turn.role == "tool_result") or message
    return [Directive(tool.name, _arguments(tool, text))] if tool else []


def _wanted(prompt: Prompt, message: str, since: Sequence[Turn]) -> Tool | None:
    """The tool that the message asks for; once it has been called there is nothing more to do."""
    return None if since else choose(prompt.tools, message)


def _required(prompt: Prompt, message: str, since: Sequence[Turn]) -> Tool | None:
    """The tool to call because the rules of this request demand a call."""
    demanded = _MUST_CALL.search(prompt.rules)
    if demanded is None:
        return None
    named = next((tool for tool in prompt.tools if tool.name == demanded["name"]), None)
    if named is None and (since or not choose(prompt.tools, message)):
        named = finishing(prompt.tools)
    return named or nearest(prompt.tools, message)


def _complete(order: Directive, tools: Sequence[Tool]) -> Directive:
    if order.arguments:
        return order
    tool = next(tool for tool in tools if tool.name == order.name)
    return Directive(order.name, _arguments(tool, order.context))


def _arguments(tool: Tool, text: str) -> str:
    return json.dumps(make_arguments(tool.parameters, text), ensure_ascii=False)


def _rendered(call: Directive) -> str:
    return f"FUNCTION_CALL_START\n{call.name}\narguments: {call.arguments}\nFUNCTION_CALL_END"


def _summary(results: Sequence[Turn], message: str) -> str:
    """A sentence a result, with its text."""
    said = Said(message)
    sentences = [
        said.tell(f"{turn.name or 'The tool'} answered: {text}", f"{turn.name or 'A ferramenta'} respondeu: {text}")
        for turn in results
        if (text := shortened(turn.text))
    ]
    return "\n".join(sentences) or said.tell("Done.", "Pronto.")
