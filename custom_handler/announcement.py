"""Answers that announce an action and then do not take it: "Vou ler o arquivo agora.", "Let me run the tests."

Models behind a text protocol promise calls that they do not make. This module tells such an answer from every other, so
that the model can be asked once for the call it promised. It is built to miss rather than to be wrong: an action counts
only when its verb stands in `announcement_words`, and whatever waits for the user, depends on something or destroys
something is never an announcement. Words are compared without case and accents.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile, pairwise
from typing import TypeAlias

from custom_handler import announcement_words as words
from custom_handler.announcement_words import Effect, Kind
from custom_handler.request import Tool

#: Characters at the end of an answer that are looked at, so that the time does not depend on its length.
_TAIL = 2_000
#: Sentences before an announcement that can forbid it.
_BEFORE = 3
_TOKEN = re.compile(r"\w+(?:['./@-]\w+)*|[^\w\s]")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+|\n+")
_QUESTION = re.compile(r"\?(?!\w)")
_QUOTED = re.compile(r"\"[^\"\n]*\"|\u201c[^\u201d\n]*\u201d|\u00ab[^\u00bb\n]*\u00bb|(?<!\w)'[^'\n]*'(?!\w)")
#: A line that quotes somebody else.
_CITED = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_INFINITIVE = re.compile(r"\w+(?:[aei]r|[aei]-l[oa]s?)")
_PLURAL = re.compile(r"\w+[^\Ws]s")
_FILE = re.compile(r"\w[./]\w")


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a verb may stand for: words that name a fitting tool, what it does to the world, other verbs for it."""

    tools: frozenset[str]
    effect: Effect
    verbs: frozenset[str] = frozenset()


#: All that a verb may stand for: "abrir" a file, or "abrir" a ticket.
_Action: TypeAlias = tuple[_Meaning, ...]


def announces_action(text: str, tools: Sequence[Tool]) -> bool:
    """Whether the answer `text`, which made no call, ends by announcing an action that one of `tools` can take."""
    if not tools:
        return False
    sentences, said = _sentences(text), ""
    while sentences and not _QUESTION.search(sentences[-1]):
        sentence = sentences.pop()
        said = f"{sentence} {said}"
        if action := _announced(sentence, tools):
            if not _may_act(action, said, sentences[-_BEFORE:]):
                return False
            if not words.AFTERWARDS.match(sentence):
                return _fits(action, said, tools)
        if not _is_filler(sentence):
            break
    return False


