"""Arithmetic: NumPy's, but what overflows is told."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np

from paraminspect.edit._names import PRESENT
from paraminspect.errors import CastError, ExpressionError
from paraminspect.expressions import CONSTANTS, Expression

Values = np.ndarray[Any, Any]


def computed(
    node: ast.expr, names: Mapping[str, Any], functions: Mapping[str, Any], unsafe: bool
) -> Values:
    """The value of an expression; `CastError` where it overflows, unless that is no matter."""
    troubles: set[str] = set()
    with np.errstate(
        all="ignore", over="call", divide="call", call=lambda kind, _: troubles.add(kind)
    ):
        result = _value(node, names, functions)
    if unsafe:
        return result
    if result.dtype.kind in "iu":
        if "divide by zero" in troubles:  # where NumPy has nothing to say but 0
            raise ExpressionError("division by zero")
        if result.dtype.itemsize == 8:
            _check_integers(node, names, functions, result)
    elif "overflow" in troubles:
        present = names.get(PRESENT, 0.0)
        _refuse(np.isinf(result) & ~np.isinf(present), "overflows")
    return result


def _value(node: ast.expr, names: Mapping[str, Any], functions: Mapping[str, Any]) -> Values:
    try:
        result = np.asarray(Expression("", node).evaluate({**CONSTANTS, **names}, functions))
        if result.dtype.kind == "O" and all(isinstance(number, int) for number in result.flat):
            result = result.astype(np.float64)  # integers beyond 64 bits
    except (TypeError, ValueError, IndexError) as error:
        raise ExpressionError(f"cannot be computed: {error}") from None
    if result.dtype.kind not in "biufc":
        raise ExpressionError("cannot be computed: the result is no number")
    return result


_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Pow, ast.USub)
_BITWISE = (ast.BitAnd, ast.BitOr, ast.BitXor, ast.Invert)


def _check_integers(
    node: ast.expr, names: Mapping[str, Any], functions: Mapping[str, Any], result: Values
) -> None:
    """Refuse what has wrapped around: NumPy does not tell.

    Computed again in float64, the result would be about the same, and not 2**64 away.
    """
    parts = list(ast.walk(node))
    if not any(isinstance(part, _ARITHMETIC) for part in parts):
        return
    if any(isinstance(part, _BITWISE) for part in parts):
        return
    floats = {name: np.asarray(value, np.float64) for name, value in names.items()}
    with np.errstate(all="ignore"):
        shadow = np.asarray(_value(node, floats, functions), np.float64)
        _refuse(np.abs(result.astype(np.float64) - shadow) > 2.0**60, f"overflows {result.dtype}")


def _refuse(lost: Any, message: str) -> None:
    lost = np.atleast_1d(lost).reshape(-1)
    if lost.any():
        raise CastError(f"the result {message}", int(np.argmax(lost)))
