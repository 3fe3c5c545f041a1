"""Tools → short declarations for the prompt, which say what their JSON Schema says for fewer tokens.

    get_weather( // Current weather of a city.
    city string 1..80 // Its name.
    days? int 1..14 = 3
    unit? "c"|"f"
    places? {
    lat number -90..90
    lon number -180..180
    }[] 1..5 // More places.
    )

The rules, by which a reader can turn a declaration back into its schema (line breaks as shown, nothing is indented):

- Tool: `name(`, its members, `)`; without members `name()`. What follows `)` belongs to the parameters as a whole.
- Member: one line, `name schema` when required, `name? schema` when not, `#name schema` for one of `$defs`,
  `... schema` for `additionalProperties`. A name with more than letters, digits and `_$@.-` is a JSON string.
- Schema: its type, facets, what has no form of its own as one JSON object, then `= default` in JSON.
- Types: `string`, `int`, `number`, `bool`, `null`, `object`, `array`, several with `|`; `any` says no type. `unknown`
  and `never` are the schemas true and false.
- Shapes: `{` members `}` is an object, and `!` after `}` or `)` means `additionalProperties: false`; `T[]` is an array
  of T; `"a"|"b"` an enum; `const "a"` a constant; `#name` a `$ref` to `$defs`; `A or B` anyOf; `A xor B` oneOf;
  `A & B` allOf. The first four say the type too. Where it is another, it stands before them: `any ("a"|"b")`. Inside a
  shape, parentheses stand around whatever is more than one word, object, array or reference.
- Facets: `1..9` bounds a number, the length of a string, the items of an array or the properties of an object, and
  either end may be missing; `>0` and `<9` exclude the bound; `%5` is `multipleOf`; `/…/` the pattern; `unique`,
  `deprecated` and `nullable` are flags; any other word is the `format`.
- Description: ` // ` and the text, after the `(` or `{` that opens members, else at the end of the line. Further lines
  of the text begin with one space, or are empty. A text with other line breaks than `\\n`, or one that begins with a
  quote, is a JSON string.

So nothing that a client wrote begins a line, except names, which are words or JSON strings: no description can pass for
a member, for a tool, or for a tag of the prompt on a line of its own.

Left out is what says nothing: `$schema`, a title that repeats the name, an empty `required`, the order of `required`,
and the difference between no parameters and an object without properties.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from custom_handler.request import Tool

#: As it is parsed.
Schema: TypeAlias = dict[str, Any] | bool
#: The keywords of a schema that were not written yet; whoever writes one takes it out.
_Left: TypeAlias = dict[str, Any]

#: What the model has to be told to read declarations; the rest is as in the languages it knows.
NOTATION = """\
Tools are declared as `name( // purpose`, then one `parameter type // meaning` a line, then `)`. `?` after a name marks
it as optional; `= x` is its default. `a..b` bounds a number, a length or a count; `T[]` is a list, `{` … `}` an object,
`!` bars other members, `#T` is the type on the line of that name; what else a JSON Schema says follows as JSON."""

_WORDS = {
    "string": "string",
    "integer": "int",
    "number": "number",
    "boolean": "bool",
    "null": "null",
    "object": "object",
    "array": "array",
}
_RANGES = {
    "integer": ("minimum", "maximum"),
    "number": ("minimum", "maximum"),
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}
_LIMITS = {"exclusiveMinimum": ">", "exclusiveMaximum": "<", "multipleOf": "%"}
_FLAGS = {"uniqueItems": "unique", "deprecated": "deprecated", "nullable": "nullable"}
_UNIONS = {"anyOf": " or ", "oneOf": " xor ", "allOf": " & "}

#: Levels of JSON that are turned into declarations; parameters with more stay JSON, which Python can write deeper.
_DEEPEST = 50

#: Characters of a tool whose declaration is remembered, so that all of them together stay small.
_LONGEST_REMEMBERED = 10_000

_PLAIN_NAME = re.compile(r"[\w$@][\w$@.-]*")
_FORMAT = re.compile(rf"(?!(?:or|xor|{'|'.join(_FLAGS.values())})$)[a-z][a-z0-9-]*")
_PATTERN = re.compile(r"[^/\x00-\x1f\x7f\x85\u2028\u2029]+")
_REFERENCE = re.compile(r"#/\$defs/([^/~%]+)")
#: What some reader takes for a line break, other than the one that all do.
_ODD_BREAK = re.compile(r"[\r\v\f\x1c-\x1e\x85\u2028\u2029]")

#: In place of a keyword `type` that is not there. No value of JSON equals it.
_NO_TYPE = object()


@dataclass(frozen=True, slots=True)
class _Form:
    """A schema, or the part of it that says its type. `atomic` when it needs no parentheses inside another form."""

    text: str
    atomic: bool


@dataclass(frozen=True, slots=True)
class _Shape:
    """A form that says more than the name of a type; `implied` is the `type` that it says with it, if it does."""

    form: _Form
    implied: object = _NO_TYPE


def render_tools(tools: Sequence[Tool]) -> str:
    """One declaration a tool, in their order, each beginning on a line of its own; no line break at the end."""
    return "\n".join(map(_declaration, tools))


def _declaration(tool: Tool) -> str:
    schema = json.dumps(tool.parameters, default=dict)  # the text is the key: a mapping may be changed by its owner
    is_short = len(tool.description) + len(schema) <= _LONGEST_REMEMBERED
    return (_remembered if is_short else _declared)(tool.name, tool.description, schema)


@lru_cache(maxsize=1024)
def _remembered(name: str, description: str, schema: str) -> str:
    """The declaration, remembered: a session sends the same tools with each of its requests."""
    return _declared(name, description, schema)


def _declared(name: str, description: str, schema: str) -> str:
    left = _without_echo(name, {"type": "object", "properties": {}, **json.loads(schema)})
    left.pop("$schema", None)
    lines, mark = (_members(left) if _is_nested_at_most(_DEEPEST, left) else None) or ([], "")
    if left.get("type") == "object":
        del left["type"]
    tail = mark + _tail(left, "object")
    comment = _comment(description)
    return _name(name) + (f"({comment}\n{_joined(lines)}){tail}" if lines else f"(){tail}{comment}")


def _without_echo(name: str, schema: dict[str, Any]) -> _Left:
    """`schema` without a title that only repeats the name, as generators of schemas like to write them."""
    title = schema.get("title")
    echo = isinstance(title, str) and _letters(title) != "" and _letters(title) == _letters(name)
    return {keyword: value for keyword, value in schema.items() if not (echo and keyword == "title")}


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()


def _joined(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


# Members of an object


def _members(left: _Left) -> tuple[list[str], str] | None:
    """The lines of an object's members and the mark after them; None when it names none."""
    if "properties" not in left:
        others = _others(left)
        return (others, "") if others else None
    if not _are_schemas(left["properties"]):
        return None
    properties = left.pop("properties")
    required = _required(left, properties)
    lines = [_member(_name(name) + "?" * (name not in required), name, of) for name, of in properties.items()]
    lines += _definitions(left)
    if left.get("additionalProperties") is False:
        del left["additionalProperties"]
        return lines, "!"
    return lines + (_others(left) if properties else []), ""


