"""How a layer of MXNet is declared: its signature as MXNet writes it, and what all blocks take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.errors import ExpressionError
from paraminspect.frameworks._declare import Maker, declare
from paraminspect.frameworks.mxnet._initializers import scheme_of
from paraminspect.init.fans import fans_of
from paraminspect.tree.layers import Build, Fans, Layer, Spec

BLOCK = "prefix: Text | None = None, params: Layer | None = None"
"""The arguments of `gluon.Block`, which `**kwargs` in a signature stands for."""

ACTIVATION = "Literal['relu', 'sigmoid', 'softrelu', 'softsign', 'tanh']"
"""What the operator `Activation` knows."""

DTYPE = "Literal['float32', 'float64', 'float16']"
"""What MXNet can draw a weight in."""


@dataclass(frozen=True)
class Deferred(Spec):
    """A parameter whose shape the first input determines: MXNet draws it then, after all others."""


def layer(signature: str, make: Maker) -> tuple[str, Callable[..., Layer]]:
    """`("Dense", function)` from MXNet's own signature, `**kwargs` included."""

    def checked(a: SimpleNamespace) -> Build:
        if a.prefix is not None and not a.prefix.isprintable():
            raise ExpressionError(f"a prefix must be printable text, got {a.prefix!r}")
        return make(a)

    star = "" if "*, " in signature else "*, "
    return declare(signature.replace("**kwargs)", f"{star}{BLOCK})"), checked)


def initialized(a: SimpleNamespace, argument: str, parameter: str) -> str:
    """The scheme that an argument like `bias_initializer` gives to a parameter like `bias`."""
    return scheme_of(argument, getattr(a, argument), parameter)


def known_fans(shape: Shape) -> Fans | None:
    """Fans as `mxnet.init.Xavier` counts them, whatever the layout; a vector has none."""
    return fans_of(shape, "out_in") if len(shape) > 1 else None
