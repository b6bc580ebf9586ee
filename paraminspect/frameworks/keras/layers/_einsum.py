"""What an `EinsumDense` equation says of shapes (`keras.src.layers.core.einsum_dense`)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError, ExpressionError
from paraminspect.tree.layers import Fans

_EQUATION = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")


class Einsum(NamedTuple):
    """Shapes of the kernel, of the bias if there is one, and of the output without its batch."""

    kernel: Shape
    bias: Shape | None
    output: Shape
    fans: Fans


def analyze_einsum(
    kind: str,
    equation: str,
    bias_axes: str | None,
    shape: Shape,
    output_shape: int | Sequence[int | None],
) -> Einsum:
    """Shapes for an input of `shape`; axes that `output_shape` leaves None are the input's."""
    inputs, weights, outputs, left, right = _parsed(kind, equation)
    whole: list[int | None] = [None, *shape]
    elided = len(whole) - len(inputs)
    if elided < 0 or (elided and not (left or right)):
        raise DefinitionError(
            f"{kind}: the equation {equation!r} does not fit an input of {list(shape)}"
        )
    given = [output_shape] if isinstance(output_shape, int) else list(output_shape)
    first = elided if left else 0
    known = dict(zip(inputs, whole[first : first + len(inputs)], strict=True))
    # The batch, which nobody states, is the first axis: one that is left out, or the first label.
    wanted = given if left and elided else [None, *given]
    if len(wanted) != len(outputs):
        raise ExpressionError(
            f"{kind}: output_shape {output_shape} does not fit the equation {equation!r}"
        )
    stated = dict(zip(outputs, wanted, strict=True))
    _check_agreement(kind, known, stated)
    sizes = {**known, **stated}
    unknown = set(weights) - sizes.keys() | set(outputs) - {*inputs, *weights}
    if unknown:
        raise ExpressionError(
            f"{kind}: {min(unknown)!r} in {equation!r} is in neither the input nor the output"
        )
    kernel = tuple(_size(kind, equation, sizes, label) for label in weights)
    fan_out = math.prod(n for n, label in zip(kernel, weights, strict=True) if label in outputs)
    fans = Fans(math.prod(kernel) // fan_out, fan_out)
    between = whole[:elided] if left else ()
    behind = whole[len(inputs) :] if right else ()
    output = [*between, *(stated[label] or known.get(label) for label in outputs), *behind]
    bias = _bias(kind, outputs, stated, bias_axes, 0 if left else elided)
    return Einsum(kernel, bias, tuple(size for size in output[1:] if size is not None), fans)


def _parsed(kind: str, equation: str) -> tuple[str, str, str, bool, bool]:
    found = _EQUATION.fullmatch(equation.replace(" ", ""))
    left, right = (bool(found and found[i] and found[i + 4]) for i in (1, 3))
    dots = sum(bool(found and found[i]) for i in (1, 3, 5, 7))
    if not found or dots != 2 * (left + right) or (left and right):
        raise ExpressionError(
            f"{kind}: an equation is like 'ab,bc->ac', '...a,ab->...b' or 'ab...,bc->ac...',"
            f" got {equation!r}"
        )
    return found[2], found[4], found[6], left, right


def _check_agreement(
    kind: str, known: dict[str, int | None], stated: dict[str, int | None]
) -> None:
    for label, size in stated.items():
        have = known.get(label)
        if size is not None and have is not None and size != have:
            raise DefinitionError(
                f"{kind}: the axis {label!r} is {have} in the input and {size} in output_shape"
            )


def _size(kind: str, equation: str, sizes: dict[str, int | None], label: str) -> int:
    size = sizes[label]
    if not size:
        raise ExpressionError(
            f"{kind}: the size of {label!r} in {equation!r} must be from 1 on, got {size}"
        )
    return size


def _bias(
    kind: str, outputs: str, sizes: dict[str, int | None], axes: str | None, behind: int
) -> Shape | None:
    if not axes:
        return None
    if not set(axes) <= set(outputs):
        raise ExpressionError(f"{kind}: bias_axes {axes!r} are not axes of the output {outputs!r}")
    first = min(outputs.index(label) for label in axes)
    own = [_size(kind, outputs, sizes, c) if c in axes else 1 for c in outputs[first:]]
    return (*own, *(1,) * behind)
