"""Plain answers, without a tool: greetings, sums, what was said before (pure).

There is no model here. The answers are short, in the user's language, and always the same.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from emulator.sums import solve
from emulator.words import fold, is_portuguese

_SHOWN = 300
"""Characters of a text that an answer repeats."""

_LIMIT = 4000
"""Characters of a message that are looked at."""

_GREETING = re.compile(r"\W*(?:hello|hi|hey|good (?:morning|evening)|ola|oi|bom dia|boa (?:tarde|noite))\b")
_THANKS = re.compile(r"\W*(?:thanks|thank you|obrigad[oa]|valeu)\b")
_WHO = re.compile(r"\b(?:who|what) are you\b|\b(?:quem|o que) e voce\b|\bvoce e quem\b")
_COUNT = re.compile(r"\b(?:count (?:from (?:1|one) )?to|conte (?:de (?:1|um) )?ate) (\d{1,4})\b")
_BEFORE = re.compile(r"\bwhat did i (?:just )?(?:say|ask)\b|\bo que (?:foi que )?eu (?:disse|perguntei|falei)\b")
_SAY = re.compile(
    r"\b(?:say|repeat|(?:reply|answer|respond) with|diga|repita|respond[ae](?: com)?)\b"
    r"(?:\s+(?:exactly|only|just|the words?|apenas|somente|só|exatamente|a palavra))*\s*:?\s+(\S[^\n]*)",
    re.IGNORECASE,
)
_STATED = re.compile(
    r"\b(?:(?:my|meu|minha)\s+(\w+)\s+(?:is|é|e)|(me chamo|call me|pode me chamar de))\s+"
    r"([^.,;!?\n]+?)(?=\s+(?:and|e)\s|[.,;!?\n]|$)",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"\b(?:what(?: is|'s|s)|know|remember) my (\w+)"
    r"|\b(?:qual (?:e|era)|sabe|lembra)(?: (?:o|a|do|da))? (?:meu|minha) (\w+)"
    r"|\b(como (?:eu )?me chamo|who am i|quem sou eu)\b"
)
_NAMES = (
    *("name", "me chamo", "call me", "pode me chamar de"),
    *("nome", "como me chamo", "como eu me chamo", "who am i", "quem sou eu"),
)


@dataclass(frozen=True, slots=True)
class Said:
    """What the user said: the last message, the ones before it, and the files that came along."""

    message: str
    earlier: Sequence[str] = ()
    files: Sequence[str] = ()

    @property
    def folded(self) -> str:
        """The message in lower case without accents."""
        return fold(self.message[:_LIMIT])

    def tell(self, english: str, portuguese: str) -> str:
        """The text in the language of the message."""
        return portuguese if is_portuguese(self.message[:_LIMIT]) else english


def talk(said: Said) -> str:
    """An answer; never empty."""
    return next(filter(None, (answer(said) for answer in _ANSWERS)))


def shortened(text: str) -> str:
    """`text` on one line, cut where it is long."""
    line = " ".join(text[: _SHOWN * 2].split())
    return line if len(line) <= _SHOWN and len(text) <= _SHOWN * 2 else line[:_SHOWN] + "…"


def _files(said: Said) -> str:
    names = ", ".join(said.files)
    return said.tell(f"I have received {names}.", f"Recebi {names}.") if names else ""


def _before(said: Said) -> str:
    if not _BEFORE.search(said.folded):
        return ""
    if not said.earlier:
        return said.tell("This is your first message.", "Esta é a sua primeira mensagem.")
    last = shortened(said.earlier[-1])
    return said.tell(f"You said: {last}", f"Você disse: {last}")


def _remembered(said: Said) -> str:
    """What was stated in an earlier message: "my name is Ana" answers "what is my name?"."""
    asked = _ASKED.search(said.folded)
    if asked is None:
        return ""
    key = _key(next(filter(None, asked.groups())))
    known = {_key(a or b): value.strip() for text in said.earlier for a, b, value in _STATED.findall(text[:_LIMIT])}
    if key not in known:
        return said.tell("You have not told me yet.", "Você ainda não me disse.")
    return said.tell(f"You told me: {known[key]}.", f"Você me disse: {known[key]}.")


def _key(word: str) -> str:
    word = fold(word)
    return "name" if word in _NAMES else word


def _counted(said: Said) -> str:
    found = _COUNT.search(said.folded)
    return ", ".join(str(number) for number in range(1, int(found[1]) + 1)) if found else ""


def _summed(said: Said) -> str:
    return solve(said.message)


def _repeated(said: Said) -> str:
    found = _SAY.search(said.message[:_LIMIT])
    return found[1].strip().strip("\"'“”") if found else ""


def _about_itself(said: Said) -> str:
    if not _WHO.search(said.folded):
        return ""
    return said.tell(
        "Hello! I am the emulator of a StackSpot AI agent: I answer without a language model.",
        "Olá! Sou o emulador de um agente StackSpot AI: respondo sem um modelo de linguagem.",
    )


def _greeted(said: Said) -> str:
    if _THANKS.match(said.folded):
        return said.tell("You are welcome.", "De nada.")
    if not _GREETING.match(said.folded):
        return ""
    name = {_key(a or b): value.strip() for a, b, value in _STATED.findall(said.message[:_LIMIT])}.get("name", "")
    greeted = f", {name}" if name else ""
    return said.tell(f"Hello{greeted}! How can I help you?", f"Olá{greeted}! Como posso ajudar?")


def _echoed(said: Said) -> str:
    message = shortened(said.message) or "…"
    return said.tell(
        f'You said: "{message}". I am an emulator without a language model, so I leave it at that.',
        f'Você disse: "{message}". Sou um emulador sem modelo de linguagem, então fico por aqui.',
    )


_ANSWERS: tuple[Callable[[Said], str], ...] = (
    _files,
    _before,
    _remembered,
    _counted,
    _repeated,
    _summed,
    _about_itself,
    _greeted,
    _echoed,
)
