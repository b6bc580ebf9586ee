"""Where an expression makes NaN or infinity of finite numbers: computed again, with traces.

NumPy says that somewhere a number overflowed, not where, nor whether the place is part of the
result: `where(x > 0, log(x), 0)` loses nothing. So what has such values is computed once more over
arrays that know, for each element, whether it was made of finite ones. What was infinite or NaN
before, or stands as `inf` or `nan` in the expression, is meant.
"""

from __future__ import annotations

import ast
import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from paraminspect.language import CONSTANTS, OPERATORS, Expression
from paraminspect.operations.edit._functions import ELEMENTWISE

Values = np.ndarray[Any, Any]

_REDUCTIONS = (np.sum, np.mean, np.var, np.std, np.min, np.max, np.any, np.all)
_MOVES = (
    *(np.transpose, np.reshape, np.flip, np.roll, np.squeeze, np.expand_dims),
    *(np.concatenate, np.stack, np.tril, np.triu, np.diag),
)


def made(
    node: ast.expr,
    names: Mapping[str, Any],
    functions: Mapping[str, Callable[..., Any]],
    result: Values,
) -> Values | None:
    """Where the result of an expression is not finite though its operands were; None: nowhere."""
    if result.dtype.kind not in "fc" or isinstance(node, ast.Name | ast.Constant):
        return None
    if np.isfinite(result).all():
        return None
    traced = {name: Traced(value) for name, value in names.items()}
    elementwise = {name: _over_traced(ELEMENTWISE[name]) for name in functions.keys() & ELEMENTWISE}
    with np.errstate(all="ignore"):
        again = Expression("", node).evaluate(
            {**CONSTANTS, **traced}, {**functions, **elementwise}, _TRACING
        )
    return np.asarray(_marks(again), bool)


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """Values, and where they are not finite though all that they were computed from was."""

    def __init__(self, values: Any, made: Any = None) -> None:
        self.values = values
        self.made: Values = np.zeros(np.shape(values), bool) if made is None else made

    @property
    def lost(self) -> Values:
        """Where they are not finite, for whatever reason."""
        values = np.asarray(self.values)
        if values.dtype.kind not in "fc":
            return np.zeros(values.shape, bool)
        return np.asarray(~np.isfinite(values))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__":
            return NotImplemented
        result = ufunc(*_values(inputs), **_values(options))
        left, right = (_traced(value) for value in (inputs[0], inputs[-1]))
        if ufunc is np.matmul:
            return _combined(result, _matmul(left.lost, right.lost), _matmul(left.made, right.made))
        return _combined(result, left.lost | right.lost, left.made | right.made)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        result = function(*_values(arguments), **_values(options))
        if function is np.where:
            return Traced(result, np.where(_values(arguments[0]), *_marks(arguments[1:])))
        if function in _MOVES:
            moved = function(_marks(arguments[0]), *_values(arguments[1:]), **_values(options))
            return Traced(result, moved)
        one = _traced(arguments[0])
        if function in _REDUCTIONS:
            return _combined(result, np.any(one.lost, **options), np.any(one.made, **options))
        if function is np.cumsum:
            lost, before = (np.cumsum(mask, **options) > 0 for mask in (one.lost, one.made))
            return _combined(result, lost, before)
        if function in (np.round, np.clip):
            return _combined(result, one.lost, one.made)
        return _combined(result, one.lost.any(), one.made.any())

    def __getitem__(self, index: Any) -> Traced:
        index = _values(index)
        return Traced(self.values[index], self.made[index])

    def __bool__(self) -> bool:
        return bool(self.values)

    def __index__(self) -> int:
        return operator.index(self.values)


def _combined(result: Any, lost: Any, before: Any) -> Traced:
    """A result whose operands were not finite at `lost`, and had been made so at `before`."""
    return Traced(result, Traced(result).lost & (before | ~np.asarray(lost)))


def _matmul(left: Values, right: Values) -> Any:
    """Where a product has a part that is marked in either factor."""
    return np.matmul(left, np.ones_like(right)) | np.matmul(np.ones_like(left), right)


def _traced(value: Any) -> Traced:
    return value if isinstance(value, Traced) else Traced(value)


def _each(value: Any, of: Callable[[Traced], Any]) -> Any:
    """The same of everything within tuples, lists and dicts."""
    if isinstance(value, tuple | list):
        return type(value)(_each(part, of) for part in value)
    if isinstance(value, dict):
        return {key: _each(part, of) for key, part in value.items()}
    return of(_traced(value))


def _values(value: Any) -> Any:
    return value if isinstance(value, slice) else _each(value, lambda traced: traced.values)


def _marks(value: Any) -> Any:
    return _each(value, lambda traced: traced.made)


def _promoted(left: Any, right: Any) -> tuple[Any, Any]:
    """Python's own floats are traced too; integers stay, for they are sizes."""
    if isinstance(left, int) and isinstance(right, int):
        return left, right
    return _traced(left), _traced(right)


def _on_traced(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda left, right: function(*_promoted(left, right))


_TRACING = {
    kind: _on_traced(function) if issubclass(kind, ast.operator) else function
    for kind, function in OPERATORS.items()
}
"""The operators, over traced operands."""


def _over_traced(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def over_traced(*arguments: Any, **options: Any) -> Any:
        return function(*map(_traced, arguments), **options)

    return over_traced
