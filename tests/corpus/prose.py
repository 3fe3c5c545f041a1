"""What models write around their calls, and in place of them."""

from __future__ import annotations

SENTENCES = (
    "Vou ler o arquivo e depois rodar os testes.",
    "I'll check the balance first; then we can decide.",
    "Result: the first file is fine, the second isn't.",
    "Não encontrei a função `calcular_juros()` em <src/juros.py>.",
    "Here is the plan:\n\n1. read\n2. edit\n3. test\n",
    'Feito ✅ — {tudo} certo [3/3], segundo o log: "ok".',
    "| conta | saldo |\n|---|---:|\n| 1001 | R$ 2.500,00 |",
    "```python\nprint({'a': [1, 2]})\n```",
    "If a < b && c > d, the function FUNCTION_NAME returns TRUE.",
    "👩🏽‍💻 F T < <t <tool TOOL_ FUNCTION_CALL tool_call",
    "arguments: none were given.",
    'The config is {"debug": true, "level": 3}; nothing else.',
)

#: No call: a marker stands in a sentence or in code, with neither a declared name nor JSON where a call has them.
QUOTED = (
    "A call begins with {start} and ends with {end}.",
    "Use `{start}`, then the name, then `{end}`.",
    "O bloco {start} … {end} serve para chamar ferramentas.",
    "```text\n{start}\n<name of the tool>\narguments: <JSON>\n{end}\n```",
    "{start} is the marker. After it comes a name such as {name}, then the arguments, then {end}.",
    "The parser looks for {start}; `{name}` is one of the names.",
    'if line == "{start}":\n    depth += 1\nelif line == "{end}":\n    depth -= 1',
    "Nunca escreva {end} sem {start}.",
    "{end} alone means nothing.",
    "| marker | meaning |\n|---|---|\n| {start} | begin |\n| {end} | end |",
    "{start}{end}",
    "{start}\n\n{end}",
    "Everything after {start} is read up to {end}, e.g. {{…}} or {{}}.",
    "What does {start} mean?",
    "- `{start}`\n- `{end}`\n\nDone.",
    'See {start}...{end} in docs/calls.md, section "{name}".',
)

THOUGHTS = (
    "The user wants the file. Let me think about how to call the tool.",
    "Preciso decidir: ler ou escrever?\n\n- ler é seguro\n- escrever não",
    "a < b, so I should not call it yet.",
    "",
)

RESULTS = (
    "R$ 2.500,00",
    '{"status": "ok", "lines": [1, 2, 3]}',
    'def f():\n    return "<b>"\n',
    "",
    "Error: file not found",
)
