"""Tools as coding agents, banks and chat programs declare them: schemas of many shapes."""

from __future__ import annotations

from typing import Any

from custom_handler.request import Tool

_TEXT: dict[str, Any] = {"type": "string"}
_WHOLE: dict[str, Any] = {"type": "integer"}
_NUMBER: dict[str, Any] = {"type": "number"}
_FLAG: dict[str, Any] = {"type": "boolean"}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 1}


def _list_of(items: dict[str, Any], **bounds: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **bounds}


def _one_of(*values: Any) -> dict[str, Any]:
    return {"enum": list(values)}


def _object(*required: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


_EDIT = _object("old_text", "new_text", old_text=_TEXT, new_text=_TEXT, replace_all=_FLAG)
_TODO = _object(
    "content",
    "status",
    content=_TEXT,
    status=_one_of("pending", "in_progress", "completed"),
    priority=_one_of("high", "medium", "low"),
)
_FILTER = {
    "anyOf": [
        _object("field", "equals", field=_TEXT, equals={"type": ["string", "number", "boolean", "null"]}),
        _object("field", "between", field=_TEXT, between=_list_of(_NUMBER, minItems=2, maxItems=2)),
        _object("all", all=_list_of({"$ref": "#/$defs/filter"})),
    ]
}
_NODE = _object("label", label=_TEXT, children=_list_of({"$ref": "#/$defs/node"}))
_ADDRESS = _object(
    "street",
    "number",
    street=_TEXT,
    number={"type": ["integer", "string"]},
    zip={"type": "string", "pattern": r"^\d{8}$"},
)

_ALL = (
    Tool("read_file", "Read a file.", _object("path", path=_TEXT, offset=_COUNT, limit=_COUNT)),
    Tool(
        "write_file", "Write a file, replacing what was there.", _object("path", "content", path=_TEXT, content=_TEXT)
    ),
    Tool(
        "edit_file",
        "Replace text in a file.",
        _object("path", "edits", path=_TEXT, edits=_list_of(_EDIT, minItems=1), dry_run=_FLAG),
    ),
    Tool("apply_patch", "Apply a patch.", _object("patch", patch=_TEXT)),
    Tool("multi-diff", "Apply unified diffs.", _object("diffs", diffs=_list_of(_TEXT), strip=_WHOLE)),
    Tool(
        "run_command",
        "Run a command in a shell.",
        _object("command", command=_TEXT, timeout_ms=_COUNT, env={"type": "object", "additionalProperties": _TEXT}),
    ),
    Tool(
        "execute",
        "Run a program without a shell.",
        _object("argv", argv=_list_of(_TEXT), cwd={"type": ["string", "null"]}, stdin=_TEXT),
    ),
    Tool(
        "grep",
        "Search files by regular expression.",
        _object(
            "pattern",
            pattern=_TEXT,
            path=_TEXT,
            output_mode=_one_of("content", "files_with_matches", "count"),
            **{"-A": _WHOLE, "-i": _FLAG, "globs": _list_of(_TEXT)},
        ),
    ),
    Tool("list_directory", "List a folder.", _object(path=_TEXT, recursive=_FLAG)),
    Tool("todo_write", "Replace the list of tasks.", _object("todos", todos=_list_of(_TODO))),
    Tool("get_time", "The time now.", _object()),
    Tool("refresh", "Reload everything.", {"type": "object"}),
    Tool("get_balance", "The balance of an account.", _object("account", account=_COUNT, date={"type": "string"})),
    Tool(
        "transfer",
        "Move money between accounts.",
        _object(
            "from_account",
            "to_account",
            "amount",
            from_account=_COUNT,
            to_account=_COUNT,
            amount={"type": "number", "exclusiveMinimum": 0},
            currency=_one_of("BRL", "USD", "EUR"),
            note={"type": ["string", "null"], "maxLength": 140},
        ),
    ),
    Tool("query", "Run a query on the warehouse.", _object("sql", sql=_TEXT, parameters=_list_of({}), limit=_COUNT)),
    Tool(
        "search_records",
        "Search records by a filter.",
        {**_object("where", where={"$ref": "#/$defs/filter"}, limit=_COUNT), "$defs": {"filter": _FILTER}},
    ),
    Tool(
        "draw_tree",
        "Draw a tree.",
        {**_object("root", root={"$ref": "#/$defs/node"}), "$defs": {"node": _NODE}},
    ),
    Tool(
        "create_customer",
        "Register a customer.",
        _object(
            "name",
            "address",
            name=_TEXT,
            address=_ADDRESS,
            tags=_list_of(_TEXT),
            active=_FLAG,
            birth={"anyOf": [_TEXT, {"type": "null"}]},
            score=_NUMBER,
        ),
    ),
    Tool(
        "send_message",
        "Send a message.",
        _object("to", "text", to={"oneOf": [_TEXT, _list_of(_TEXT)]}, text=_TEXT, subject=_TEXT, urgent=_FLAG),
    ),
    Tool(
        "plot",
        "Draw a chart.",
        _object(
            "series",
            series=_list_of(_object("points", points=_list_of(_list_of(_NUMBER)), label=_TEXT)),
            log_scale=_FLAG,
            kind=_one_of("line", "bar", "scatter"),
        ),
    ),
    Tool(
        "http_request",
        "Call a service.",
        _object(
            "method",
            "url",
            method=_one_of("GET", "POST", "PUT", "PATCH"),
            url=_TEXT,
            headers={"type": "object", "additionalProperties": _TEXT},
            body={},
        ),
    ),
    Tool("calculate", "Calculate.", _object("numbers", numbers=_list_of(_NUMBER), operation=_one_of("sum", "max"))),
    Tool("translate", "Translate a text.", _object("text", "to", text=_TEXT, to=_one_of("pt", "en", "ar", "he", "zh"))),
    Tool("set_value", "Store any JSON value.", _object("key", "value", key=_TEXT, value={})),
    Tool("render_html", "Show a page.", _object("html", html=_TEXT, title=_TEXT, width=_COUNT)),
    Tool(
        "mcp__tracker__create_issue",
        "Create an issue.",
        _object(
            "title",
            title=_TEXT,
            body=_TEXT,
            labels=_list_of(_TEXT, uniqueItems=True),
            assignee={"type": ["string", "null"]},
            estimate={"anyOf": [_NUMBER, _one_of("unknown")]},
        ),
    ),
    Tool(
        "schedule-create", "Plan a job.", _object("cron", "task", cron=_TEXT, task=_TEXT, enabled=_FLAG, retries=_WHOLE)
    ),
)

TOOLS = {tool.name: tool for tool in _ALL}

#: A tool that declares what agents otherwise add on their own.
RESUME_STEP = Tool(
    "resume_step",
    "Resume a step of a workflow.",
    _object("step_id", step_id=_TEXT, tool_execution_id=_TEXT, force=_FLAG),
)