def _sentences(text: str) -> list[str]:
    """The sentences at the end of `text`, folded; none where it ends with a question, a quote, code or a table."""
    tail = text[-_TAIL:].rstrip()
    after_last_word = re.split(r"[^\W_]", tail)[-1]
    if "?" in after_last_word or tail.endswith(("```", "|")) or _CITED.match(tail.rpartition("\n")[2]):
        return []
    plain = re.sub(r"[*`#>]", "", _QUOTED.sub("", _CITED.sub("", _fold(tail))))
    return [sentence.strip() for sentence in _SENTENCE_END.split(plain) if re.search(r"\w", sentence)]


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold()).translate({0x2018: "'", 0x2019: "'"})
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _split(text: str) -> frozenset[str]:
    """The words of `text`, folded, with `snake_case` and `camelCase` taken apart."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return frozenset(re.findall(r"[^\W_\d]+", _fold(spaced)))


# Forms of verbs


def _infinitives(kind: Kind) -> Iterator[str]:
    yield from kind.english.split()
    yield from kind.nouns.split()
    for verb in kind.portuguese.split():
        yield verb
        yield from (f"{verb[:-1]}-{pronoun}" for pronoun in ("lo", "la", "los", "las"))


def _gerunds(kind: Kind) -> Iterator[str]:
    """English spelling is not looked up: of "runing" and "running" both are taken."""
    yield from (f"{verb[:-1]}ndo" for verb in kind.portuguese.split())
    for verb in kind.english.split():
        yield from (f"{verb}ing", f"{verb}{verb[-1]}ing", f"{verb.removesuffix('e')}ing")


def _futures(kind: Kind) -> Iterator[str]:
    yield from (f"{verb}ei" for verb in kind.portuguese.split())


def _presents(kind: Kind) -> Iterator[str]:
    yield from (f"{verb[:-2]}o" for verb in kind.portuguese.split())


def _third_persons(kind: Kind) -> Iterator[str]:
    """As in "the query that purges …" and in descriptions of tools ("Consulta o saldo", "Reads a file")."""
    yield from (verb[:-1] for verb in kind.portuguese.split())
    yield from (f"{verb}s" for verb in kind.english.split())


def _actions(forms: Callable[[Kind], Iterator[str]]) -> dict[str, _Action]:
    actions: dict[str, _Action] = {}
    for kind in words.KINDS:
        named = {*f"{kind.portuguese} {kind.english} {kind.nouns} {kind.tools}".split(), *_third_persons(kind)}
        for form in forms(kind):
            actions[form] = (
                *actions.get(form, ()),
                _Meaning(frozenset(named), kind.effect, frozenset(kind.english.split())),
            )
    return actions


_INFINITIVES, _GERUNDS, _FUTURES = _actions(_infinitives), _actions(_gerunds), _actions(_futures)
_STARTS: tuple[tuple[list[str], Mapping[str, _Action]], ...] = (
    *((opener, _INFINITIVES) for opener in words.OPENERS),
    *((opener, _GERUNDS) for opener in words.PROGRESSIVE_OPENERS),
    *((opener, _actions(_presents)) for opener in words.PRESENT_OPENERS),
)
_DESTROYING = frozenset(form for forms in (_infinitives, _gerunds, _futures) for form in forms(words.DESTRUCTIVE))
_DESTROYING_NAMES = words.DESTRUCTIVE_NOUNS | frozenset(_third_persons(words.DESTRUCTIVE))
_DESTROYING_PRESENTS = frozenset(_presents(words.DESTRUCTIVE))
_LOOKING = frozenset(
    form
    for kind in words.KINDS
    if kind.effect == "looks"
    for forms in (_infinitives, _third_persons)
    for form in forms(kind)
)
_MAY_BE_NOUNS = frozenset(words.DESTRUCTIVE.english.split())


# What is announced


def _announced(sentence: str, tools: Sequence[Tool]) -> _Action | None:
    """The first action that `sentence` announces."""
    if words.IDIOMS.search(sentence):
        return None
    tokens = _TOKEN.findall(sentence)
    called = {tool.name.casefold() for tool in tools}
    found = (_announced_from(tokens[start:], called) for start in _clause_starts(tokens))
    return next((action for action in found if action), None) or _in_progress(tokens)


def _clause_starts(tokens: Sequence[str]) -> Iterator[int]:
    """Where a clause of its own begins; after "and" only if the sentence speaks of its speaker."""
    connectives = words.CONNECTIVES | ({"and", "e"} if tokens[0] in words.FIRST_PERSON else set())
    start = True
    for index, token in enumerate(tokens):
        if start:
            yield index
        start = not token[0].isalnum() or token in connectives or (start and token in words.LEAD)


def _announced_from(tokens: Sequence[str], called: Collection[str]) -> _Action | None:
    """The action of a clause that starts with an opener, or with a future ("consultarei")."""
    if tokens[0] in _FUTURES:
        return _FUTURES[tokens[0]]
    starts = ((tokens[len(opener) :], forms) for opener, forms in _STARTS if tokens[: len(opener)] == opener)
    return next((action for rest, forms in starts if (action := _verb(_before_colon(rest), forms, called))), None)


def _before_colon(tokens: Sequence[str]) -> Sequence[str]:
    """Nothing, if what was announced already follows: "Let me compare them: the first is shorter"."""
    end = tokens.index(":") if ":" in tokens else len(tokens)
    follows = [token for token in tokens[end:] if token[0].isalnum()]
    return [] if follows and not any(map(_FILE.search, follows)) else tokens[:end]


def _verb(tokens: Sequence[str], forms: Mapping[str, _Action], called: Collection[str]) -> _Action | None:
    """The action after an opener: its verb, a tool's own name, or what follows "by" ("gather context by reading")."""
    verb = next(dropwhile(words.SKIPPED.__contains__, tokens), "")
    if verb in called:
        return (_Meaning(_split(verb), "runs"),)
    if verb in forms or verb in words.TALKING:
        return forms.get(verb)
    near = pairwise(tokens[:12])
    return next(
        (
            _GERUNDS[word]
            for by, word in near
            if word in _GERUNDS and (by in words.BEFORE_GERUND or word.endswith("ndo"))
        ),
        None,
    )


