"""Reads one tool that is declared in the short form (pure), back into a name, a description and a JSON Schema.

    get_weather( // Current weather.
    city string 1..80 // Its name.
    days? int 1..14 = 3
    unit? "c"|"f"
    places? {
    lat number
    }[]
    )

The whole form is read, also what is rare, so that nothing of a schema is lost between a client and the emulator.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any] | bool

_TYPES = {
    "string": "string",
    "int": "integer",
    "number": "number",
    "bool": "boolean",
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
_LIMITS = {">": "exclusiveMinimum", "<": "exclusiveMaximum", "%": "multipleOf"}
_FLAGS = {"unique": "uniqueItems", "deprecated": "deprecated", "nullable": "nullable"}
_UNIONS = {" or ": "anyOf", " xor ": "oneOf", " & ": "allOf"}

_WORD = f"(?:{'|'.join(_TYPES)})"
_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_LITERAL = rf'(?:"(?:[^"\\]|\\.)*"|{_NUMBER}|true|false|null)'
_NAME = r'[\w$@][\w$@.-]*|"(?:[^"\\]|\\.)*"'
_LITERALS = rf"(?!null(?:\|null)*(?![|\w])){_LITERAL}(?:\|{_LITERAL})*(?![|\w.])"
_FACET = (
    rf" (?:(?P<low>{_NUMBER})?\.\.(?P<high>{_NUMBER})?|(?P<sign>[<>%])(?P<limit>{_NUMBER})"
    r"|/(?P<pattern>[^/\n]+)/|(?P<word>[a-z][a-z0-9-]*)(?![^\s)]))"
)
_COMMENT = r" // ([^\n]*(?:\n(?: [^\n]*)?(?=\n|\Z))*)"


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declared tool, and where in the text its declaration ends."""

    name: str
    description: str
    parameters: dict[str, Any]
    end: int


def read_declaration(text: str, start: int) -> Declaration | None:
    """The tool whose declaration begins at `start` and ends with a line; None when there is none."""
    reader = _Reader(text, start)
    try:
        declaration = reader.declaration()
    except (ValueError, RecursionError):
        return None
    return declaration if text.startswith("\n", declaration.end) or declaration.end == len(text) else None