def _member(label: str, name: str, schema: Schema) -> str:
    schema = schema if isinstance(schema, bool) else _without_echo(name, schema)
    return f"{label} {_form(schema, ends_line=True).text}"


def _required(left: _Left, properties: dict[str, Any]) -> set[str]:
    """The properties that are required; required names without a property are left."""
    names = left.get("required")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return set()
    left["required"] = [name for name in names if name not in properties]
    if not left["required"]:
        del left["required"]
    return set(names)


def _definitions(left: _Left) -> list[str]:
    if not left.get("$defs") or not _are_schemas(left["$defs"]):
        return []
    return [_member("#" + _name(name), name, schema) for name, schema in left.pop("$defs").items()]


def _others(left: _Left) -> list[str]:
    if not _is_schema(left.get("additionalProperties")):
        return []
    return [_member("...", "", left.pop("additionalProperties"))]


# Schemas


def _form(schema: Schema, *, ends_line: bool = False) -> _Form:
    """`schema` in full. Only where it ends the line can its description follow it."""
    if isinstance(schema, bool):
        return _Form("unknown" if schema else "never", atomic=True)
    left = dict(schema)
    typed = _typed(left)
    comment = _comment(_pop_description(left)) if ends_line else ""
    tail = _tail(left, _kind(schema.get("type")))
    return _Form(typed.text + tail + comment, typed.atomic and not tail)


def _typed(left: _Left) -> _Form:
    """What says the type: a shape, the words for `type`, or both when they differ."""
    shape = next(filter(None, (shape_of(left) for shape_of in _SHAPES)), None)
    if shape and left.get("type", _NO_TYPE) == shape.implied:
        left.pop("type", None)
        return shape.form
    words = _type_words(left)
    return _Form(f"{words} ({shape.form.text})", atomic=False) if shape else _Form(words, atomic="|" not in words)


def _type_words(left: _Left) -> str:
    types = _types(left.get("type"))
    if not types:
        return "any"
    del left["type"]
    return "|".join(_WORDS[name] for name in types)


def _types(declared: object) -> list[str]:
    """The types of a keyword `type` that has a form, else none. A list of one has none: it would read as its item."""
    if isinstance(declared, str):
        declared = [declared]
    elif not isinstance(declared, list) or len(declared) < 2:
        return []
    return declared if all(isinstance(name, str) and name in _WORDS for name in declared) else []


def _kind(declared: object) -> str:
    """The only type apart from null, or nothing."""
    kinds = [name for name in _types(declared) if name != "null"]
    return kinds[0] if len(kinds) == 1 else ""


