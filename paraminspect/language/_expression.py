"""Expressions: a text, its checked node, and what can be asked of it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paraminspect.errors import ExpressionError
from paraminspect.language._calls import Function
from paraminspect.language._checking import (
    MAXIMUM_LENGTH,
    check_nesting,
    check_nodes,
    short,
    syntax_message,
)
from paraminspect.language._evaluation import OPERATORS, Evaluator, Operators
from paraminspect.language.syntax import UNREADABLE, read_expression


@dataclass(frozen=True)
class Expression:
    """A parsed and checked expression. Equal texts are the same expression."""

    text: str
    node: ast.expr

    def __str__(self) -> str:
        return self.text

    @functools.cached_property
    def names(self) -> frozenset[str]:
        """Every name that the expression uses, functions included."""
        return frozenset(n.id for n in ast.walk(self.node) if isinstance(n, ast.Name))

    @functools.cached_property
    def calls(self) -> frozenset[str]:
        """The name of every function that it calls."""
        nodes = (n.func for n in ast.walk(self.node) if isinstance(n, ast.Call))
        return frozenset(n.id for n in nodes if isinstance(n, ast.Name))

    @property
    def called(self) -> str | None:
        """The name of the function when the whole expression is one call."""
        node = self.node
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return node.func.id
        return None

    @property
    def name(self) -> str | None:
        """The name when the whole expression is a bare name."""
        return self.node.id if isinstance(self.node, ast.Name) else None

    def repetition(self) -> tuple[Expression, Expression] | None:
        """`(count, of)` of `COUNT * CALL` or `COUNT * NAME`, the short form of a repetition."""
        node = self.node
        if (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Mult)
            and isinstance(node.right, ast.Call | ast.Name)
        ):
            return self._part(node.left), self._part(node.right)
        return None

    def bind(self, names: Mapping[str, Any]) -> Expression:
        """The expression with its values written in place of these names."""
        if not self.names & names.keys():
            return self
        node = _Binder(names).visit(read_expression(self.text))
        return parse_expression(ast.unparse(node))

    def items(self) -> list[Expression] | None:
        """The parts when the whole expression is a list."""
        if isinstance(self.node, ast.List):
            return [self._part(item) for item in self.node.elts]
        return None

    def _part(self, node: ast.expr) -> Expression:
        return Expression(ast.get_source_segment(self.text, node) or ast.unparse(node), node)

    def evaluate(
        self,
        names: Mapping[str, Any],
        functions: Mapping[str, Function],
        operators: Operators = OPERATORS,
    ) -> Any:
        """The value, with `names` for the values and `functions` for what may be called."""
        return Evaluator(names, functions, operators).value(self.node)


class _Binder(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self._names:
            return node
        return read_expression(repr(self._names[node.id]))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        node.args = [self.visit(argument) for argument in node.args]
        node.keywords = [self.visit(keyword) for keyword in node.keywords]
        return node


@functools.lru_cache(maxsize=4096)
def parse_expression(text: str) -> Expression:
    """Parse and check `text`; raises `ExpressionError`."""
    text = text.strip()
    if len(text) > MAXIMUM_LENGTH:
        raise ExpressionError(
            f"an expression has at most {MAXIMUM_LENGTH} characters, this one is too long"
        )
    check_nesting(text)
    try:
        node = read_expression(text)
    except SyntaxError as error:
        raise ExpressionError(syntax_message(text, error)) from None
    except UNREADABLE:
        raise ExpressionError(
            f"cannot read {short(text)}: nested too deep or a number with too many digits"
        ) from None
    check_nodes(node, text)
    return Expression(text, node)
