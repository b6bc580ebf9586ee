"""How a layer of Keras is declared: its signature as Keras writes it, and what all layers take."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from paraminspect.arrays import DTYPES, DType, Shape
from paraminspect.errors import ExpressionError, nearest
from paraminspect.frameworks._declare import Maker, declare
from paraminspect.frameworks.keras._initializers import scheme_of
from paraminspect.frameworks.keras.layers._arguments import check_choices
from paraminspect.init.fans import fans_of
from paraminspect.language import format_value
from paraminspect.tree.layers import Build, Fans, Layer, Spec

BASE = {
    "activity_regularizer": "activity_regularizer=None",
    "trainable": "trainable: Flag = True",
    "dtype": "dtype=None",
    "autocast": "autocast: Flag = True",
    "name": "name: Text | None = None",
}
"""The arguments of `keras.layers.Layer`, which `**kwargs` in a signature stands for."""

MIXED = ("mixed_float16", "mixed_bfloat16")
"""Policies that compute in half precision and keep their variables in float32."""


def layer(signature: str, make: Maker) -> tuple[str, Callable[..., Layer]]:
    """`("Dense", function)` from Keras's own signature, `**kwargs` included.

    `make` gets the arguments as attributes, and `kind` and `variable_dtype` besides.
    """
    kind = signature.partition("(")[0]

    def prepared(a: SimpleNamespace) -> Build:
        return make(namespace(kind, vars(a)))

    return declare(_with_base(signature), prepared)


def _with_base(signature: str) -> str:
    if not signature.endswith("**kwargs)"):
        return signature
    node = ast.parse(f"def {signature}: pass").body[0]
    assert isinstance(node, ast.FunctionDef)
    own = {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}
    star = "" if node.args.kwonlyargs else "*, "
    rest = ", ".join(text for name, text in BASE.items() if name not in own)
    return f"{signature.removesuffix('**kwargs)')}{star}{rest})"


def namespace(kind: str, arguments: Mapping[str, Any]) -> SimpleNamespace:
    """The arguments of a layer as attributes, checked where every layer has them."""
    name = arguments.get("name")
    if name is not None:
        check_name(name)
    check_choices(kind, arguments)
    dtype = _variable_dtype(kind, arguments.get("dtype"))
    return SimpleNamespace(
        **{"trainable": True, **arguments, "kind": kind, "variable_dtype": dtype}
    )


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a layer."""
    if not name or "/" in name or not name.isprintable():
        raise ExpressionError(
            f"the name of a layer must be printable and without '/', got {name!r}"
        )


def _variable_dtype(kind: str, policy: Any) -> DType:
    if policy is None or policy in MIXED:
        return DTYPES["float32"]
    if not isinstance(policy, str) or policy not in DTYPES:
        ending = nearest(policy, [*DTYPES, *MIXED]) if isinstance(policy, str) else ""
        raise ExpressionError(
            f"{kind}: dtype must be the name of a dtype or one of {', '.join(MIXED)},"
            f" got {format_value(policy)}{ending}"
        )
    return DTYPES[policy]


@dataclass(frozen=True, slots=True)
class Initialized(Spec):
    """A weight that the initializer in an argument of its layer draws; or a `clone` of it does.

    A clone is made when the layer is built.
    """

    argument: str = ""
    clone: bool = False


def weight(
    a: SimpleNamespace,
    shape: Shape,
    initializer: str,
    trainable: bool = True,
    fans: Fans | None = None,
) -> Initialized:
    """A weight that is drawn as the layer's argument `initializer` says."""
    scheme = scheme_of(initializer, getattr(a, initializer))
    return Initialized(**_known(a, shape, scheme, trainable, fans), argument=initializer)


def drawn(
    a: SimpleNamespace,
    shape: Shape,
    scheme: str,
    trainable: bool = True,
    fans: Fans | None = None,
) -> Spec:
    """A weight that is drawn by a scheme that no argument of the layer changes."""
    return Spec(**_known(a, shape, scheme, trainable, fans))


def _known(
    a: SimpleNamespace, shape: Shape, scheme: str, trainable: bool, fans: Fans | None
) -> dict[str, Any]:
    return {
        "shape": shape,
        "scheme": scheme,
        "fans": fans or fans_of(shape, "in_out"),
        "layout": "in_out" if len(shape) > 1 else None,
        "dtype": a.variable_dtype,
        "trainable": trainable and a.trainable,
        "frozen": trainable and not a.trainable,
    }