def _in(form: _Form) -> str:
    return form.text if form.atomic else f"({form.text})"


# Shapes: each takes out the keywords that it writes


def _enum(left: _Left) -> _Shape | None:
    values = left.get("enum")
    if not isinstance(values, list) or not all(map(_is_scalar, values)) or set(values) <= {None}:
        return None
    del left["enum"]
    return _Shape(_Form("|".join(map(_json, values)), atomic=False), _implied(values))


def _const(left: _Left) -> _Shape | None:
    if "const" not in left or not _is_scalar(left["const"]):
        return None
    value = left.pop("const")
    return _Shape(_Form(f"const {_json(value)}", atomic=False), _implied([value]))


def _object(left: _Left) -> _Shape | None:
    members = _members(left)
    if members is None:
        return None
    lines, mark = members
    opening = "{" + _comment(_pop_description(left)) + "\n" if lines else "{"
    return _Shape(_Form(opening + _joined(lines) + "}" + mark, atomic=True), "object")


def _array(left: _Left) -> _Shape | None:
    if not _is_schema(left.get("items")):
        return None
    return _Shape(_Form(_in(_form(left.pop("items"))) + "[]", atomic=True), "array")


def _union(left: _Left) -> _Shape | None:
    for keyword, operator in _UNIONS.items():
        parts = left.get(keyword)
        if isinstance(parts, list) and len(parts) > 1 and all(map(_is_schema, parts)):
            del left[keyword]
            return _Shape(_Form(operator.join(_in(_form(part)) for part in parts), atomic=False))
    return None


def _reference(left: _Left) -> _Shape | None:
    target = left.get("$ref")
    found = _REFERENCE.fullmatch(target) if isinstance(target, str) else None
    if not found:
        return None
    del left["$ref"]
    return _Shape(_Form("#" + _name(found[1]), atomic=True))


_SHAPES: tuple[Callable[[_Left], _Shape | None], ...] = (_enum, _const, _object, _array, _union, _reference)


def _implied(values: Sequence[object]) -> object:
    types = list(dict.fromkeys(map(_type_of, values)))
    return types if len(types) > 1 else types[0]


def _type_of(value: object) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return names.get(type(value), "null")


# What follows the type


def _tail(left: _Left, kind: str) -> str:
    """Facets, the rest as JSON, and the default."""
    if not left:
        return ""
    facets = [_range(left, kind), *_limits(left), _pattern(left), _format(left), *_flags(left)]
    default = f"= {_json(left.pop('default'))}" if "default" in left else ""
    rest = _json(left) if left else ""
    return "".join(f" {part}" for part in (*facets, rest, default) if part)


def _range(left: _Left, kind: str) -> str:
    low, high = (_pop_number(left, keyword) for keyword in _RANGES.get(kind, ("", "")))
    return f"{low}..{high}" if low or high else ""


def _limits(left: _Left) -> list[str]:
    limits = ((sign, _pop_number(left, keyword)) for keyword, sign in _LIMITS.items())
    return [sign + number for sign, number in limits if number]


def _pattern(left: _Left) -> str:
    pattern = left.get("pattern")
    if not isinstance(pattern, str) or not _PATTERN.fullmatch(pattern):
        return ""
    return f"/{left.pop('pattern')}/"


def _format(left: _Left) -> str:
    name = left.get("format")
    return str(left.pop("format")) if isinstance(name, str) and _FORMAT.fullmatch(name) else ""


def _flags(left: _Left) -> list[str]:
    set_flags = [keyword for keyword in _FLAGS if left.get(keyword) is True]
    return [_FLAGS[keyword] for keyword in set_flags if left.pop(keyword)]


def _pop_number(left: _Left, keyword: str) -> str:
    value = left.get(keyword)
    if isinstance(value, bool | None) or not isinstance(value, int | float) or not math.isfinite(value):
        return ""
    return _json(left.pop(keyword))


def _pop_description(left: _Left) -> str:
    """The description, if it is a text; anything else stays."""
    description = left.get("description")
    return left.pop("description") if isinstance(description, str) and description else ""


# Texts and values


def _comment(description: str) -> str:
    if not description:
        return ""
    if _ODD_BREAK.search(description) or description.startswith('"'):
        return f" // {_json(description)}"
    return " // " + re.sub(r"\n(?=[^\n])", "\n ", description)


def _name(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else _json(name)


def _json(value: object) -> str:
    """`value` on one line, whatever its reader takes for the end of a line."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _ODD_BREAK.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _is_schema(value: object) -> bool:
    return isinstance(value, dict | bool)


def _are_schemas(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_schema, value.values()))


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | None) or (isinstance(value, float) and math.isfinite(value))


def _is_nested_at_most(levels: int, value: object) -> bool:
    if isinstance(value, dict | list) and levels:
        inner = value.values() if isinstance(value, dict) else value
        return all(_is_nested_at_most(levels - 1, item) for item in inner)
    return levels > 0
