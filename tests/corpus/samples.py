"""Code, diffs and texts as they stand in the arguments of real calls."""

from __future__ import annotations

PYTHON = '''\
"""Juros compostos."""

from decimal import ROUND_HALF_EVEN, Decimal


def final_amount(principal: Decimal, rate: Decimal, months: int) -> Decimal:
    if months < 0:
        raise ValueError(f"months must not be negative: {months!r}")
    total = principal * (1 + rate) ** months  # 'rate' is monthly
    print("total", total, sep="\\t")
    return total.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)


TABLE = {"a": [1, 2, {"b": None}], 'c': """three "quotes" and a \\\\ backslash"""}
'''
PYTHON_PRINT = 'for name in names:\n    print("Hello, " + name + "!")\n    log.info("greeted %s" % name)\n'
PYTHON_GREET = 'def greet(name):\n\tif not name:\n\t\traise ValueError("name")\n\treturn "Hi " + name\n'

TSX = """\
import { useState } from "react";

type Props = { items: Record<string, number>; onPick?: (id: string) => void };

export function List({ items, onPick }: Props) {
  const [query, setQuery] = useState<string>("");
  const shown = Object.entries(items).filter(([id]) => /^[\\w-]+$/.test(id) && id.includes(query));
  return (
    <ul className="list" data-count={shown.length}>
      {shown.map(([id, n]) => (
        <li key={id} onClick={() => onPick?.(id)}>{`${id}: ${n}`} &nbsp;{"\\u00e9"}</li>
      ))}
    </ul>
  );
}
"""
JSX_LINE = '<Button type="submit" disabled={!ready}>Enviar</Button>'
HTML = """\
<!doctype html>
<html lang="pt-BR">
  <head><meta charset="utf-8"><title>Extrato &mdash; Março</title></head>
  <body onload='init({"page": 1})'>
    <a href="/contas?id=1&amp;ano=2026" class="link">Contas</a>
    <script>if (a < b && c > d) { alert("olá"); }</script>
  </body>
</html>
"""
HTML_LINK = '<a href="https://example.com/ajuda" class="link externo">Ajuda</a>'
HTML_PAGE = '<!doctype html>\n<html lang="pt-BR">\n<body class="home">\n\t<p id="oi">Oi</p>\n</body>\n</html>\n'
SQL = """\
WITH saldo AS (
  SELECT conta, SUM(CASE WHEN tipo = 'C' THEN valor ELSE -valor END) AS total
  FROM "lançamentos"
  WHERE data >= DATE '2026-01-01' AND historico NOT LIKE '%estorno\\_%' ESCAPE '\\'
  GROUP BY conta
)
SELECT conta, total FROM saldo WHERE total <> 0 ORDER BY total DESC;
"""
SHELL = """\
#!/usr/bin/env bash
set -euo pipefail
for file in "$@"; do
  lines=$(grep -c '^\\s*def ' "$file" || true)
  printf '%s\\t%d\\n' "${file##*/}" "$lines" | tee -a ./out.log
done
cat <<'END' > config.json
{"key": "value", "list": [1, 2]}
END
"""
SHELL_LINE = "find . -name '*.py' -print0 | xargs -0 grep -nE \"erro|falha\" | awk -F: '{print $1\":\"$2}'"
JSON_FILE = '{\n  "name": "app",\n  "scripts": {"test": "vitest run --reporter=\\"dot\\""},\n  "private": true\n}\n'
YAML_FILE = """\
on: {push: {branches: [main]}}
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo "::set-output name=x::$(date +'%Y-%m-%d')"
      - {uses: "actions/checkout@v4", with: {fetch-depth: 0}}
"""
MAKEFILE = "all: build\n\nbuild: main.o\n\t$(CC) -o app $^\n\t@echo 'ok: \"app\"'\n\n.PHONY: all\n"
DIFF = """\
--- a/app/pagamento.py
+++ b/app/pagamento.py
@@ -10,7 +10,9 @@ class Pagamento:
     def valor_formatado(self) -> str:
-        return f"R$ {self.valor:.2f}"
+        inteiro, _, centavos = f"{self.valor:.2f}".partition(".")
+        # "1234" -> "1.234"
+        return f"R$ {int(inteiro):,}".replace(",", ".") + f",{centavos}"

     def __eq__(self, other: object) -> bool:
\\ No newline at end of file
"""
PATCH = """\
*** Begin Patch
*** Update File: src/index.ts
@@ export const add
-export const add = (a: number, b: number) => a - b;
+export const add = (a: number, b: number) => a + b;
*** Add File: src/empty.ts
*** End Patch
"""
MARKDOWN = """\
# Guia

Use `make test` e veja o resultado:

```json
{"ok": true, "itens": ["a", "b"]}
```

| coluna | valor |
|---|---:|
| "aspas" | 1,5 |
"""
CSV = 'id;nome;valor\r\n1;"Conceição, José";1.234,56\r\n2;"D\'Ávila ""Zé""";-0,01\r\n'
LOG = '2026-11-20T08:00:00Z\tERROR\tworker-3\tTraceback:\n\tFile "x.py", line 1\n\x1b[31mfail\x1b[0m\n'
LATEX = r"\begin{equation}\label{eq:juros} M = C \cdot (1 + i)^{n} \quad \forall n \in \mathbb{N}"
LATEX_SHORT = r"\alpha \cdot x^{2} + \Delta \% \, \{a\} \ldots"

