"""Arithmetic: NumPy's, but what overflows, or is no number any more, is told."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from paraminspect.errors import CastError, ExpressionError
from paraminspect.language import CONSTANTS, Expression
from paraminspect.operations.edit._finite import made

Values = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Computed:
    """The values of an expression, and where they are not what it means: `why`."""

    values: Values
    lost: Values | None = None
    why: str = ""

    def checked(self, count: int) -> Values:
        """The values, `count` of them or a number for all; `CastError` if one of them is lost."""
        if self.lost is not None and self.lost.any():
            lost = np.broadcast_to(self.lost, (count,))
            raise CastError.of_first(lost, f"the result {self.why}")
        return self.values


def computed(
    node: ast.expr, names: Mapping[str, Any], functions: Mapping[str, Any], unsafe: bool
) -> Computed:
    """The value of an expression, and what overflows or is not finite though its operands are.

    If that is no matter (`unsafe`), it is not looked for.
    """
    troubles: set[str] = set()
    with np.errstate(all="ignore", divide="call", call=lambda kind, _: troubles.add(kind)):
        result = _value(node, names, functions)
    if unsafe:
        return Computed(result)
    if result.dtype.kind in "iu":
        if "divide by zero" in troubles:  # where NumPy has nothing to say but 0
            raise ExpressionError("division by zero")
        if result.dtype.itemsize == 8:
            overflows = f"overflows {result.dtype}"
            return Computed(result, _wrapped(node, names, functions, result), overflows)
        return Computed(result)
    why = "is NaN or infinite, and what it is computed from is not"
    return Computed(result, made(node, names, functions, result), why)


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


def _wrapped(
    node: ast.expr, names: Mapping[str, Any], functions: Mapping[str, Any], result: Values
) -> Values | None:
    """Where integers have wrapped around: NumPy does not tell.

    Computed again in float64, the result would be about the same, and not 2**64 away.
    """
    parts = list(ast.walk(node))
    if not any(isinstance(part, _ARITHMETIC) for part in parts):
        return None
    if any(isinstance(part, _BITWISE) for part in parts):
        return None
    floats = {name: np.asarray(value, np.float64) for name, value in names.items()}
    with np.errstate(all="ignore"):
        shadow = np.asarray(_value(node, floats, functions), np.float64)
        return np.asarray(np.abs(result.astype(np.float64) - shadow) > 2.0**60)
