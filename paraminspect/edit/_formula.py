"""Formulas: an expression with the arrays that it names, computed for any stretch of elements.

Where every function works element by element, so does the formula: blocks of any size, in any
order, after its reductions to a number have been streamed. All else is computed in memory as a
whole, up to a limit.

Arithmetic is NumPy's, in the dtype of the parameter, with two exceptions: floats of 16 bits and
less are computed in float32 and rounded once, and integers in 64 bits.
"""

from __future__ import annotations

import ast
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from paraminspect.arrays import Array, Shape, count_elements
from paraminspect.errors import CastError, ExpressionError, ShapeError, nearest
from paraminspect.expressions import CONSTANTS, Expression
from paraminspect.functions import ELEMENTWISE, FUNCTIONS, STREAMED, check_held
from paraminspect.indexing import boxes
from paraminspect.syntax import read_expression

Values = np.ndarray[Any, Any]

PRESENT = "x"
"""The name of the present values."""

_QUOTE = "'"
"""Begins the names that stand for quoted ones: no name that a user writes does."""

_REDUCED_COUNT = 1 << 17
"""Elements that a reduction takes at a time: in float64 they fit a cache of the processor."""


class Formula(Protocol):
    """Values of a certain shape that are computed when they are read."""

    @property
    def uses_present(self) -> bool:
        """Whether the present values are needed."""

    def read(self, start: int, stop: int, present: Values | None) -> Values:
        """Flat elements `start` to `stop`, 1-D, or 0-D if all are the same.

        `present` are the present values there, if the caller has them at hand.
        """


def quoted_names(expression: Expression) -> list[str]:
    """The names of parameters, which stand in quotes."""
    constants = (n.value for n in ast.walk(expression.node) if isinstance(n, ast.Constant))
    return list(dict.fromkeys(value for value in constants if isinstance(value, str)))


def make_formula(
    expression: Expression, arrays: Mapping[str, Array], shape: Shape, *, unsafe: bool = False
) -> Formula:
    """The formula of an expression over `arrays`, whose result is assigned to `shape`.

    `arrays` has the present values as `x`, and the others by the names that stand in quotes.
    With `unsafe`, overflow gives infinities instead of an error.
    """
    known = {PRESENT: arrays[PRESENT]} | {
        _QUOTE + name: array for name, array in arrays.items() if name != PRESENT
    }
    node = _QuotedAsNames().visit(read_expression(expression.text))
    _check_names(node, known)
    used = {name: array for name, array in known.items() if name in _names(node)}
    if _is_blockwise(node):
        return _Blockwise(node, used, shape, unsafe)
    return _Whole(Expression(expression.text, node), used, shape, unsafe)


