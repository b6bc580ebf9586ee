"""The white list: what of Python's syntax is part of the language, checked once when parsed."""

from __future__ import annotations

import ast
import math

from paraminspect.errors import ExpressionError
from paraminspect.language._evaluation import BINARY, COMPARE

MAXIMUM_LENGTH = 4_000
MAXIMUM_NESTING = 50
MAXIMUM_DEPTH = 200

_REFUSED: dict[type[ast.AST], str] = {
    ast.Attribute: "attribute access",
    ast.Lambda: "a lambda",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.JoinedStr: "a formatted string",
    ast.NamedExpr: "an assignment",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.Starred: "unpacking with '*'",
    ast.Dict: "a dictionary",
    ast.Set: "a set",
}


def check_nodes(node: ast.expr, text: str) -> None:
    """Check every part, level by level: evaluation recurses, and `1+1+1+...` has as many levels."""
    level: list[ast.AST] = [node]
    for _ in range(MAXIMUM_DEPTH):
        for part in level:
            _check_node(part, text)
        level = [below for part in level for below in ast.iter_child_nodes(part)]
        if not level:
            return
    raise ExpressionError(f"{short(text)} has more than {MAXIMUM_DEPTH} levels of operations")


def check_nesting(text: str) -> None:
    """Check the brackets before Python's parser sees them: it recurses too."""
    depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if depth > MAXIMUM_NESTING:
            raise ExpressionError(f"nested deeper than {MAXIMUM_NESTING} levels")


def syntax_message(text: str, error: SyntaxError) -> str:
    """Why text is not Python, as a message says it."""
    reason = (error.msg or "invalid syntax").split(" (")[0]
    if "digits" in reason:  # Python's own limit on the digits of an integer
        reason = "a number with too many digits"
    return f"cannot read {short(text)}: {reason}"


def short(text: str) -> str:
    """The text in quotes, its beginning if it is long."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


_ALLOWED = (
    ast.Constant, ast.Name, ast.Load, ast.Call, ast.keyword, ast.Tuple, ast.List, ast.BinOp,
    ast.UnaryOp, ast.Compare, ast.BoolOp, ast.And, ast.Or, ast.IfExp, ast.Subscript, ast.Slice,
    ast.operator, ast.unaryop, ast.cmpop,
)  # fmt: skip


def _check_node(node: ast.AST, text: str) -> None:
    """The most telling message first: what users of Python or PyTorch write out of habit."""
    if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "torch":
        raise ExpressionError(f"there is no torch here: write {node.attr!r} for torch.{node.attr}")
    for kind, word in _REFUSED.items():
        if isinstance(node, kind):
            raise ExpressionError(f"{word} is not part of the language, in {short(text)}")
    if not isinstance(node, _ALLOWED) or (
        isinstance(node, ast.Constant) and isinstance(node.value, bytes | complex)
    ):
        raise ExpressionError(
            f"{type(node).__name__} is not part of the language, in {short(text)}"
        )
    if isinstance(node, ast.Constant) and node.value == math.inf:
        raise ExpressionError(f"a number is beyond the largest float, in {short(text)}")
    if isinstance(node, ast.Call) and not isinstance(node.func, ast.Name):
        ending = ""
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            ending = f": write {node.func.attr}(...)"  # not nn.Linear(...)
        raise ExpressionError(f"only a name can be called, in {short(text)}{ending}")
    if isinstance(node, ast.cmpop) and type(node) not in COMPARE:
        raise ExpressionError(f"only == != < <= > >= compare, in {short(text)}")
    if isinstance(node, ast.operator) and type(node) not in BINARY:
        raise ExpressionError(
            f"the operator {type(node).__name__} is not part of the language, in {short(text)}"
        )
    if isinstance(node, ast.keyword) and node.arg is None:
        raise ExpressionError(f"unpacking with '**' is not part of the language, in {short(text)}")
