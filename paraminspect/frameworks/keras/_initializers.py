"""Initializers of Keras: what `kernel_initializer=` may be, and the scheme that it stands for.

A definition writes them as Keras does, by name (`'he_normal'`) or as a call (`HeNormal()`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from paraminspect.errors import ExpressionError, nearest
from paraminspect.frameworks._initializer import Initializer, initializer
from paraminspect.language import format_value


def _number(value: float) -> str:
    """A number as short as it can be written: `0.0` is `0`."""
    return repr(int(value)) if isinstance(value, float) and value.is_integer() else repr(value)


def _with_two(name: str) -> Callable[..., str]:
    """The scheme `name` of the two numbers that an initializer has."""
    return lambda **numbers: f"{name}({', '.join(map(_number, numbers.values()))})"


def _variance_scaling(scale: float, mode: str, distribution: str) -> str:
    # Elsewhere a plain normal distribution is meant by "normal".
    drawn = "truncated_normal" if distribution == "normal" else distribution
    return f"variance_scaling(scale={_number(scale)}, mode={mode!r}, distribution={drawn!r})"


SEED = "seed: Seed | None = None"
"""The argument of initializers and layers that draw at random."""

_NORMAL = f"mean: Number = 0.0, stddev: Number = 0.05, {SEED}"

_CLASSES: dict[str, Callable[..., Initializer]] = dict(
    [
        initializer("Zeros()", "zeros"),
        initializer("Ones()", "ones"),
        initializer("Constant(value: Number = 0.0)", lambda value: f"constant({_number(value)})"),
        initializer("Identity(gain: Number = 1.0)", "identity"),
        initializer(f"Orthogonal(gain: Number = 1.0, {SEED})", "orthogonal"),
        initializer(f"RandomNormal({_NORMAL})", _with_two("normal")),
        initializer(f"TruncatedNormal({_NORMAL})", _with_two("truncated_normal")),
        initializer(
            f"RandomUniform(minval: Number = -0.05, maxval: Number = 0.05, {SEED})",
            _with_two("uniform"),
        ),
        initializer(
            "VarianceScaling(scale: Number = 1.0, "
            "mode: Literal['fan_in', 'fan_out', 'fan_avg'] = 'fan_in', distribution: "
            "Literal['uniform', 'truncated_normal', 'untruncated_normal', 'normal'] = "
            f"'truncated_normal', {SEED})",
            _variance_scaling,
        ),
        *(
            initializer(f"{name}{shape.title()}({SEED})", f"{name.lower()}_{shape}")
            for name in ("Glorot", "He", "Lecun")
            for shape in ("uniform", "normal")
        ),
    ]
)
_ALIASES = {
    "constant": "Constant",
    "glorot_normal": "GlorotNormal",
    "glorot_uniform": "GlorotUniform",
    "he_normal": "HeNormal",
    "he_uniform": "HeUniform",
    "identity": "Identity",
    "lecun_normal": "LecunNormal",
    "lecun_uniform": "LecunUniform",
    "ones": "Ones",
    "orthogonal": "Orthogonal",
    "random_normal": "RandomNormal",
    "random_uniform": "RandomUniform",
    "truncated_normal": "TruncatedNormal",
    "variance_scaling": "VarianceScaling",
    "zeros": "Zeros",
    "IdentityInitializer": "Identity",
    "OrthogonalInitializer": "Orthogonal",
    "normal": "RandomNormal",
    "one": "Ones",
    "uniform": "RandomUniform",
    "zero": "Zeros",
}
INITIALIZERS = _CLASSES | {alias: _CLASSES[name] for alias, name in _ALIASES.items()}
"""By every name that `keras.initializers.get` knows."""


def scheme_of(argument: str, value: Any) -> str:
    """The scheme of an initializer argument: a name, a call, or None for Keras's own choice."""
    return initializer_of(argument, value).scheme


def initializer_of(argument: str, value: Any) -> Initializer:
    """The initializer that an argument stands for; that of a name is not the one Keras makes."""
    if isinstance(value, Initializer):
        return value
    if value is None:
        return _by_name("glorot_uniform")
    if isinstance(value, str) and value in INITIALIZERS:
        return _by_name(value)
    ending = nearest(value, INITIALIZERS) if isinstance(value, str) else ""
    raise ExpressionError(
        f"{argument} must be an initializer like 'he_normal' or HeNormal(),"
        f" got {format_value(value)}{ending}"
    )


@functools.cache
def _by_name(name: str) -> Initializer:
    return INITIALIZERS[name]()
