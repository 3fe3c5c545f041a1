"""Sums in plain text: `2+2`, `(1,5 + 3) x 4` (pure)."""

import ast
import operator
import re
from collections.abc import Callable

_SUM = re.compile(r"[\d(][\d\s.,()]*[+\-*/x\u00d7\u00f7][\d\s.,()+\-*/x\u00d7\u00f7]*[\d)]")
_PYTHON = str.maketrans("x\u00d7\u00f7,", "**/.")
_LONGEST = 60
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def solve(text: str) -> str:
    """The first sum in `text` with its result, as `2+2 = 4`; "" when there is none that has a result."""
    found = _SUM.search(text[:1000])
    if found is None or len(found[0]) > _LONGEST:
        return ""
    written = re.sub(r"\d{4}-\d\d-\d\d", "", found[0])
    python = written.translate(_PYTHON)
    try:
        value = _value(ast.parse(python.strip(), mode="eval").body)
    except (SyntaxError, ValueError, ArithmeticError):
        return ""
    return f"{written.strip()} = {int(value) if value == int(value) else round(value, 10)}"


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(left), _value(right))
    raise ValueError("not a sum")
