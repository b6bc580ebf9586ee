"""Promotion: what operators and functions make of operands of several dtypes.

As in the frameworks, and unlike NumPy, integers and bools beside floats become of their dtype, and
what integers give that is not an integer is float32.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy

from paraminspect.language import OPERATORS as OF_PYTHON


def is_array(x: Any) -> bool:
    """Whether it is an array: NumPy's, one of its scalars, or autograd's box of one."""
    return hasattr(x, "shape") and hasattr(x, "dtype")


def is_float(x: Any) -> bool:
    """Whether it is an array of floats."""
    return is_array(x) and x.dtype.kind == "f"


def is_whole(x: Any) -> bool:
    """Whether it is an array of integers or bools."""
    return is_array(x) and x.dtype.kind in "iub"


def as_floats(x: Any) -> Any:
    """The array, float32 if it has integers or bools."""
    return x.astype(numpy.float32) if is_whole(x) else x


def promoted(left: Any, right: Any) -> tuple[Any, Any]:
    """Two operands as they are computed with: beside floats all becomes of their dtype.

    NumPy makes float64 of float32 and int64; autograd does so in the gradient of `2 ** x`.
    """
    return _beside(left, right), _beside(right, left)


def _beside(operand: Any, other: Any) -> Any:
    if is_array(other) and isinstance(operand, str | list | tuple):
        kind = type(operand).__name__
        raise TypeError(f"an array and a {kind} cannot be computed together")
    if is_float(other):
        if type(operand) in (int, float, bool):
            return numpy.asarray(operand, other.dtype)
        return operand.astype(other.dtype) if is_whole(operand) else operand
    return as_floats(operand) if type(other) is float else operand


def alike(arrays: Sequence[Any]) -> list[Any]:
    """Arrays that are joined: beside floats integers become of their dtype."""
    floats = [x for x in arrays if is_float(x)]
    return [_beside(x, floats[0]) for x in arrays] if floats else list(arrays)


def of_two(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The function of two promoted operands."""
    return lambda left, right: function(*promoted(left, right))


def divide(left: Any, right: Any) -> Any:
    """The quotient; of integer arrays float32."""
    left, right = promoted(left, right)
    if is_array(left) or is_array(right):
        left, right = promoted(as_floats(left), as_floats(right))
    return left / right


Operators = Mapping[type[ast.AST], Callable[..., Any]]


def operators_with(matmul: Callable[[Any, Any], Any], item: Any = operator.getitem) -> Operators:
    """The operators of a `forward`, with a framework's own product `@` and indexing."""
    promoting = {kind: of_two(function) for kind, function in OF_PYTHON.items()}
    return {**promoting, ast.Div: divide, ast.MatMult: matmul, ast.Subscript: item}


def plain_operators() -> Operators:
    """The operators of a framework that has no product or indexing of its own."""
    return operators_with(operator.matmul)
