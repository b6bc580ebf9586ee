"""What a scheme is applied to, and the fans of a shape."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from paraminspect.arrays import Shape
from paraminspect.distributions import Distribution
from paraminspect.errors import SchemeError
from paraminspect.layers import Fans

Number = float
"""Annotation of an argument that is a finite number."""
Value = float
"""Annotation of an argument that is a number, infinite or NaN too."""
Size = int
"""Annotation of an argument that is an integer."""
Text = str
"""Annotation of an argument that is a string."""

LAYOUTS = ("out_in", "in_out")
"""`out_in` is `(out, in, *kernel)` as in PyTorch and MXNet, `in_out` `(*kernel, in, out)` as in
Keras and JAX."""


@dataclass(frozen=True)
class Target:
    """A parameter that is to be drawn: its shape, and what its source knows of it."""

    shape: Shape
    fans: Fans | None = None
    layout: str | None = None
    framework: str | None = None

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
