"""What a scheme is applied to, and the fans of a shape."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from paraminspect.arrays import Shape
from paraminspect.errors import SchemeError
from paraminspect.init.distributions import Distribution
from paraminspect.tree.layers import Fans

Number = float
"""Annotation of an argument that is a finite number."""
Value = float
"""Annotation of an argument that is a number, infinite or NaN too."""
Size = int
"""Annotation of an argument that is an integer."""
Text = str
"""Annotation of an argument that is a string."""
Axes = int | tuple[int, ...] | list[int]
"""One axis or several, counted from the end where negative."""

LAYOUTS = ("out_in", "in_out")
"""`out_in` is `(out, in, *kernel)` as in PyTorch and MXNet, `in_out` `(*kernel, in, out)` as in
Keras and JAX."""


@dataclass(frozen=True)
class Target:
    """A parameter that is to be drawn: its shape, and what its source knows of it."""

    shape: Shape
    fans: Fans | None = None
    layout: str | None = None

    @property
    def known_fans(self) -> Fans:
        """The fans; `SchemeError` where neither the source nor the user has told."""
        if self.fans is not None:
            return self.fans
        if self.layout is not None:
            return fans_of(self.shape, self.layout)
        raise SchemeError(
            f"the fans of shape {list(self.shape)} are not known: a definition tells those of"
            " weights; for a checkpoint say --layout out_in (PyTorch, MXNet) or in_out (Keras)"
        )

    @property
    def known_layout(self) -> str:
        """The layout; `SchemeError` where neither the source nor the user has told."""
        if self.layout is None:
            raise SchemeError(
                "which axes are in and out cannot be told from a shape alone:"
                " say --layout out_in or --layout in_out"
            )
        return self.layout


Scheme = Callable[[Target], Distribution]
"""What a call like `xavier_uniform(gain=2)` stands for: a distribution for each target."""


def fans_of(shape: Shape, layout: str) -> Fans:
    """The fans of a whole shape in a layout, as `torch.nn.init` (out_in) or Keras (in_out) counts.

    Groups and stacked gates are not seen in a shape: a framework that knows better tells its own.
    """
    if layout == "out_in":
        if len(shape) < 2:
            raise SchemeError(
                "fan in and fan out cannot be computed for fewer than 2 axes,"
                f" shape {list(shape)} (torch.nn.init says the same)"
            )
        field = math.prod(shape[2:])
        return Fans(shape[1] * field, shape[0] * field)
    if not shape:
        return Fans(1, 1)
    if len(shape) == 1:
        return Fans(shape[0], shape[0])
    field = math.prod(shape[:-2])
    return Fans(shape[-2] * field, shape[-1] * field)


def fans_by_axes(
    shape: Shape, in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = ()
) -> Fans:
    """The fans of a whole shape whose axes are named, as `jax.nn.initializers` counts.

    The axes that are not named are the kernel; those of the batch do not count. Raises
    `SchemeError` for axes that the shape has not, or that are named twice.
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
            raise SchemeError(f"{name}: there is no axis {axis} in shape {list(shape)}")
        found.append(axis % len(shape))
    return found
