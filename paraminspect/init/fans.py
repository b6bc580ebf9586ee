"""Fans: how many inputs and outputs a weight connects, counted from its shape alone."""

from __future__ import annotations

import math

from paraminspect.arrays import Shape
from paraminspect.errors import SchemeError
from paraminspect.tree.layers import Fans

Axes = int | tuple[int, ...] | list[int]
"""One axis or several, counted from the end where negative."""

LAYOUTS = ("out_in", "in_out")
"""`out_in` is `(out, in, *kernel)` as in PyTorch and MXNet, `in_out` `(*kernel, in, out)` as in
Keras and JAX."""


def fans_of(shape: Shape, layout: str) -> Fans:
    """The fans of a whole shape in a layout, as `torch.nn.init` (out_in) or Keras (in_out) counts.

        fans_of((8, 4, 3, 3), "out_in")    # Fans(fan_in=36, fan_out=72)

    Groups and stacked gates do not show in a shape: a framework that has them counts for itself.
    Raises `SchemeError` where PyTorch counts none: for fewer than 2 axes.
    """
    if layout == "out_in":
        if len(shape) < 2:
            raise SchemeError(
                "fan in and fan out cannot be computed for fewer than 2 axes,"
                f" shape {list(shape)} (torch.nn.init says the same)"
            )
        field = math.prod(shape[2:])
        return Fans(shape[1] * field, shape[0] * field)
    if len(shape) < 2:
        return Fans(*(shape or (1,)) * 2)
    field = math.prod(shape[:-2])
    return Fans(shape[-2] * field, shape[-1] * field)


def fans_by_axes(
    shape: Shape, in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = ()
) -> Fans:
    """The fans of a whole shape whose axes are named, as `jax.nn.initializers` counts.

    The axes that are not named are the kernel; those of the batch do not count. Raises
    `SchemeError` for axes that the shape does not have, or that are named twice.
    """
    sides = {"in_axis": in_axis, "out_axis": out_axis, "batch_axis": batch_axis}
    axes = {name: _axes(shape, name, given) for name, given in sides.items()}
    named = [axis for side in axes.values() for axis in side]
    if len(set(named)) < len(named):
        raise SchemeError(f"an axis of shape {list(shape)} is named twice: {sides}")
    inputs, outputs, _ = (math.prod(shape[i] for i in side) for side in axes.values())
    field = math.prod(shape[i] for i in range(len(shape)) if i not in named)
    return Fans(inputs * field, outputs * field)


def _axes(shape: Shape, name: str, given: Axes) -> list[int]:
    found = []
    for axis in given if isinstance(given, tuple | list) else [given]:
        if type(axis) is not int:
            raise SchemeError(f"{name} must be an axis or a tuple of them, got {given!r}")
        if not -len(shape) <= axis < len(shape):
            raise SchemeError(f"{name}: axis {axis} is outside of shape {list(shape)}")
        found.append(axis % len(shape))
    return found