class _Reader:
    """Takes a text apart from `at` on; raises ValueError where it is not in the form."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._at = at

    def declaration(self) -> Declaration:
        name = self._name()
        self._need(r"\(")
        description = self._comment()
        parameters = {"type": "object", "properties": {}, **self._members(r"\)")}
        self._read_tail(parameters)
        return Declaration(name, description or self._comment(), parameters, self._at)

    def _members(self, closing: str) -> dict[str, Any]:
        """The keywords that an object's members stand for, up to and with its end."""
        schema: dict[str, Any] = {}
        if self._take(r"\n"):
            while not self._take(closing):
                self._read_member(schema)
                self._need(r"\n")
        else:
            self._need(closing)
        if "additionalProperties" not in schema:
            schema.setdefault("properties", {})
        if self._take("!"):
            schema["additionalProperties"] = False
        return schema

    def _read_member(self, schema: dict[str, Any]) -> None:
        if self._take(r"\.\.\. "):
            schema["additionalProperties"] = self._schema()
        elif self._take("#"):
            self._read_named("$defs", schema)
        elif not self._read_named("properties", schema):
            schema.setdefault("required", []).append(list(schema["properties"])[-1])

    def _read_named(self, keyword: str, schema: dict[str, Any]) -> bool:
        """Reads `name schema` into a keyword; says whether the name is optional."""
        name = self._name()
        optional = bool(self._take(r"\?"))
        self._need(" ")
        schema.setdefault(keyword, {})[name] = self._schema()
        return optional

    def _schema(self) -> Schema:
        schema = self._core()
        if isinstance(schema, dict):
            self._read_tail(schema)
            if description := self._comment():
                schema["description"] = description
        return schema

    def _core(self) -> Schema:
        """What says the type."""
        if literals := self._take(_LITERALS):
            values = [json.loads(literal) for literal in re.findall(_LITERAL, literals[0])]
            return {"type": _implied(values), "enum": values}
        if self._take("const "):
            value = self._json()
            return {"type": _implied([value]), "const": value}
        first = self._operand()
        for operator, keyword in _UNIONS.items():
            parts = [first]
            while self._take(operator):
                parts.append(self._operand())
            if len(parts) > 1:
                return {keyword: parts}
        return first

    def _operand(self) -> Schema:
        schema = self._atom()
        while self._take(r"\[\]"):
            schema = {"type": "array", "items": schema}
        return schema

    def _atom(self) -> Schema:
        if self._take(r"\("):
            return self._in_parentheses()
        if self._take(r"\{"):
            description = self._comment()
            described = {"description": description} if description else {}
            return {"type": "object", **described, **self._members(r"\}")}
        if self._take("#"):
            return {"$ref": f"#/$defs/{self._name()}"}
        return self._typed()

    def _typed(self) -> Schema:
        """A schema that begins with the words for its type."""
        words = self._need(rf"(?:any|unknown|never|{_WORD}(?:\|{_WORD})*)(?!\w)")[0]
        if words in {"unknown", "never"}:
            return words == "unknown"
        types = [_TYPES[word] for word in words.split("|") if word != "any"]
        declared = {"type": types if len(types) > 1 else types[0]} if types else {}
        shape = self._in_parentheses() if self._take(r" \(") else {}
        beside = {key: value for key, value in shape.items() if key != "type"} if isinstance(shape, dict) else {}
        return {**declared, **beside}

    def _in_parentheses(self) -> Schema:
        schema = self._schema()
        self._need(r"\)")
        return schema

    def _read_tail(self, schema: dict[str, Any]) -> None:
        """Reads facets, the keywords that are written in JSON, and the default into `schema`."""
        ends = _RANGES.get(_kind(schema.get("type")), ("", ""))
        while facet := self._take(_FACET):
            said = _facet(facet, ends)
            if said.keys() & schema.keys():
                raise ValueError(f"said twice: {said}")  # as in a line of prose, where each word could be a format
            schema.update(said)
        if self._take(r" (?=\{)"):
            rest = self._json()
            if isinstance(rest.get("required"), list):
                rest["required"] = [*schema.get("required", []), *rest["required"]]
            schema.update(rest)
        if self._take(" = "):
            schema["default"] = self._json()

    def _comment(self) -> str:
        found = self._take(_COMMENT)
        if not found:
            return ""
        return str(json.loads(found[1])) if found[1].startswith('"') else found[1].replace("\n ", "\n")

    def _name(self) -> str:
        name = self._need(_NAME)[0]
        return str(json.loads(name)) if name.startswith('"') else name

    def _json(self) -> Any:
        value, self._at = json.JSONDecoder().raw_decode(self._text, self._at)
        return value

    def _need(self, pattern: str) -> re.Match[str]:
        found = self._take(pattern)
        if not found:
            raise ValueError(f"{pattern} was expected at {self._at}")
        return found

    def _take(self, pattern: str) -> re.Match[str] | None:
        found = re.compile(pattern).match(self._text, self._at)
        if found:
            self._at = found.end()
        return found


def _implied(values: list[Any]) -> str | list[str]:
    """The keyword `type` that a list of values stands for."""
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    types = list(dict.fromkeys(names.get(type(value), "null") for value in values))
    return types if len(types) > 1 else types[0]


def _kind(declared: object) -> str:
    """The only type apart from null, or nothing."""
    types = [declared] if isinstance(declared, str) else declared
    kinds = [name for name in types if name != "null"] if isinstance(types, list) else []
    return kinds[0] if len(kinds) == 1 else ""


def _facet(found: re.Match[str], ends: tuple[str, str]) -> dict[str, Any]:
    """The keywords of one facet; `ends` are those of a range."""
    if word := found["word"]:
        return {_FLAGS[word]: True} if word in _FLAGS else {"format": word}
    if found["pattern"]:
        return {"pattern": found["pattern"]}
    if sign := found["sign"]:
        return {_LIMITS[sign]: json.loads(found["limit"])}
    numbers = zip(ends, (found["low"], found["high"]), strict=True)
    return {keyword: json.loads(number) for keyword, number in numbers if number}
