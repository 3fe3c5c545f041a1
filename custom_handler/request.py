"""An OpenAI chat request, checked and made simple.

`parse` takes what a client sent and gives frozen values that the prompt is rendered from. Whatever cannot be served is
refused here with the path of the field, such as `messages[3].content[0].type`, before anything leaves the process.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from custom_handler import parts
from custom_handler.attachments import Attachment, File, Files, RemoteFile, check_total
from custom_handler.errors import RequestError
from custom_handler.fields import flag, mapping, optional_text
from custom_handler.output import OutputFormat, parse_format

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]
#: OpenAI's role → ours. `developer` is the newer name of `system`, `function` the older name of `tool`.
_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_TEXT_PARTS = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
#: Stands in the text where a file stood in the message.
_MENTION = "[attached file: {}]"


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call that the model made in an earlier turn; `arguments` as the client sent them."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. `calls` only on assistant turns; `tool_call_id` and `name` only on tool turns.

    Attributes:
        files: what came with it; `text` mentions each where it stood.
    """

    role: Role
    text: str
    calls: tuple[PastCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call.

    Attributes:
        parameters: the JSON Schema of its arguments.
        strict: the client relies on the schema: a call that breaks it is never sent.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    strict: bool = False


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """`auto`, `none`, `required`, or `named` with the function's name."""

    mode: Literal["auto", "none", "required", "named"] = "auto"
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What the answer depends on.

    Attributes:
        output: the JSON value that an answer without calls must be; None for text.
        stops: where the text of the answer ends.
        max_tokens: how long the answer may be.
    """

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = ToolChoice()
    parallel_tool_calls: bool = True
    output: OutputFormat | None = None
    stops: tuple[str, ...] = ()
    max_tokens: int | None = None

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The files of all messages, each once."""
        return tuple(dict.fromkeys(file for file in self._files if isinstance(file, Attachment)))

    @property
    def remote_files(self) -> tuple[RemoteFile, ...]:
        """Those that are still to be fetched, each once."""
        return tuple(dict.fromkeys(file for file in self._files if isinstance(file, RemoteFile)))

    @property
    def _files(self) -> Iterator[File]:
        return (file for message in self.messages for file in message.files)

    def with_fetched(self, fetched: Mapping[RemoteFile, Attachment]) -> ChatRequest:
        """The request with the files that were to be fetched.

        Raises:
            RequestError: they are too large together.
        """

        def here(message: Message) -> Message:
            files = (fetched[file] if isinstance(file, RemoteFile) else file for file in message.files)
            return replace(message, files=tuple(files))

        request = replace(self, messages=tuple(map(here, self.messages)))
        check_total(request.attachments, "messages")
        return request

    @property
    def wants_call(self) -> bool:
        """Whether the answer must contain a call."""
        return self.tool_choice.mode in {"required", "named"}

    @property
    def callable_tools(self) -> tuple[Tool, ...]:
        """The tools that this answer may call."""
        match self.tool_choice.mode:
            case "none":
                return ()
            case "named":
                return tuple(tool for tool in self.tools if tool.name == self.tool_choice.name)
            case _:
                return self.tools


def parse(messages: object, parameters: Mapping[str, Any]) -> ChatRequest:
    """Check a request.

    Args:
        messages: the field `messages` of the body.
        parameters: its other OpenAI fields; unknown ones are accepted and ignored.

    Raises:
        RequestError: a field has a wrong type or a value that cannot be served; `param` is its path.
    """
    _check_parameters(parameters)
    tools = tuple(_tools(parameters.get("tools")))
    return ChatRequest(
        messages=_messages(messages),
        tools=tools,
        tool_choice=_tool_choice(parameters.get("tool_choice"), tools),
        parallel_tool_calls=parameters.get("parallel_tool_calls") is not False,
        output=parse_format(parameters.get("response_format")),
        stops=_stops(parameters.get("stop")),
        max_tokens=parameters.get("max_completion_tokens") or parameters.get("max_tokens"),
    )


def _stops(stop: str | Sequence[str] | None) -> tuple[str, ...]:
    return (stop,) if isinstance(stop, str) else tuple(stop or ())


def _messages(messages: object) -> tuple[Message, ...]:
    if not isinstance(messages, list) or not messages:
        raise RequestError("messages must be a list with at least one message.", param="messages")
    files = Files()
    parsed = tuple(_message(message, f"messages[{index}]", files) for index, message in enumerate(messages))
    if not any(message.text.strip() or message.calls for message in parsed):
        raise RequestError("messages have no text; there is nothing to answer.", param="messages")
    return parsed


def _message(message: object, path: str, files: Files) -> Message:
    fields = mapping(message, path)
    role = fields.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise RequestError(f"{path}.role must be one of {', '.join(_ROLES)}, not {role!r:.40}.", param=f"{path}.role")
    said = list(_content(fields.get("content"), f"{path}.content", files))
    return Message(
        role=_ROLES[role],
        text="\n".join(item if isinstance(item, str) else _MENTION.format(item.name) for item in said),
        calls=tuple(_past_calls(fields, path)) if role == "assistant" else (),
        tool_call_id=optional_text(fields, "tool_call_id", path),
        name=optional_text(fields, "name", path),
        files=tuple(item for item in said if not isinstance(item, str)),
    )


def _content(content: object, path: str, files: Files) -> Iterator[str | File]:
    """The texts and files of `content`: a string, a list of parts, or null."""
    if content is None or isinstance(content, str):
        yield content or ""
        return
    if not isinstance(content, list):
        raise RequestError(f"{path} must be a string, a list of parts, or null.", param=path)
    for index, part in enumerate(content):
        for said in _part(part, f"{path}[{index}]"):
            yield said if isinstance(said, str) else files.add(said)


def _part(part: object, path: str) -> parts.Said:
    if isinstance(part, str):
        return [part]
    fields = mapping(part, path)
    kind = fields.get("type")
    if not isinstance(kind, str) or kind not in _TEXT_PARTS:
        return parts.interpret(fields, path)
    key = _TEXT_PARTS[kind]
    if not isinstance(fields.get(key), str):
        raise RequestError(f"{path}.{key} must be a string.", param=f"{path}.{key}")
    return [str(fields[key])]


def _past_calls(fields: Mapping[str, Any], path: str) -> Iterator[PastCall]:
    calls = fields.get("tool_calls") or []
    if not isinstance(calls, list):
        raise RequestError(f"{path}.tool_calls must be a list.", param=f"{path}.tool_calls")
    for index, call in enumerate(calls):
        yield _past_call(call, f"{path}.tool_calls[{index}]")
    if fields.get("function_call") is not None:  # the form before tool calls had ids
        yield _past_call({"function": fields["function_call"]}, f"{path}.function_call")


def _past_call(call: object, path: str) -> PastCall:
    fields = mapping(call, path)
    if fields.get("type") == "custom":
        custom = mapping(fields.get("custom"), f"{path}.custom")
        function: Mapping[str, Any] = {
            "name": custom.get("name"),
            "arguments": {"input": custom.get("input")},
        }
    else:
        function = mapping(fields.get("function"), f"{path}.function")
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise RequestError(f"{path}.function.name must be a string.", param=f"{path}.function.name")
    return PastCall(id=str(fields.get("id") or ""), name=name, arguments=_past_arguments(function.get("arguments")))


def _past_arguments(arguments: object) -> str:
    """Arguments as one line of text; some clients send the object itself, or nothing, instead of JSON text."""
    if isinstance(arguments, str):
        return arguments.strip() or "{}"
    return json.dumps(arguments or {}, ensure_ascii=False)


def _tools(tools: object) -> Iterator[Tool]:
    if tools is None:
        return
    if not isinstance(tools, list):
        raise RequestError("tools must be a list.", param="tools")
    for index, tool in enumerate(tools):
        fields = mapping(tool, f"tools[{index}]")
        if fields.get("type", "function") == "function":  # other types run on OpenAI's side: nothing to offer
            yield _tool(mapping(fields.get("function"), f"tools[{index}].function"), f"tools[{index}].function")


def _tool(function: Mapping[str, Any], path: str) -> Tool:
    name, parameters = function.get("name"), function.get("parameters")
    if not isinstance(name, str) or not name or any(map(str.isspace, name)):
        raise RequestError(f"{path}.name must be a string without spaces.", param=f"{path}.name")
    if parameters is not None and not isinstance(parameters, Mapping):
        raise RequestError(f"{path}.parameters must be a JSON Schema object.", param=f"{path}.parameters")
    description = optional_text(function, "description", path) or ""
    return Tool(name, description, parameters or {}, flag(function, "strict", path))


def _tool_choice(choice: object, tools: Sequence[Tool]) -> ToolChoice:
    match choice:
        case None | "auto":
            return ToolChoice()
        case "none":
            return ToolChoice("none")
        case "required" | "any" if tools:
            return ToolChoice("required")
        case {"type": "function", "function": {"name": str(name)}} | {"type": "function", "name": str(name)}:
            return _named(name, tools)
    raise RequestError(
        "tool_choice must be none, auto, required (with tools), or name one function.", param="tool_choice"
    )


def _named(name: str, tools: Sequence[Tool]) -> ToolChoice:
    if name not in {tool.name for tool in tools}:
        raise RequestError(f"tool_choice names {name!r:.80}, which is not among tools.", param="tool_choice")
    return ToolChoice("named", name)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_positive(value: object) -> bool:
    return isinstance(value, int) and _is_whole(value) and value > 0


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_stop(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))


#: Field → what it must be, in words and as a test. Null means not given.
_TYPES: dict[str, tuple[str, Callable[[object], bool]]] = {
    "temperature": ("a number", _is_number),
    "top_p": ("a number", _is_number),
    "presence_penalty": ("a number", _is_number),
    "frequency_penalty": ("a number", _is_number),
    "seed": ("a whole number", _is_whole),
    "max_tokens": ("a whole number above 0", _is_positive),
    "max_completion_tokens": ("a whole number above 0", _is_positive),
    "n": ("1: these agents give one answer", lambda value: value == 1 and _is_whole(value)),
    "logprobs": ("false: these agents do not report them", lambda value: value is False),
    "top_logprobs": ("left out or 0: these agents do not report them", lambda value: value == 0),
    "parallel_tool_calls": ("true or false", _is_flag),
    "stop": ("a string or a list of strings", _is_stop),
}


def _check_parameters(parameters: Mapping[str, Any]) -> None:
    for name, (words, accepts) in _TYPES.items():
        value = parameters.get(name)
        if value is not None and not accepts(value):
            raise RequestError(f"{name} must be {words}.", param=name)
