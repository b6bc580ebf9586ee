"""Initializers of MXNet as values: what `weight_initializer=` may be, and the scheme it stands for.

A definition writes them as MXNet does: by name (`'xavier'`), as a call (`Xavier(magnitude=2)`), or
as the JSON text that `Initializer.dumps()` gives.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from paraminspect.errors import ExpressionError, nearest
from paraminspect.frameworks._initializer import Initializer, initializer
from paraminspect.language import call, format_value
from paraminspect.tree.layers import Layer

CONSTANT = "Constant"
"""Two things have this name in MXNet: an initializer, and a parameter that is never trained."""

_BY_ENDING = {
    "weight": "uniform(-0.07, 0.07)",
    "bias": "zeros",
    "gamma": "ones",
    "beta": "zeros",
    "min": "zeros",
    "max": "ones",
}
"""What `Block.initialize()` draws by default, by how the name ends (`mxnet.initializer`)."""


INITIALIZERS: dict[str, Callable[..., Initializer]] = dict(
    [
        initializer("Zero()", "zeros"),
        initializer("One()", "ones"),
        initializer(
            "Uniform(scale: Number = 0.07)", lambda scale: f"uniform({-scale!r}, {scale!r})"
        ),
        initializer("Normal(sigma: Number = 0.01)", lambda sigma: f"normal(0, {sigma!r})"),
        initializer(
            "Orthogonal(scale: Number = 1.414, "
            "rand_type: Literal['uniform', 'normal'] = 'uniform')",
            "orthogonal_svd",
        ),
        initializer(
            "Xavier(rnd_type: Literal['uniform', 'gaussian'] = 'uniform', "
            "factor_type: Literal['avg', 'in', 'out'] = 'avg', magnitude: Number = 3)",
            "xavier",
        ),
        initializer(
            "MSRAPrelu(factor_type: Literal['avg', 'in', 'out'] = 'avg', slope: Number = 0.25)",
            "msraprelu",
        ),
        initializer("Bilinear()", "bilinear"),
        initializer("LSTMBias(forget_bias: Number = 1.0)", "lstm_bias"),
    ]
)
"""What may be called in an `..._initializer=`; `Constant` too, see `CONSTANT`."""

_, _constant = initializer("Constant(value: Number)", lambda value: f"constant({value!r})")

CLASSES = {**INITIALIZERS, CONSTANT: _constant}
"""By the names of the classes of `mxnet.init`."""

REGISTERED: dict[str, Callable[..., Initializer]] = {
    **{name.lower(): function for name, function in INITIALIZERS.items()},
    "zeros": INITIALIZERS["Zero"],
    "ones": INITIALIZERS["One"],
    "constant": _constant,
}
"""By the names under which `mxnet.initializer` registers them; the case does not matter."""


def scheme_of(argument: str, value: Any, parameter: str) -> str:
    """The scheme of an initializer argument, for a parameter of that name; None is the default."""
    if value is None:
        return _default_scheme(argument, parameter)
    if isinstance(value, Layer) and value.kind == CONSTANT:
        value = _constant(*value.arguments["value"])
    if isinstance(value, Initializer):
        return value.scheme
    if isinstance(value, str):
        name, arguments = _parse(argument, value)
        if name.lower() in REGISTERED:
            made: Initializer = call(REGISTERED[name.lower()], name, [], arguments)
            return made.scheme
    ending = nearest(value, [*REGISTERED, *INITIALIZERS]) if isinstance(value, str) else ""
    raise ExpressionError(
        f"{argument} must be an initializer like 'xavier' or Xavier(),"
        f" got {format_value(value)}{ending}"
    )


def _default_scheme(argument: str, parameter: str) -> str:
    for ending, scheme in _BY_ENDING.items():
        if parameter.endswith(ending):
            return scheme
    raise ExpressionError(
        f"{argument}: MXNet has no default for a parameter named {parameter!r},"
        f" only for names that end in {', '.join(_BY_ENDING)}"
    )


def _parse(argument: str, text: str) -> tuple[str, dict[str, Any]]:
    """`'xavier'` or `'["xavier", {"magnitude": 2}]'`."""
    if not text.startswith("["):
        return text, {}
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError):
        parts = None
    match parts:
        case [str(name), dict(arguments)]:
            return name, arguments
    raise ExpressionError(f'{argument} must be JSON like ["xavier", {{}}], got {text!r}')
