"""The rows: every kind of drift as a function that makes one case of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from tests.corpus import prose
from tests.corpus.case import Case, Reasoning, Text
from tests.corpus.draft import Draft, is_json, meant, short
from tests.corpus.formats import DOCUMENTED, FORMATS, TAGGED, TOOL_CALL_START, Format
from tests.corpus.meanings import first_meaning
from tests.corpus.tools import RESUME_STEP, TOOLS
from tests.corpus.uses import USES, Use
from tests.corpus.writer import Style, write

CASES_PER_ROW = 20

Make: TypeAlias = Callable[[Draft], Case]


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of drift.

    Attributes:
        name: as it stands in the table of results.
        make: makes one case.
        formats: those it can happen to.
        size: cases for each format.
        strict: the JSON of the calls, as written, is strict JSON.
    """

    name: str
    make: Make
    formats: tuple[Format, ...] = FORMATS
    size: int = CASES_PER_ROW
    strict: bool = True


def _single(draft: Draft, use: Use, json: str) -> Case:
    return draft.case(draft.block(use, json), meant(use), written=(json,), uses=(use,))


# Calls as documented, and text.


def _as_documented(draft: Draft) -> Case:
    use = draft.use()
    return _single(draft, use, draft.json(use, Style(ascii=draft.random.random() < 0.25)))


def _cut_anywhere(draft: Draft) -> Case:
    use = draft.use(lambda use: len(write(use.arguments)) < 120)
    case = _single(draft, use, draft.json(use))
    expected = (Text("Ok."), *case.expected, Text("Fim."))
    return replace(case, text=f"Ok.\n{case.text}\nFim.", expected=expected, every_cut=True)


def _plain_text(draft: Draft) -> Case:
    marker = draft.random.choice((draft.form.start, draft.form.end))
    near_marker = marker[: draft.random.randrange(1, len(marker))]
    text = draft.random.choice(("", "\n", " ")).join((*draft.random.sample(prose.SENTENCES, 2), near_marker))
    text += draft.random.choice(("", "\n", "!", " x", near_marker))
    return draft.case(text, Text(text), uses=(draft.use(),))


def _text_around(draft: Draft) -> Case:
    before, between, after = draft.random.sample(prose.SENTENCES, 3)
    first, second = draft.use(short), draft.use(short)
    gap = draft.random.choice(("\n", "\n\n"))
    text = gap.join((before, draft.block(first), between, draft.block(second), after))
    return draft.case(text, Text(before), meant(first), Text(between), meant(second), Text(after), uses=(first, second))


# Calls that are written in another way.


def _several_lines(draft: Draft) -> Case:
    use = draft.use(lambda use: bool(use.arguments))
    json = draft.json(use, Style(indent=draft.random.choice((1, 2, 4))))
    block = draft.block(use, json)
    if draft.random.random() < 0.5:
        block = block.replace("\narguments: ", "\narguments:\n", 1)
    return draft.case(block, meant(use), written=(json,), uses=(use,))


_FENCES = ("```", "```json", "```text", "```xml")


def _fenced(draft: Draft, text: str) -> str:
    return f"{draft.random.choice(_FENCES)}\n{text}\n```"


def _fence_around_block(draft: Draft) -> Case:
    uses = tuple(draft.use(short) for _ in range(draft.random.randint(1, 2)))
    before, after = draft.random.sample(("", "", *prose.SENTENCES), 2)
    fenced = _fenced(draft, "\n".join(map(draft.block, uses)))
    text = "\n\n".join(filter(None, (before, fenced, after)))
    return draft.case(text, *_text(before), *map(meant, uses), *_text(after), uses=uses)


def _text(text: str) -> list[Text]:
    return [Text(text)] if text else []


def _fence_around_arguments(draft: Draft) -> Case:
    use = draft.use()
    json = draft.json(use, Style(indent=draft.random.choice((None, 2))))
    block = draft.block(use, _fenced(draft, json))
    if draft.random.random() < 0.5:
        block = block.replace("\narguments: ", "\narguments:\n", 1)
    return draft.case(block, meant(use), written=(json,), uses=(use,))


def _drifted(style: Style) -> Make:
    """Cases of all calls that strict JSON does not read in this style."""

    def make(draft: Draft) -> Case:
        indented = replace(style, indent=draft.random.choice((None, None, 2)))
        use = draft.use(lambda use: not is_json(write(use.arguments, indented)))
        return _single(draft, use, draft.json(use, indented))

    return make


