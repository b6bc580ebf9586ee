"""Merging layers: several inputs, which a definition writes as branches below the call."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError, ExpressionError
from paraminspect.frameworks.keras.layers._attention import Join
from paraminspect.frameworks.keras.layers._declare import layer
from paraminspect.frameworks.keras.layers._shapes import axis_of
from paraminspect.tree.layers import Build, Built


def _elementwise(a: SimpleNamespace, shapes: Sequence[Shape]) -> Built:
    if a.kind == "Subtract" and len(shapes) != 2:
        raise DefinitionError(f"{a.kind} takes exactly 2 inputs, got {len(shapes)}")
    merged = shapes[0]
    for shape in shapes[1:]:
        merged = _broadcast(a.kind, merged, shape)
    return Built(output=merged)


def _broadcast(kind: str, one: Shape, other: Shape) -> Shape:
    if len(one) < len(other):
        one, other = other, one
    ahead = one[: len(one) - len(other)]
    sizes = list(zip(one[len(ahead) :], other, strict=True))
    if any(m != n and 1 not in (m, n) for m, n in sizes):
        raise DefinitionError(f"{kind}: shapes {list(one)} and {list(other)} do not fit")
    return (*ahead, *(n if m == 1 else m for m, n in sizes))


def _concatenate(a: SimpleNamespace, shapes: Sequence[Shape]) -> Built:
    first = shapes[0]
    axis = axis_of(a.kind, a.axis, first)
    for shape in shapes[1:]:
        if len(shape) != len(first) or any(
            m != n for i, (m, n) in enumerate(zip(first, shape, strict=True)) if i != axis
        ):
            raise DefinitionError(
                f"{a.kind}: shapes {list(first)} and {list(shape)} may differ only in axis {a.axis}"
            )
    total = sum(shape[axis] for shape in shapes)
    return Built(output=(*first[:axis], total, *first[axis + 1 :]))


def _dot(a: SimpleNamespace, shapes: Sequence[Shape]) -> Built:
    if len(shapes) != 2:
        raise DefinitionError(f"{a.kind} takes exactly 2 inputs, got {len(shapes)}")
    axes = (a.axes, a.axes) if isinstance(a.axes, int) else a.axes
    if not isinstance(axes, list | tuple) or [type(axis) for axis in axes] != [int, int]:
        raise ExpressionError(f"{a.kind}: axes must be an integer or two of them, got {a.axes!r}")
    one, other = (axis_of(a.kind, axis, s) for axis, s in zip(axes, shapes, strict=True))
    left, right = shapes
    if left[one] != right[other]:
        raise DefinitionError(
            f"{a.kind}: shapes {list(left)} and {list(right)} differ in the axes {list(axes)}"
        )
    output = (*left[:one], *left[one + 1 :], *right[:other], *right[other + 1 :])
    return Built(output=output or (1,))


ELEMENTWISE = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")

MERGES: dict[str, Join] = {
    **dict.fromkeys(ELEMENTWISE, _elementwise),
    "Concatenate": _concatenate,
    "Dot": _dot,
}
"""How each is built on its inputs."""


def _alone(a: SimpleNamespace) -> Build:
    def build(shape: Shape | None) -> Built:
        raise DefinitionError(
            f"{a.kind} merges several inputs: write its branches below it,"
            f" `{a.kind}(): [Identity(), Dense(8)]`"
        )

    return build


MERGING = dict(
    [
        *(layer(f"{kind}(**kwargs)", _alone) for kind in ELEMENTWISE),
        layer("Concatenate(axis=-1, **kwargs)", _alone),
        layer("Dot(axes, normalize: Flag = False, **kwargs)", _alone),
    ]
)
"""Layer functions by name."""
