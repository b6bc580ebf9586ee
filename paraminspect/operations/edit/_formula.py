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
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from paraminspect.arrays import Array, Shape, count_elements
from paraminspect.errors import (
    AddressError,
    CastError,
    EmptyPlaceError,
    ExpressionError,
    ShapeError,
)
from paraminspect.language import Expression
from paraminspect.language.syntax import read_expression
from paraminspect.operations.edit._arithmetic import Computed, computed
from paraminspect.operations.edit._functions import ELEMENTWISE, FUNCTIONS, STREAMED, check_held
from paraminspect.operations.edit._names import PRESENT, QUOTE, QuotedAsNames, check_names, names_in
from paraminspect.operations.edit._views import View, broadcast, flat, widened, without_leading_ones
from paraminspect.runtime import Lock
from paraminspect.tree.address import parse_index, place

Values = np.ndarray[Any, Any]

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


def make_formula(
    expression: Expression, arrays: Mapping[str, Array], shape: Shape, *, unsafe: bool = False
) -> Formula:
    """The formula of an expression over `arrays`, whose result is assigned to `shape`.

    `arrays` has the present values as `x`, and the others by the names that stand in quotes.
    With `unsafe`, overflow gives infinities instead of an error.
    """
    known = {PRESENT: arrays[PRESENT]} | {
        QUOTE + name: array for name, array in arrays.items() if name != PRESENT
    }
    node = QuotedAsNames().visit(read_expression(expression.text))
    check_names(node, known)
    _check_subscripts(node, known)
    used = {name: array for name, array in known.items() if name in names_in(node)}
    if _is_blockwise(node):
        return _Blockwise(node, used, shape, unsafe)
    return _Whole(Expression(expression.text, node), used, shape, unsafe)


def _check_subscripts(node: ast.expr, arrays: Mapping[str, Array]) -> None:
    """Refuse an index that selects nothing, of which a sum would be 0; the rest is NumPy's."""
    subscripts = (part for part in ast.walk(node) if isinstance(part, ast.Subscript))
    for part in subscripts:
        if not isinstance(part.value, ast.Name) or part.value.id not in arrays:
            continue
        name = part.value.id
        try:
            place(parse_index(ast.unparse(part.slice)), arrays[name].shape)
        except EmptyPlaceError as error:
            raise ExpressionError(f"{name.removeprefix(QUOTE)}: {error}") from None
        except AddressError:
            continue  # it is computed, or NumPy refuses it in its own words


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
        self._arrays = {n: a for n, a in arrays.items() if n in names_in(self._node)}
        self._views = {n: View(n, array, shape) for n, array in self._arrays.items()}
        self._unsafe = unsafe
        self.uses_present = PRESENT in self._arrays

    def read(self, start: int, stop: int, present: Values | None) -> Values:
        names = {name: number.value() for name, number in self._numbers.items()}
        for name, view in self._views.items():
            if name == PRESENT and present is not None:
                names[name] = widened(present)
            else:
                names[name] = view.read(start, stop)
        return computed(self._node, names, ELEMENTWISE, self._unsafe).checked(stop - start)


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
        used = {n: a for n, a in self._arrays.items() if n in names_in(node.args[0])}
        self.numbers[name] = _Number(node.func.id, node.args[0], used, self._unsafe)
        return ast.Name(name, ast.Load())


class _Number:
    """The result of a reduction, computed when first needed."""

    def __init__(
        self, name: str, argument: ast.expr, arrays: Mapping[str, Array], unsafe: bool
    ) -> None:
        shape = broadcast([array.shape for array in arrays.values()])
        if shape is None:
            shapes = ", ".join(str(list(array.shape)) for array in arrays.values())
            raise ShapeError(f"the shapes {shapes} within {name}() do not fit together")
        self._formula = _Blockwise(argument, arrays, shape, unsafe)
        self._count = math.prod(shape)
        self._name = name
        self._reduce = STREAMED[name]
        self._unsafe = unsafe
        self._was_lost = False  # an element that is not finite has been seen
        self._lock = Lock()
        self._value: Any = None

    def value(self) -> Any:
        with self._lock:
            if self._value is None:
                self._value = self._computed()
            return self._value

    def _computed(self) -> Any:
        try:
            with np.errstate(all="ignore"):
                value = self._reduce(self._blocks)
        except CastError as error:  # its place is one of the argument
            raise ExpressionError(f"within {self._name}(), {error}") from None
        if not (self._unsafe or self._was_lost or np.isfinite(value)):
            raise ExpressionError(f"{self._name}() overflows")
        return value

    def _blocks(self) -> Iterator[Values]:
        for start in range(0, self._count, _REDUCED_COUNT):
            stop = min(start + _REDUCED_COUNT, self._count)
            block = self._formula.read(start, stop, None)
            self._was_lost = self._was_lost or not np.isfinite(block).all()
            yield np.broadcast_to(block, (stop - start,))


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
        self._lock = Lock()
        self._held: Computed | None = None
        self._left = 0
        for name, array in arrays.items():
            nbytes = max(array.dtype.nbits, 32) // 8 * count_elements(array.shape)
            check_held(nbytes, name.removeprefix(QUOTE))

    # Every formula is given the present values; this one reads for itself what it needs.
    def read(self, start: int, stop: int, present: Values | None) -> Values:  # noqa: ARG002
        with self._lock:
            held = self._held
            if held is None:
                held = self._compute()
                self._left = math.prod(self._shape)
            self._left -= stop - start
            self._held = held if self._left > 0 else None
        lost = None if held.lost is None else flat(held.lost, start, stop)
        return Computed(flat(held.values, start, stop), lost, held.why).checked(stop - start)

    def _compute(self) -> Computed:
        names = {name: widened(array[...]) for name, array in self._arrays.items()}
        result = computed(self._expression.node, names, FUNCTIONS, self._unsafe)
        lost = None if result.lost is None else self._broadcast(result.lost)
        return Computed(self._broadcast(result.values), lost, result.why)

    def _broadcast(self, values: Values) -> Values:
        own = values.reshape(without_leading_ones(values.shape))
        try:
            return np.broadcast_to(own, self._shape)
        except ValueError:
            raise ShapeError(
                f"the expression gives shape {list(values.shape)},"
                f" which cannot be broadcast to {list(self._shape)}"
            ) from None
