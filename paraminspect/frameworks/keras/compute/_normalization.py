"""Normalizations of Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute import _functions as f
from paraminspect.compute import _steady
from paraminspect.compute._computation import Compute
from paraminspect.compute._layout import along
from paraminspect.compute._run import Part


def _axes(axis: int | Sequence[int], ndim: int) -> tuple[int, ...]:
    return tuple(sorted(i % ndim for i in ([axis] if isinstance(axis, int) else axis)))


def _shaped(value: Any, axes: tuple[int, ...], ndim: int) -> Any:
    """A parameter in a shape that broadcasts over an input of `ndim` axes."""
    sizes = iter(value.shape)
    return np.reshape(value, [next(sizes) if i in axes else 1 for i in range(ndim)])


def _affine(part: Part, y: Any, axes: tuple[int, ...]) -> Any:
    gamma, beta = part.p.get("gamma"), part.p.get("beta")
    y = y if gamma is None else y * _shaped(gamma, axes, y.ndim)
    return y if beta is None else y + _shaped(beta, axes, y.ndim)


def batch_normalization(part: Part, x: Any) -> Any:
    """`BatchNormalization`: the batch's statistics in training, the moving ones otherwise."""
    a = part.a
    axis = a.axis % x.ndim
    rest = tuple(i for i in range(x.ndim) if i != axis)
    if not part.training:
        mean, variance = (
            along(part.p[name], axis, x.ndim) for name in ("moving_mean", "moving_variance")
        )
        return _affine(part, (x - mean) / np.sqrt(variance + a.epsilon), (axis,))
    batch = f.plain(x)
    for name, value in (("moving_mean", batch.mean(rest)), ("moving_variance", batch.var(rest))):
        kept = a.momentum * part.p[name] + (1 - a.momentum) * value
        part.update(name, kept.astype(part.p[name].dtype))
    return _affine(part, _steady.normalized(x, rest, a.epsilon), (axis,))


def layer_normalization(part: Part, x: Any) -> Any:
    """`LayerNormalization` along one or several axes; `rms_scaling` leaves the mean where it is."""
    axes = _axes(part.a.axis, x.ndim)
    if part.a.rms_scaling:
        root = np.sqrt(_steady.variance(x, axes, keepdims=True) + part.a.epsilon)
        return _affine(part, x / root, axes)
    return _affine(part, _steady.normalized(x, axes, part.a.epsilon), axes)


def group_normalization(part: Part, x: Any) -> Any:
    """`GroupNormalization`: groups of channels with all that is not the batch; -1: each alone."""
    axis = part.a.axis % x.ndim
    channels = x.shape[axis]
    groups = channels if part.a.groups == -1 else part.a.groups
    first = np.moveaxis(x, axis, 1)
    grouped = np.reshape(first, (x.shape[0], groups, -1))
    y = np.reshape(_steady.normalized(grouped, (2,), part.a.epsilon), first.shape)
    return _affine(part, np.moveaxis(y, 1, axis), (axis,))


def rms_normalization(part: Part, x: Any) -> Any:
    """`RMSNormalization`."""
    axes = _axes(part.a.axis, x.ndim)
    square = _steady.mean(x * x, axis=axes, keepdims=True)
    return x / np.sqrt(square + part.a.epsilon) * _shaped(part.p["scale"], axes, x.ndim)


def unit_normalization(part: Part, x: Any) -> Any:
    """`UnitNormalization`: Euclidean length 1 along the axes."""
    square = np.sum(x * x, axis=_axes(part.a.axis, x.ndim), keepdims=True)
    return x / np.sqrt(_steady.maximum(square, 1e-12))


def normalization(part: Part, x: Any) -> Any:
    """`Normalization`: by a mean and a variance that are given or were adapted."""
    a = part.a
    axes = () if a.axis is None else _axes(a.axis, x.ndim)
    if a.mean is not None:
        mean, variance = (numpy.asarray(value, x.dtype) for value in (a.mean, a.variance))
    else:
        mean, variance = (_shaped(part.p[name], axes, x.ndim) for name in ("mean", "variance"))
    deviation = _steady.maximum(np.sqrt(variance), 1e-7)
    return mean + x * deviation if a.invert else (x - mean) / deviation


NORMALIZATIONS: dict[str, Compute] = {
    "BatchNormalization": batch_normalization,
    "LayerNormalization": layer_normalization,
    "GroupNormalization": group_normalization,
    "RMSNormalization": rms_normalization,
    "UnitNormalization": unit_normalization,
    "Normalization": normalization,
}
"""Layer kind to computation."""