_SEVERAL_DRIFTS = (
    Style(trailing_commas=True, raw_controls=True, bare_backslashes=True, indent=2),
    Style(trailing_commas=True, python=True),
    Style(raw_controls=True, python=True, indent=4),
    Style(raw_controls=True, bare_backslashes=True),
)


def _several_drifts(draft: Draft) -> Case:
    style = draft.random.choice(_SEVERAL_DRIFTS)
    use = draft.use(lambda use: not is_json(write(use.arguments, style)))
    json = draft.json(use, style)
    before, after = draft.random.sample(prose.SENTENCES, 2)
    block = draft.random.choice(
        (draft.block(use, json), draft.block(use, _fenced(draft, json)), _fenced(draft, draft.block(use, json)))
    )
    text = f"{before}\n\n{block}\n\n{after}"
    return draft.case(text, Text(before), meant(use), Text(after), written=(json,), uses=(use,))


_BARE_QUOTES = Style(bare_quotes=True)


def _has_one_meaning(use: Use) -> bool:
    """Whether bare quotes leave the call readable; see `meanings`."""
    json = write(use.arguments, _BARE_QUOTES)
    return not is_json(json) and first_meaning(json) == use.arguments


#: Whether a call qualifies does not depend on chance, so it is found out once.
_WITH_QUOTES = frozenset(index for index, use in enumerate(USES) if _has_one_meaning(use))


def _unescaped_quotes(draft: Draft) -> Case:
    use = draft.use(lambda use: USES.index(use) in _WITH_QUOTES)
    return _single(draft, use, draft.json(use, _BARE_QUOTES))


def _encoded_twice(draft: Draft) -> Case:
    use = draft.use()
    json = draft.form.json(use.tool.name, write(use.arguments, Style(ascii=draft.random.random() < 0.5)))
    return _single(draft, use, json)


def _marker_in_string(draft: Draft) -> Case:
    inner, form = draft.use(short), draft.random.choice((draft.form, *FORMATS))
    block = form.block(inner.tool.name, form.json(inner.tool.name, inner.arguments))
    ending = draft.random.choice(("", f'"}}\n{form.end}\n', f"\n```\n{form.start}", f" {form.end} {form.start} "))
    content = f"{draft.random.choice(prose.SENTENCES)}\n{block}{ending}"
    command = f"grep -n '{form.start}' *.md; echo \"{form.end}\""
    name, arguments = draft.random.choice(
        (
            ("write_file", {"path": "docs/calls.md", "content": content}),
            ("run_command", {"command": command, "env": {"X": content}}),
            ("set_value", {"key": form.end, "value": [content, {form.start: form.end}]}),
        )
    )
    use = Use(TOOLS[name], arguments)
    json = draft.json(use)
    text, uses = draft.block(use, json), (use, inner)
    return draft.case(text, meant(use), written=(json,), uses=uses, nothing_executed=True)


# Several calls, or less than one.


def _several(draft: Draft) -> tuple[Use, ...]:
    return tuple(draft.use(short) for _ in range(draft.random.randint(2, 4)))


def _in_a_row(draft: Draft) -> Case:
    uses = _several(draft)
    text = draft.random.choice(("\n", "\n\n", "")).join(map(draft.block, uses))
    return draft.case(text, *map(meant, uses), uses=uses)


def _in_one_block(draft: Draft) -> Case:
    uses = _several(draft)
    jsons = tuple(map(draft.json, uses))
    bodies = (draft.form.body(use.tool.name, json) for use, json in zip(uses, jsons, strict=True))
    text = "\n".join((draft.form.start, *bodies, draft.form.end))
    return draft.case(text, *map(meant, uses), written=jsons, uses=uses)


def _as_array(draft: Draft) -> Case:
    uses = _several(draft)
    key = draft.form.name_key or "function_name"
    json = write(
        [{key: use.tool.name, "arguments": use.arguments} for use in uses],
        Style(indent=draft.random.choice((None, 2))),
    )
    text = f"{draft.form.start}\n{json}\n{draft.form.end}"
    return draft.case(text, *map(meant, uses), written=(json,), uses=uses)


