"""Normalizations of Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute import _functions as f
from paraminspect.compute import _steady
from paraminspect.compute._call import Call, Compute
from paraminspect.compute._layout import along


def _axes(axis: int | Sequence[int], ndim: int) -> tuple[int, ...]:
    return tuple(sorted(i % ndim for i in ([axis] if isinstance(axis, int) else axis)))


def _shaped(value: Any, axes: tuple[int, ...], ndim: int) -> Any:
    """A parameter in a shape that broadcasts over an input of `ndim` axes."""
    sizes = iter(value.shape)
    return np.reshape(value, [next(sizes) if i in axes else 1 for i in range(ndim)])


def _affine(call: Call, y: Any, axes: tuple[int, ...]) -> Any:
    gamma, beta = call.p.get("gamma"), call.p.get("beta")
    y = y if gamma is None else y * _shaped(gamma, axes, y.ndim)
    return y if beta is None else y + _shaped(beta, axes, y.ndim)


def batch_normalization(call: Call, x: Any) -> Any:
    """`BatchNormalization`: the batch's statistics in training, the moving ones otherwise."""
    a = call.a
    axis = a.axis % x.ndim
    rest = tuple(i for i in range(x.ndim) if i != axis)
    if not call.training:
        mean, variance = (
            along(call.p[name], axis, x.ndim) for name in ("moving_mean", "moving_variance")
        )
        return _affine(call, (x - mean) / np.sqrt(variance + a.epsilon), (axis,))
    batch = f.plain(x)
    for name, value in (("moving_mean", batch.mean(rest)), ("moving_variance", batch.var(rest))):
        kept = a.momentum * call.p[name] + (1 - a.momentum) * value
        call.update(name, kept.astype(call.p[name].dtype))
    return _affine(call, _steady.normalized(x, rest, a.epsilon), (axis,))


def layer_normalization(call: Call, x: Any) -> Any:
    """`LayerNormalization` along one or several axes; `rms_scaling` leaves the mean where it is."""
    axes = _axes(call.a.axis, x.ndim)
    if call.a.rms_scaling:
        root = np.sqrt(_steady.variance(x, axes, keepdims=True) + call.a.epsilon)
        return _affine(call, x / root, axes)
    return _affine(call, _steady.normalized(x, axes, call.a.epsilon), axes)


def group_normalization(call: Call, x: Any) -> Any:
    """`GroupNormalization`: groups of channels with all that is not the batch; -1: each alone."""
    axis = call.a.axis % x.ndim
    channels = x.shape[axis]
    groups = channels if call.a.groups == -1 else call.a.groups
    first = np.moveaxis(x, axis, 1)
    grouped = np.reshape(first, (x.shape[0], groups, -1))
    y = np.reshape(_steady.normalized(grouped, (2,), call.a.epsilon), first.shape)
    return _affine(call, np.moveaxis(y, 1, axis), (axis,))


def rms_normalization(call: Call, x: Any) -> Any:
    """`RMSNormalization`."""
    axes = _axes(call.a.axis, x.ndim)
    square = _steady.mean(x * x, axis=axes, keepdims=True)
    return x / np.sqrt(square + call.a.epsilon) * _shaped(call.p["scale"], axes, x.ndim)


def unit_normalization(call: Call, x: Any) -> Any:
    """`UnitNormalization`: Euclidean length 1 along the axes."""
    square = np.sum(x * x, axis=_axes(call.a.axis, x.ndim), keepdims=True)
    return x / np.sqrt(_steady.maximum(square, 1e-12))


def normalization(call: Call, x: Any) -> Any:
    """`Normalization`: by a mean and a variance that are given or were adapted."""
    a = call.a
    axes = () if a.axis is None else _axes(a.axis, x.ndim)
    if a.mean is not None:
        mean, variance = (numpy.asarray(value, x.dtype) for value in (a.mean, a.variance))
    else:
        mean, variance = (_shaped(call.p[name], axes, x.ndim) for name in ("mean", "variance"))
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