REGEX_DATE = r"(?P<dia>\d{2})/(?P<mes>\d{2})/(?P<ano>\d{4})\s*$"
REGEX_MONEY = r"R\$\s?\d{1,3}(?:\.\d{3})*,\d{2}"
REGEX_EMAIL = r"^[\w.+-]+@[\w-]+\.[\w.]+$"
REGEX_SPACES = r"\s+\Z|\A\s+|\bfim\b"
SED = r"sed -E 's/\$\{([A-Z]+)\}/\1/g; s/\[x\]/\./' conf.in"
REGEX_WORD = r"^\s*class\s+(\w+)\(\s*[\w.]*\):"
WINDOWS_PATH = r"C:\Projetos\App Banco\src\Models\Conta.cs"
WINDOWS_COMMAND = r"copy C:\Users\Public\*.xlsx D:\Backup\users & type C:\Windows\System32\drivers\etc\hosts"
UNC_PATH = r"\\servidor\dados\2026\março"

PORTUGUESE = (
    "Prezada Sra. Conceição,\n\nSegue em anexo a relação das operações de câmbio. À exceção do lançamento nº 3, "
    "não há pendências: ação, coração, pinguim, vô e vó.\n\nAtenciosamente,\nJoão D'Ávila — “Crédito & Cobrança”"
)
PORTUGUESE_LINE = "Não há saldo suficiente na conta-corrente; verifique o limite até amanhã, às 9h."
PLANES = (
    "é ß Ω Ж \u05d0 \u0639 \u0e01 漢字 かな 한글 "
    "\u2028 \ufeff \ue000 \uffff "  # a line separator, a byte order mark, private use, no character
    "\U0001d49c 😀 🏳️‍🌈 👩🏽‍💻 🇧🇷 𐍈 "  # plane 1, joined emoji, flags
    "𠀀 𫝀 \U000e0041 \U000e0100 \U0010fffd "  # ideographs, a tag, a variation selector, private use
    + " ".join(chr(plane << 16 | 0x1234) for plane in range(17))
)
COMBINING = "Cafe\u0301 a\u0303o n\u0303 Z\u0351\u0343\u036b e\u0301\u0302\u0303 \u1100\u1161\u11a8 क्षि"
RIGHT_TO_LEFT = "\u0634\u0643\u0631\u0627 (\u05e9\u05dc\u05d5\u05dd, 123) \u202babc\u202c \u2067x\u2069 \u200f!"
CONTROLS = "\x00 \x07 \b \f \x1b \x7f \x85 \u200b end"

LONG_SQL = "".join(
    f'UPDATE "lançamentos" SET "histórico" = "Tarifa nº {number}", valor = -{number}.50 WHERE id = {number};\n'  # noqa: S608 - never run
    for number in range(30)
)
LONG_DIFF = "--- a/taxas.yaml\n+++ b/taxas.yaml\n" + "".join(
    f"@@ -{number},2 +{number},2 @@\n-\ttaxa_{number}: \"{number},00\"\n+\ttaxa_{number}: '{number},50'  # \\d+ {{}}\n"
    for number in range(1, 25)
)
LONG_PYTHON = "\n\n".join(
    f"def step_{number}(rows: list[dict[str, str]]) -> str:\n"
    f'    """Passo {number}: soma a coluna "valor_{number}"."""\n'
    f'    total = sum(float(row["valor_{number}"].replace(",", ".")) for row in rows if row)\n'
    f"    return f'{{total:>{number + 8}.2f}}\\t# {{len(rows)}} linhas'\n"
    for number in range(20)
)