def _no_arguments(draft: Draft) -> Case:
    use = draft.use(lambda use: not use.arguments)
    name = use.tool.name
    if draft.form.name_key is None:
        bodies = (f"{draft.form.label}{name}", *(draft.form.body(name, none) for none in ("", "{}", "{ }", "{\n}")))
    else:
        bodies = (write({draft.form.name_key: name}), draft.json(use), draft.json(use, Style(ascii=True)) + "\n")
    text = f"{draft.form.start}\n{draft.random.choice(bodies)}\n{draft.form.end}"
    before = draft.random.choice(prose.SENTENCES)
    return draft.case(f"{before}\n{text}", Text(before), meant(use), uses=(use,))


# Answers that end too early.


def _no_end_marker(draft: Draft) -> Case:
    first, last = draft.use(short), draft.use()
    size = draft.random.randrange(len(draft.form.end) // 2, len(draft.form.end))
    ending = draft.random.choice(("", "\n", "\n" + draft.form.end[:size]))
    json = draft.json(last)
    unended = draft.block(last, json).removesuffix(draft.form.end).rstrip() + ending
    if draft.random.random() < 0.5:
        return draft.case(unended, meant(last), written=(json,), uses=(last,))
    text = f"{draft.block(first).removesuffix(draft.form.end)}{unended}"
    return draft.case(text, meant(first), meant(last), written=(json,), uses=(first, last))


_STYLES = (Style(), Style(), Style(ascii=True), Style(indent=2), Style(raw_controls=True), Style(python=True))


def _ends_inside_json(draft: Draft) -> Case:
    use, before = draft.use(lambda use: bool(use.arguments)), draft.use(short)
    json = draft.json(use, draft.random.choice(_STYLES))
    size = draft.random.choice((draft.random.randrange(1, len(json)), len(json) - 1))
    block = draft.form.block(use.tool.name, json)
    cut = block[: block.index(json) + size]
    prefix = draft.random.choice(prose.SENTENCES)
    text, expected = draft.random.choice(((prefix, Text(prefix)), (draft.block(before), meant(before))))
    uses = (use, before)
    return draft.case(f"{text}\n{cut}", expected, uses=uses, may_cut=True, nothing_executed=True)


# Text that is not to be executed.


def _quoted_markers(draft: Draft) -> Case:
    use = draft.use()
    quotes = draft.random.sample(prose.QUOTED, 2)
    text = "\n\n".join(q.format(start=draft.form.start, end=draft.form.end, name=use.tool.name) for q in quotes)
    if draft.random.random() < 0.7:
        return draft.case(text, Text(text), uses=(use,), nothing_executed=True)
    return draft.case(f"{text}\n\n{draft.block(use)}", Text(text), meant(use), uses=(use,), nothing_executed=True)


def _inside_thinking(draft: Draft) -> Case:
    use, after, answer = draft.use(short), draft.use(short), draft.random.choice(prose.SENTENCES)
    inner = f"{draft.random.choice(prose.THOUGHTS)}\n{draft.block(use)}\n{draft.random.choice(prose.THOUGHTS)}"
    tag = draft.random.choice(("think", "thinking"))
    opened = f"<{tag}>\n{inner}"
    text, *expected = draft.random.choice(
        (
            (opened, Reasoning(inner)),
            (f"{opened}\n</{tag}>\n\n{answer}", Reasoning(inner), Text(answer)),
            (f"{opened}</{tag}>\n{draft.block(after)}", Reasoning(inner), meant(after)),
        )
    )
    return draft.case(text, *expected, uses=(use, after), nothing_executed=True)


# Calls that need a follow-up.


def _unknown_name(draft: Draft) -> Case:
    use = draft.use(short)
    case = _broken(draft, use, draft.json(use))
    return replace(case, tools=draft.tools((), without=use.tool.name))


def _against_schema(draft: Draft) -> Case:
    use = draft.use(lambda use: short(use) and bool(_misuses(use)))
    wrong = draft.random.choice(_misuses(use))
    return _broken(draft, use, draft.form.json(use.tool.name, wrong))


def _misuses(use: Use) -> list[dict[str, object]]:
    """Arguments that no harmless change makes fit: one is missing, no known value, no number, below the minimum."""
    properties, required = use.tool.parameters.get("properties", {}), use.tool.parameters.get("required", ())
    missing = [{key: value for key, value in use.arguments.items() if key != name} for name in required]
    wrong = {name: _wrong_value(schema) for name, schema in properties.items()}
    return missing + [{**use.arguments, name: value} for name, value in wrong.items() if value is not None]


def _wrong_value(schema: dict[str, object]) -> object:
    if "enum" in schema:
        return "no_such_value"
    if "minimum" in schema:
        return -1
    return "maybe, maybe not" if schema.get("type") in ("integer", "number", "boolean") else None


_NO_VALUES = ("", "...", "<value>", "NaN", "3 + 4 *", 'open("notes.txt").read()', "value_of(x, y)", "{{{")
_PLACE = "place of the value"


def _unreadable(draft: Draft) -> Case:
    use = draft.use(lambda use: short(use) and bool(use.arguments))
    name = draft.random.choice(list(use.arguments))
    json = draft.form.json(use.tool.name, {**use.arguments, name: _PLACE})
    return _broken(draft, use, json.replace(f'"{_PLACE}"', draft.random.choice(_NO_VALUES)))


def _broken(draft: Draft, use: Use, json: str) -> Case:
    """A call with a fault, between text."""
    before = draft.random.choice(prose.SENTENCES)
    return draft.case(
        f"{before}\n\n{draft.block(use, json)}",
        Text(before),
        written=(json,),
        uses=(use,),
        broken=(use.tool.name,),
        nothing_executed=True,
    )


# What models add.


def _fabricated_result(draft: Draft) -> Case:
    use, before = draft.use(), draft.random.choice(prose.SENTENCES)
    attributes = draft.random.choice(("", f' name="{use.tool.name}"', f' name="{use.tool.name}" call="1"'))
    invented = draft.random.choice((*prose.RESULTS, draft.block(draft.use(short))))
    result = f"<tool_result{attributes}>\n{invented}"
    ending = draft.random.choice(("", "\n</tool_result>", "\n</tool_result>\n"))
    text = f"{before}\n{draft.block(use)}\n{result}{ending}"
    return draft.case(text, Text(before), meant(use), uses=(use,), nothing_executed=True)


_IDS = {"step_id": "01JX0000000000000000000000", "tool_execution_id": "b7c6"}


def _extra_ids(draft: Draft) -> Case:
    if draft.random.random() < 0.2:
        use = Use(RESUME_STEP, _IDS)
        return _single(draft, use, draft.json(use))
    use = draft.use()
    extra = dict(draft.random.sample(list(_IDS.items()), draft.random.randint(1, 2)))
    arguments = draft.random.choice(({**extra, **use.arguments}, {**use.arguments, **extra}))
    if draft.form.name_key and draft.random.random() < 0.3:
        json = write({draft.form.name_key: use.tool.name, **extra, "arguments": use.arguments})
    else:
        json = draft.form.json(use.tool.name, arguments)
    return _single(draft, use, json)


ROWS = (
    Row("as documented", _as_documented, size=len(USES)),
    Row("cut in two at every place", _cut_anywhere),
    Row("plain text, beginnings of markers", _plain_text),
    Row("text before, between and after calls", _text_around),
    Row("arguments over several lines", _several_lines),
    Row("fence around the block", _fence_around_block),
    Row("fence around the arguments", _fence_around_arguments),
    Row("trailing commas", _drifted(Style(trailing_commas=True)), strict=False),
    Row("raw newlines and tabs in strings", _drifted(Style(raw_controls=True)), strict=False),
    Row("invalid escapes", _drifted(Style(bare_backslashes=True)), strict=False),
    Row("single quotes, True, False, None", _drifted(Style(python=True)), strict=False),
    Row("unescaped quotes in strings", _unescaped_quotes, strict=False),
    Row("several of these at once", _several_drifts, strict=False),
    Row("arguments encoded twice", _encoded_twice),
    Row("markers in a JSON string", _marker_in_string),
    Row("several calls in a row", _in_a_row),
    Row("several calls in one block", _in_one_block),
    Row("several calls as an array", _as_array, formats=(DOCUMENTED, TOOL_CALL_START, TAGGED)),
    Row("no arguments", _no_arguments),
    Row("no end marker", _no_end_marker),
    Row("the answer ends inside the JSON", _ends_inside_json, size=2 * CASES_PER_ROW),
    Row("markers quoted in prose or code", _quoted_markers),
    Row("a call inside thinking", _inside_thinking),
    Row("a name that no tool has", _unknown_name),
    Row("arguments against the schema", _against_schema),
    Row("JSON that cannot be read", _unreadable, strict=False),
    Row("a fabricated result after a call", _fabricated_result),
    Row("extra step_id, tool_execution_id", _extra_ids),
)