def _in_progress(tokens: Sequence[str]) -> _Action | None:
    """ "Lendo o arquivo..." or "Running the tests now.": a gerund that leads into nothing else."""
    unfinished = tokens[-2:] == [".", "."] or tokens[-1] == ":" or words.NOW.intersection(tokens[-2:])
    first = next((token for token in tokens if token not in words.LEAD and token[0].isalnum()), "")
    return _GERUNDS.get(first) if unfinished else None


def _is_filler(sentence: str) -> bool:
    tokens = _TOKEN.findall(sentence)
    return len(tokens) <= 12 and bool(words.FILLERS.intersection(tokens) or words.AFTERWARDS.match(sentence))


# What stands in the way


def _may_act(action: _Action, said: str, before: Sequence[str]) -> bool:
    return not (
        any(words.WAITS.search(sentence) or words.REQUESTS.match(sentence) for sentence in (said, *before[-1:]))
        or any(not _DESTROYING.isdisjoint(_TOKEN.findall(sentence)) for sentence in before)
        or any(map(words.HYPOTHETICAL.search, (said, *(each for each in before[-1:] if each[-1] == ":"))))
        or words.LATER.search(said)
        or words.REFUSED.search(said)
        or _depends(said)
        or _harms(action, said)
        or not _runs_safely(said, before)
        or _goes_on(said)
    )


def _only_looks(action: _Action) -> bool:
    return all(meaning.effect == "looks" for meaning in action)


def _depends(said: str) -> bool:
    """Whether a clause starts with a condition, or one follows that is not the object of looking ("check if")."""
    tokens = [token for token in _TOKEN.findall(said) if token not in words.SKIPPED]
    verb = next((before for before, token in pairwise(["", *tokens]) if token in words.IF), None)
    looked_at = verb is None or any(_only_looks(forms[verb]) for forms in (_INFINITIVES, _GERUNDS) if verb in forms)
    return not looked_at or bool(words.CONDITION.search(said))


def _harms(action: _Action, said: str) -> bool:
    """Whether something destructive is named; what is only looked at may be named after it (`delete_user.py`)."""
    tokens = _TOKEN.findall(said)
    next_verbs = [verb for verb, _ in _next_actions(said)]
    only_looks = words.LIGHT.isdisjoint(next_verbs) and all(
        _only_looks(each) for each in (action, *(_INFINITIVES.get(verb, ()) for verb in next_verbs))
    )
    if _only_looks(action):
        things = words.DOING.isdisjoint(tokens)
        tokens = [word for near in pairwise(["", *tokens]) for word in near[1:] if not (things and _is_thing(*near))]
    named = {part for token in tokens for part in (token, *_split(token))}
    if not _DESTROYING.isdisjoint(named):
        return True
    changes = any(meaning.effect == "changes" for meaning in action)
    return not only_looks and (_names_harm(said) or (changes and bool(words.DATA.search(said))))


def _runs_safely(said: str, before: Sequence[str]) -> bool:
    """Whether what is run, if anything is, is known to be harmless: a list of all harmful commands would have gaps.

    What "run it" means stands before it.
    """
    commands = [said[verb.end() :] for verb in words.RUNNING.finditer(said)]
    named = [command for command in commands if not words.PRONOUN.match(command)]
    if words.WRITES.search(said) or not all(map(words.HARMLESS.match, named)):
        return False
    meant = " ".join(commands[:1] if len(named) == len(commands) else [*before[-1:], said])
    if any(map(_serves_other_ends, commands[:1])):
        return False
    return not (words.UNSAFE.search(meant) or words.WRITES.search(meant) or _names_harm(meant))


def _serves_other_ends(command: str) -> bool:
    """Whether a command is told to be for more than looking: "the query that fills the column"."""
    tokens, known = ["", *_TOKEN.findall(command)], words.SKIPPED | words.AIMS | _LOOKING
    return any(
        word[0].isalpha() and word not in words.OBJECTS | known
        for before, link, word in zip(tokens, tokens[1:], tokens[2:], strict=False)
        if link == "to"
        or (link == "para" and _INFINITIVE.fullmatch(word))
        or (link in words.RELATIVE and before not in words.BEFORE_THAT | words.SKIPPED | words.AIMS)
    )


