"""The names in an expression: `x`, parameters in quotes, functions and constants."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from paraminspect.arrays import Array
from paraminspect.errors import ExpressionError, nearest
from paraminspect.language import CONSTANTS, Expression
from paraminspect.operations.edit._functions import FUNCTIONS

PRESENT = "x"
"""The name of the present values."""

QUOTE = "'"
"""Begins the names that stand for quoted ones: no name that a user writes does."""


def quoted_names(expression: Expression) -> list[str]:
    """The names of parameters, which stand in quotes."""
    constants = (n.value for n in ast.walk(expression.node) if isinstance(n, ast.Constant))
    return list(dict.fromkeys(value for value in constants if isinstance(value, str)))


class QuotedAsNames(ast.NodeTransformer):
    """Turns names in quotes into names that no user can write."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Name(QUOTE + node.value, ast.Load()) if isinstance(node.value, str) else node


def names_in(node: ast.AST) -> set[str]:
    """The names that stand in an expression, those of functions too."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def check_names(node: ast.expr, known: Mapping[str, Array]) -> None:
    """Tell of unknown names now: values are read much later."""
    called = {
        n.func.id
        for n in ast.walk(node)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    for name in sorted(called - FUNCTIONS.keys()):
        some = ", ".join(list(FUNCTIONS)[:8])
        ending = nearest(name, FUNCTIONS) or f"; known are {some}, ..."
        raise ExpressionError(f"unknown function {name!r}{ending}")
    for name in sorted(names_in(node) - called - known.keys() - CONSTANTS.keys()):
        raise ExpressionError(
            f"unknown name {name!r}: {PRESENT} is the present value,"
            " other parameters are named in quotes"
        )
