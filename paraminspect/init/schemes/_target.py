"""What a scheme is applied to, and how its arguments are annotated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from paraminspect.arrays import Shape
from paraminspect.errors import SchemeError
from paraminspect.init.distributions import Distribution
from paraminspect.init.fans import fans_of
from paraminspect.tree.layers import Fans

Number = float
"""Annotation of an argument that is a finite number."""
Value = float
"""Annotation of an argument that is a number, infinite or NaN too."""
Size = int
"""Annotation of an argument that is an integer."""
Text = str
"""Annotation of an argument that is a string."""


@dataclass(frozen=True)
class Target:
    """A parameter that is to be drawn: its shape, and what its source knows of it."""

    shape: Shape
    fans: Fans | None = None
    layout: str | None = None

    @property
    def known_fans(self) -> Fans:
        """The fans; `SchemeError` where neither the source nor the user gives them."""
        if self.fans is not None:
            return self.fans
        if self.layout is not None:
            return fans_of(self.shape, self.layout)
        raise SchemeError(
            f"the fans of shape {list(self.shape)} are unknown: a definition has those of weights,"
            " a checkpoint needs its layout, out_in (PyTorch, MXNet) or in_out (Keras, JAX)"
        ).unless(layout=...)

    @property
    def known_layout(self) -> str:
        """The layout; `SchemeError` where neither the source nor the user gives it."""
        if self.layout is None:
            raise SchemeError("a shape does not show which axes are in and out").unless(layout=...)
        return self.layout


Scheme = Callable[[Target], Distribution]
"""What a call like `xavier_uniform(gain=2)` stands for: a distribution for each target."""