def _goes_on(said: str) -> bool:
    """Whether what follows the announced action is not known: "look up the order and give the money back"."""
    return any(_is_unknown(verb, rest) for verb, rest in _next_actions(said)) or any(
        before == "by" and word.endswith("ing") and word not in _GERUNDS
        for before, word in pairwise(_TOKEN.findall(said))
    )


def _is_unknown(verb: str, rest: Sequence[str]) -> bool:
    if verb in words.LIGHT:
        return False
    edits = verb in words.EDITS or (verb in _INFINITIVES and _only_changes(verb))
    return not _is_code(rest) if edits else verb not in _INFINITIVES


def _next_actions(said: str) -> Iterator[tuple[str, Sequence[str]]]:
    """What may be verbs after "and", and the words after each."""
    tokens = [token for token in _TOKEN.findall(said) if token not in words.THEN]
    harmless = words.AIMS | words.OBJECTS | words.LEAD | (words.SKIPPED - words.LIGHT - words.CALLING)
    for index, (before, word) in enumerate(pairwise(tokens), 2):
        rest = tokens[index:]
        acts = (
            (before in ("e", ",") and (_INFINITIVE.fullmatch(word) or word in _DESTROYING_PRESENTS))
            or (before == "and" and word.isalpha() and not _PLURAL.fullmatch(word))
            or (before in ("and", ",") and not words.OBJECTS.isdisjoint(rest[:1]))
        )
        if acts and word not in harmless:
            yield word, rest


def _only_changes(verb: str) -> bool:
    return all(meaning.effect == "changes" for meaning in _INFINITIVES[verb])


def _is_code(tokens: Sequence[str]) -> bool:
    return any(token in words.THING or _FILE.search(token) for token in tokens)


def _names_harm(said: str) -> bool:
    """Whether a machine or something destructive is named, or a clause names money, access or people but no code:
    "the payroll", not "the tests of the payroll".
    """
    runs = words.RUNNING.search(said)
    costly = any(
        not words.COSTLY.isdisjoint(_split(clause))
        and words.CODE.isdisjoint(_split(clause))
        and (runs or not _FILE.search(clause))
        for clause in words.CLAUSE.split(said)
    )
    named = {*_TOKEN.findall(said), *_split(said)}
    return costly or bool(words.MACHINES.search(said)) or not _DESTROYING_NAMES.isdisjoint(named)


def _is_thing(before: str, word: str) -> bool:
    """A file, or what a determiner makes a noun of: "the last push", "yesterday's transfer"."""
    determined = before in words.DETERMINERS or before.endswith("'s")
    return bool(_FILE.search(word)) or (word in _MAY_BE_NOUNS and determined)


def _fits(action: _Action, said: str, tools: Sequence[Tool]) -> bool:
    return any(_takes(tool, meaning, said) for tool in tools for meaning in action)


def _takes(tool: Tool, meaning: _Meaning, said: str) -> bool:
    """Whether `tool` is of this kind; if that changes something, also whether a thing is named that it can change."""
    known = _known_by(tool)
    if known.isdisjoint(meaning.tools):
        return False
    if meaning.effect == "looks":
        return True
    return _safe(tool) and (meaning.effect == "runs" or _names_a_thing(_known_by(tool, words.OF), said, meaning))


def _names_a_thing(known: frozenset[str], said: str, meaning: _Meaning) -> bool:
    things = (known - meaning.tools - words.SKIPPED).union(*(group for group in words.THINGS if group & known))
    of_files = not words.THINGS[0].isdisjoint(known)
    return not things.isdisjoint(_split(said) - meaning.verbs) or bool(of_files and _FILE.search(said))


def _safe(tool: Tool) -> bool:
    return (_DESTROYING | _DESTROYING_NAMES).isdisjoint(_split(tool.name))


def _known_by(tool: Tool, end: str = "$^") -> frozenset[str]:
    """The words of its name and of the first sentence about it, up to `end`."""
    summary = re.split(rf"\.\s|\n|{end}", tool.description.strip(), maxsplit=1)[0]
    return _split(f"{tool.name} {summary}")
