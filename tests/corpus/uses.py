"""Calls that agents make with those tools; each fits the schema of its tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from custom_handler.request import Tool
from tests.corpus import samples
from tests.corpus.tools import TOOLS


@dataclass(frozen=True, slots=True)
class Use:
    """One meant call."""

    tool: Tool
    arguments: Mapping[str, Any]


def _use(tool: str, /, **arguments: Any) -> Use:
    return Use(TOOLS[tool], arguments)


_NESTED: Any = {"level": 12}
for _level in range(11, 0, -1):
    _NESTED = {"level": _level, "inner": [_NESTED], "empty": {}}

_FILES = (
    _use("read_file", path="src/main/java/br/com/banco/Conta.java", offset=1, limit=200),
    _use("read_file", path=samples.WINDOWS_PATH),
    _use("read_file", path="./relatórios/2026/ação nº 1 (cópia).md"),
    _use("write_file", path="juros.py", content=samples.PYTHON),
    _use("write_file", path="greet.py", content=samples.PYTHON_PRINT),
    _use("write_file", path="hi.py", content=samples.PYTHON_GREET),
    _use("write_file", path="src/List.tsx", content=samples.TSX),
    _use("write_file", path="index.html", content=samples.HTML),
    _use("write_file", path="home.html", content=samples.HTML_PAGE),
    _use("write_file", path="saldo.sql", content=samples.SQL),
    _use("write_file", path="bin/count.sh", content=samples.SHELL),
    _use("write_file", path="package.json", content=samples.JSON_FILE),
    _use("write_file", path=".github/workflows/ci.yml", content=samples.YAML_FILE),
    _use("write_file", path="Makefile", content=samples.MAKEFILE),
    _use("write_file", path="docs/guia.md", content=samples.MARKDOWN),
    _use("write_file", path="clientes.csv", content=samples.CSV),
    _use("write_file", path="passos.py", content=samples.LONG_PYTHON),
    _use("write_file", path="carga.sql", content=samples.LONG_SQL),
    _use("write_file", path="vazio.txt", content=""),
    _use("apply_patch", patch=samples.LONG_DIFF),
    _use(
        "edit_file",
        path="app.py",
        edits=[
            {"old_text": 'print("a")', "new_text": 'print("b")', "replace_all": True},
            {"old_text": "\tx = 1\n", "new_text": ""},
        ],
        dry_run=False,
    ),
    _use("edit_file", path="Form.jsx", edits=[{"old_text": samples.JSX_LINE, "new_text": "<Button/>"}]),
    _use("apply_patch", patch=samples.PATCH),
    _use("apply_patch", patch=samples.DIFF),
    _use("multi-diff", diffs=[samples.DIFF, samples.PATCH], strip=1),
    _use("multi-diff", diffs=[]),
)
_COMMANDS = (
    _use("run_command", command=samples.SHELL_LINE, timeout_ms=120000),
    _use(
        "run_command", command='git commit -m "Corrige o cálculo" --no-verify', env={"LANG": "pt_BR.UTF-8", "EMPTY": ""}
    ),
    _use("run_command", command='python -c "import sys; print(sys.version)" > out.txt'),
    _use("run_command", command=r"dir D:\Dados\Clientes\*.csv"),
    _use("execute", argv=["sed", "-E", r"s/(\w+)\s+=\s+\d+/\1/g", "a b.txt"], cwd=None, stdin=samples.LOG),
    _use("execute", argv=["ls", "-la", ""], cwd="/srv/app"),
    _use("grep", pattern=samples.REGEX_DATE, path=".", output_mode="content", **{"-A": 3, "-i": True}),
    _use("grep", pattern=samples.REGEX_MONEY, globs=["*.py", "**/*.{ts,tsx}"]),
    _use("grep", pattern=samples.REGEX_WORD, output_mode="count"),
    _use("grep", pattern=samples.REGEX_EMAIL, **{"-i": True}),
    _use("grep", pattern=samples.REGEX_SPACES, globs=[]),
    _use("run_command", command=samples.SED),
    _use("run_command", command=samples.WINDOWS_COMMAND, timeout_ms=1),
    _use("list_directory", path=r"D:\Dados\Clientes\São Paulo"),
    _use("list_directory"),
    _use("list_directory", path=samples.UNC_PATH, recursive=False),
    _use(
        "todo_write",
        todos=[
            {"content": "Ler o código", "status": "completed", "priority": "high"},
            {"content": 'Trocar "a" por "b"', "status": "in_progress"},
            {"content": "Testes ✅", "status": "pending", "priority": "low"},
        ],
    ),
    _use("todo_write", todos=[]),
    _use("get_time"),
    _use("refresh"),
    _use("refresh", anything=[{}, [], "", None, 0, False]),
)
_BANK = (
    _use("get_balance", account=1001),
    _use("get_balance", account=9007199254740993, date="2026-11-20"),
    _use("transfer", from_account=1, to_account=2, amount=1234.56, currency="BRL", note=samples.PORTUGUESE_LINE),
    _use("transfer", from_account=18446744073709551616, to_account=7, amount=1e-7, note=None),
    _use("query", sql=samples.SQL, parameters=[1, "dois", None, 3.5, True], limit=50),
    _use("query", sql='SELECT "id", "nome" FROM clientes WHERE nome LIKE \'%ção\'', parameters=[]),
    _use(
        "search_records",
        where={
            "all": [
                {"field": "ativo", "equals": True},
                {"field": "valor", "between": [-1.5, 1e21]},
                {"all": [{"field": "nome", "equals": None}, {"field": "cpf", "equals": "000.000.000-00"}]},
            ]
        },
    ),
    _use("search_records", where={"field": "uf", "equals": "SP"}, limit=10),
    _use(
        "create_customer",
        name="Antônia Gonçalves d'Ávila",
        address={"street": "Av. São João", "number": "s/n", "zip": "01035000"},
        tags=["VIP", "câmbio", ""],
        active=True,
        birth=None,
        score=-0.0,
    ),
    _use("create_customer", name="Zé", address={"street": "Rua 9", "number": 10}, birth="1990-01-31", score=99.99),
    _use(
        "send_message", to=["a@example.com", "b@example.com"], text=samples.PORTUGUESE, subject="Câmbio", urgent=False
    ),
    _use("send_message", to="#geral", text='Ela disse "sim" ontem e foi embora.'),
    _use("send_message", to="#dev", text='A resposta foi {"status": 200, "itens": [1, 2]} e pronto.'),
)
_VALUES = (
    _use("draw_tree", root={"label": "raiz", "children": [{"label": "a", "children": []}, {"label": "b"}]}),
    _use("set_value", key="nested", value=_NESTED),
    _use("set_value", key="arrays", value=[[[[[]]], [[], [[]]]], {"": ""}]),
    _use("set_value", key="text that looks like other types", value=["5", "true", "null", '{"a": 1}', "None", "[]"]),
    _use("set_value", key="", value=None),
    _use("set_value", key="planes", value=samples.PLANES),
    _use("set_value", key="controls", value=samples.CONTROLS),
    _use("set_value", key='\U0001d48c\u00e9y\t"k"', value={"\\": "\\\\", "/": "\\/", "\u2028": "\u2029"}),
    _use("set_value", key="config", value='{"debug": true, "level": 3, "hosts": []}'),
    _use("set_value", key="latex", value=samples.LATEX),
    _use("set_value", key="formula", value={"latex": [samples.LATEX_SHORT]}),
    _use("calculate", numbers=[0, -1, 2**70, 1e22, 6.02214076e23, 5e-324, 0.1, -273.15], operation="sum"),
    _use("calculate", numbers=[1.7976931348623157e308], operation="max"),
    _use(
        "plot", series=[{"points": [[0, 1.5], [1, -2e-3]], "label": "Δ"}, {"points": []}], log_scale=True, kind="line"
    ),
    _use("translate", text=samples.RIGHT_TO_LEFT, to="he"),
    _use("translate", text=samples.COMBINING, to="pt"),
    _use("translate", text="👩🏽‍💻🇧🇷 Olá, 世界! 🏳️‍🌈", to="zh"),
    _use("render_html", html=samples.HTML_LINK, title="Ajuda", width=640),
    _use("render_html", html=samples.HTML),
    _use("render_html", html='<div style="color: red" data-x="1"><b>Atenção</b></div>'),
    _use(
        "http_request",
        method="POST",
        url="https://api.example.com/v1/itens?q=a%20b&x[]=1",
        headers={"Content-Type": "application/json", "X-Empty": ""},
        body={"itens": [{"id": 1, "ok": None}], "total": 1.0},
    ),
    _use("http_request", method="GET", url="https://example.com/#/rota"),
    _use(
        "mcp__tracker__create_issue",
        title='Erro 500 ao clicar em "Salvar" na tela',
        body=samples.MARKDOWN,
        labels=["bug", "área:pagamentos"],
        assignee=None,
        estimate="unknown",
    ),
    _use("mcp__tracker__create_issue", title="Sem título", labels=[], estimate=0.5),
    _use("schedule-create", cron="*/5 9-18 * * 1-5", task="fechar 'caixa'", enabled=True, retries=0),
)

USES = (*_FILES, *_COMMANDS, *_BANK, *_VALUES)
