"""The call format as data, shared by the prompt that teaches it and the parser that reads it.

The documented form, which the prompt shows and history is rendered in (models copy what they see):

    FUNCTION_CALL_START
    function_name
    arguments: {"param": "value"}
    FUNCTION_CALL_END

Other forms were seen from StackSpot agents and are accepted from them: other markers around the same block,
`function_name: NAME` for the bare name, or a JSON object with name and arguments inside the markers.
"""

from __future__ import annotations

START = "FUNCTION_CALL_START"
END = "FUNCTION_CALL_END"
ARGUMENTS = "arguments:"

#: Start marker → end marker of every accepted form.
ENDS: dict[str, str] = {
    START: END,
    "TOOL_CALL_START": "TOOL_CALL_END",
    "<tool_call>": "</tool_call>",
}

#: Keys under which a call written as one JSON object carries its name and its arguments.
NAME_KEYS = ("function_name", "name")
ARGUMENTS_KEYS = ("arguments", "parameters")

#: Names of the tags around what a model thinks to itself, in any case.
REASONING = ("think", "thinking", "reasoning", "thought")

#: How results begin that a model invents behind its own calls.
INVENTED_RESULTS = ("<tool_result", "<tool_response", "<function_results", "FUNCTION_CALL_RESULT", "TOOL_CALL_RESULT")


def render_call(name: str, arguments: str) -> str:
    """A call in the documented form; `arguments` is the text of a JSON object."""
    return f"{START}\n{name}\n{ARGUMENTS} {arguments}\n{END}"


def length_begun(text: str, marker: str) -> int:
    """The length of the longest end of `text` that is a beginning of `marker`, but not all of it."""
    at = text.find(marker[0], max(0, len(text) - len(marker) + 1))
    while at >= 0 and not marker.startswith(text[at:]):
        at = text.find(marker[0], at + 1)
    return len(text) - at if at >= 0 else 0
