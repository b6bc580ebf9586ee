"""The names of `jax.nn.initializers` of JAX 0.10, with its own arguments, order and defaults.

The dtype is the parameter's. Axes that a call does not name are those of the model or the layout.
"""

from __future__ import annotations

import functools
import math
from dataclasses import replace

from paraminspect.errors import SchemeError
from paraminspect.frameworks._words import Words, in_pairs
from paraminspect.init.distributions import DeltaOrthogonal, Distribution, Orthogonal
from paraminspect.init.fans import Axes, fans_by_axes
from paraminspect.init.schemes import (
    SCHEMES,
    Number,
    Scheme,
    SchemeFunction,
    Size,
    Target,
    Text,
    Value,
    checked,
)


def uniform(scale: Number = 0.01) -> Scheme:
    """U(0, scale)."""
    return SCHEMES["uniform"](0.0, scale)


def normal(stddev: Number = 0.01) -> Scheme:
    """N(0, stddev²)."""
    return SCHEMES["normal"](0.0, stddev)


def truncated_normal(stddev: Number = 0.01, *, lower: Value = -2.0, upper: Value = 2.0) -> Scheme:
    """N(0, stddev²), drawn again outside [lower, upper]·stddev."""
    return SCHEMES["truncated_normal"](0.0, stddev, lower, upper)


_DISTRIBUTIONS = {
    "truncated_normal": "truncated_normal",
    "normal": "untruncated_normal",
    "uniform": "uniform",
}


def variance_scaling(
    scale: Number,
    mode: Text,
    distribution: Text,
    in_axis: Axes | None = None,
    out_axis: Axes | None = None,
    batch_axis: Axes | None = None,
) -> Scheme:
    """Variance scale / fan, where the fan is counted along the axes."""
    if distribution not in _DISTRIBUTIONS:
        known = ", ".join(_DISTRIBUTIONS)
        raise SchemeError(f"distribution must be one of {known}, got {distribution!r}")
    scheme = SCHEMES["variance_scaling"](scale, mode, _DISTRIBUTIONS[distribution])
    axes = {"in_axis": in_axis, "out_axis": out_axis, "batch_axis": batch_axis}
    named = {name: given for name, given in axes.items() if given is not None}
    return functools.partial(_along, scheme, named) if named else scheme


def _along(scheme: Scheme, axes: dict[str, Axes], target: Target) -> Distribution:
    return scheme(replace(target, fans=fans_by_axes(target.shape, **axes)))


def _scaled(scale: float, mode: str, distribution: str) -> SchemeFunction:
    """A name of one case of `variance_scaling`."""

    def case(
        in_axis: Axes | None = None, out_axis: Axes | None = None, batch_axis: Axes | None = None
    ) -> Scheme:
        return variance_scaling(scale, mode, distribution, in_axis, out_axis, batch_axis)

    return case


def orthogonal(scale: Number = 1.0, column_axis: Size | None = None) -> Scheme:
    """An orthogonal matrix whose columns lie along an axis, by default the last."""
    if column_axis is None:
        return SCHEMES["orthogonal"](scale)

    def apply(target: Target) -> Distribution:
        shape = target.shape
        axis = _axis(column_axis, len(shape))
        rows = math.prod(shape[:axis] + shape[axis + 1 :])
        return Orthogonal(float(scale), rows, shape[axis], column_axis=axis)

    return apply


def delta_orthogonal(scale: Number = 1.0, column_axis: Size | None = None) -> Scheme:
    """An orthogonal matrix at the centre of a kernel, of whose two axes one has its columns."""
    scheme = SCHEMES["delta_orthogonal"](scale)
    if column_axis is None:
        return scheme
    transposed = _axis(column_axis, 2) == 0

    def apply(target: Target) -> Distribution:
        found = scheme(replace(target, layout="in_out"))
        assert isinstance(found, DeltaOrthogonal)
        return replace(found, transposed=transposed)

    return apply


def _axis(axis: int, ndim: int) -> int:
    if ndim < 2 or not -ndim <= axis < ndim:
        raise SchemeError(f"column_axis {axis} is not one of {ndim} axes")
    return axis % ndim


_KINDS = {
    **dict.fromkeys(("glorot", "xavier"), (1.0, "fan_avg")),
    **dict.fromkeys(("lecun",), (1.0, "fan_in")),
    **dict.fromkeys(("he", "kaiming"), (2.0, "fan_in")),
}

_OWN: dict[str, SchemeFunction] = {
    **{
        f"{name}_{ending}": _scaled(*kind, distribution)
        for name, kind in _KINDS.items()
        for ending, distribution in (("uniform", "uniform"), ("normal", "truncated_normal"))
    },
    "uniform": uniform,
    "normal": normal,
    "truncated_normal": truncated_normal,
    "variance_scaling": variance_scaling,
    "orthogonal": orthogonal,
    "delta_orthogonal": delta_orthogonal,
}

_WORDS = {name: checked(function) for name, function in _OWN.items()}

WORDS: Words = {**_WORDS, **in_pairs(_WORDS, alone=True)}