class _QuotedAsNames(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Name(_QUOTE + node.value, ast.Load()) if isinstance(node.value, str) else node


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _check_names(node: ast.expr, known: Mapping[str, Array]) -> None:
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
    for name in sorted(_names(node) - called - known.keys() - CONSTANTS.keys()):
        raise ExpressionError(
            f"unknown name {name!r}: {PRESENT} is the present value,"
            " other parameters are named in quotes"
        )


_ELEMENTWISE_NODES = (
    ast.Constant, ast.Name, ast.Load, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.keyword,
    ast.operator, ast.unaryop, ast.cmpop,
)  # fmt: skip


def _is_blockwise(node: ast.expr) -> bool:
    """Whether a block of the result needs the same block of each array only."""
    for part in ast.walk(node):
        if not isinstance(part, _ELEMENTWISE_NODES) or isinstance(part, ast.MatMult | ast.Not):
            return False
        if isinstance(part, ast.Call) and not _is_reduction(part):
            assert isinstance(part.func, ast.Name)
            if part.func.id not in ELEMENTWISE:
                return False
    return True


def _is_reduction(node: ast.AST) -> bool:
    """Whether it is the call of a reduction of one whole array to a number."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in STREAMED
        and len(node.args) == 1
        and not node.keywords
    )


class _Blockwise:
    def __init__(
        self, node: ast.expr, arrays: Mapping[str, Array], shape: Shape, unsafe: bool
    ) -> None:
        hoist = _Hoist(arrays, unsafe)
        self._node = hoist.visit(node)
        self._numbers = hoist.numbers
        self._arrays = {n: a for n, a in arrays.items() if n in _names(self._node)}
        self._views = {n: _View(n, array, shape) for n, array in self._arrays.items()}
        self._unsafe = unsafe
        self.uses_present = PRESENT in self._arrays

    def read(self, start: int, stop: int, present: Values | None) -> Values:
        names = {name: number.value() for name, number in self._numbers.items()}
        for name, view in self._views.items():
            if name == PRESENT and present is not None:
                names[name] = widened(present)
            else:
                names[name] = view.read(start, stop)
        return _computed(self._node, names, ELEMENTWISE, self._unsafe)


class _Hoist(ast.NodeTransformer):
    """Replaces each reduction by a name, and keeps what computes its number."""

    def __init__(self, arrays: Mapping[str, Array], unsafe: bool) -> None:
        self._arrays = arrays
        self._unsafe = unsafe
        self.numbers: dict[str, _Number] = {}

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if not _is_reduction(node):
            self.generic_visit(node)
            return node
        assert isinstance(node.func, ast.Name)
        name = f"={len(self.numbers)}"
        used = {n: a for n, a in self._arrays.items() if n in _names(node.args[0])}
        self.numbers[name] = _Number(node.func.id, node.args[0], used, self._unsafe)
        return ast.Name(name, ast.Load())


class _Number:
    """The result of a reduction, computed when first needed."""

    def __init__(
        self, name: str, argument: ast.expr, arrays: Mapping[str, Array], unsafe: bool
    ) -> None:
        shape = _broadcast([array.shape for array in arrays.values()])
        if shape is None:
            shapes = ", ".join(str(list(array.shape)) for array in arrays.values())
            raise ShapeError(f"the shapes {shapes} within {name}() do not fit together")
        self._formula = _Blockwise(argument, arrays, shape, unsafe)
        self._count = math.prod(shape)
        self._reduce = STREAMED[name]
        self._lock = threading.Lock()
        self._value: Any = None

    def value(self) -> Any:
        with self._lock:
            if self._value is None:
                with np.errstate(all="ignore"):
                    self._value = self._reduce(self._blocks)
            return self._value

    def _blocks(self) -> Iterator[Values]:
        for start in range(0, self._count, _REDUCED_COUNT):
            stop = min(start + _REDUCED_COUNT, self._count)
            yield np.broadcast_to(self._formula.read(start, stop, None), (stop - start,))


class _View:
    """An array as if broadcast to a shape, in its flat order."""

    def __init__(self, name: str, array: Array, shape: Shape) -> None:
        own = _without_leading_ones(array.shape)
        if _broadcast([own, shape]) != shape:
            raise ShapeError(
                f"{name.removeprefix(_QUOTE)} has shape {list(array.shape)},"
                f" which cannot be broadcast to {list(shape)}"
            )
        self._array = array
        self._shape = shape
        self._is_same = own == _without_leading_ones(shape)
        self._is_number = not own
        self._lock = threading.Lock()
        self._held: Values | None = None
        if not self._is_same:
            check_held(2 * array.dtype.nbytes(count_elements(own)), name.removeprefix(_QUOTE))

    def read(self, start: int, stop: int) -> Values:
        if self._is_same:
            return widened(self._array.read(start, stop))
        with self._lock:
            if self._held is None:
                values = widened(self._array[...]).reshape(_without_leading_ones(self._array.shape))
                self._held = values if self._is_number else np.broadcast_to(values, self._shape)
        return self._held if self._is_number else _flat(self._held, start, stop)


def _broadcast(shapes: Sequence[Shape]) -> Shape | None:
    """The shape to which all can be broadcast, if there is one; NumPy's own ends at 32 axes."""
    ndim = max(map(len, shapes), default=0)
    result = []
    for lengths in zip(*((1,) * (ndim - len(shape)) + shape for shape in shapes), strict=True):
        other = {length for length in lengths if length != 1}
        if len(other) > 1:
            return None
        result.append(other.pop() if other else 1)
    return tuple(result)


def _without_leading_ones(shape: Shape) -> Shape:
    kept = list(shape)
    while kept and kept[0] == 1:
        del kept[0]
    return tuple(kept)


class _Whole:
    """The result is held until all of it has been read once."""

    def __init__(
        self, expression: Expression, arrays: Mapping[str, Array], shape: Shape, unsafe: bool
    ) -> None:
        self._expression = expression
        self._arrays = arrays
        self._shape = shape
        self._unsafe = unsafe
        self.uses_present = False
        self._lock = threading.Lock()
        self._held: Values | None = None
        self._left = 0
        for name, array in arrays.items():
            nbytes = max(array.dtype.nbits, 32) // 8 * count_elements(array.shape)
            check_held(nbytes, name.removeprefix(_QUOTE))

    # Every formula is given the present values; this one reads for itself what it needs.
    def read(self, start: int, stop: int, present: Values | None) -> Values:  # noqa: ARG002
        with self._lock:
            held = self._held
            if held is None:
                held = self._compute()
                self._left = math.prod(self._shape)
            self._left -= stop - start
            self._held = held if self._left > 0 else None
        return _flat(held, start, stop)

    def _compute(self) -> Values:
        names = {name: widened(array[...]) for name, array in self._arrays.items()}
        values = _computed(self._expression.node, names, FUNCTIONS, self._unsafe)
        own = values.reshape(_without_leading_ones(values.shape))
        try:
            return np.broadcast_to(own, self._shape)
        except ValueError:
            raise ShapeError(
                f"the expression gives shape {list(values.shape)},"
                f" which cannot be broadcast to {list(self._shape)}"
            ) from None


def _flat(values: Values, start: int, stop: int) -> Values:
    """Flat elements `start` to `stop` of any view; NumPy's own `flat` ends at 32 axes."""
    if values.flags.c_contiguous:
        return values.reshape(-1)[start:stop]
    parts = [
        values[tuple(slice(part.start, part.stop) for part in box)].reshape(-1)
        for box in boxes(values.shape, start, stop)
    ]
    return np.concatenate([np.empty(0, values.dtype), *parts])


def widened(values: Values) -> Values:
    """Values in the type in which they are computed."""
    name = values.dtype.name
    if name.startswith(("float", "bfloat")) and values.dtype.itemsize < 4:
        return values.astype(np.float32)
    if name.startswith(("int", "uint")) and values.dtype.itemsize < 8:
        return values.astype(np.int64)
    return values


def _computed(
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
