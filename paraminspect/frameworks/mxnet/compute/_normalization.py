"""Normalizations of Gluon. A scale or shift that is switched off is not trained, but applied."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np

from paraminspect.compute import _functions as f
from paraminspect.compute._computation import Compute
from paraminspect.compute._layout import along
from paraminspect.compute._run import Part
from paraminspect.compute._steady import normalized


def _affine(part: Part, y: Any, axis: int) -> Any:
    return y * along(part.p["gamma"], axis, y.ndim) + along(part.p["beta"], axis, y.ndim)


def batch_norm(part: Part, x: Any) -> Any:
    """`nn.BatchNorm`: the batch's statistics in training, the running ones otherwise."""
    a = part.a
    axis = a.axis % x.ndim
    axes = tuple(i for i in range(x.ndim) if i != axis)
    if not part.training or a.use_global_stats:
        mean, variance = (along(part.p[n], axis, x.ndim) for n in ("running_mean", "running_var"))
        return _rescaled(part, (x - mean) / np.sqrt(variance + a.epsilon), axis)
    batch = f.plain(x)
    for name, value in (("running_mean", batch.mean(axes)), ("running_var", batch.var(axes))):
        kept = a.momentum * part.p[name] + (1 - a.momentum) * value
        part.update(name, kept.astype(part.p[name].dtype))
    return _rescaled(part, normalized(x, axes, a.epsilon), axis)


def _rescaled(part: Part, y: Any, axis: int) -> Any:
    """Only here a scale that is switched off counts as 1 (`fix_gamma`)."""
    if part.a.scale:
        return _affine(part, y, axis)
    return y + along(part.p["beta"], axis, y.ndim)


def layer_norm(part: Part, x: Any) -> Any:
    """`nn.LayerNorm` along one axis."""
    axis = part.a.axis % x.ndim
    return _affine(part, normalized(x, (axis,), part.a.epsilon), axis)


def instance_norm(part: Part, x: Any) -> Any:
    """`nn.InstanceNorm`: over all axes but the batch and `axis`."""
    axis = part.a.axis % x.ndim
    axes = tuple(i for i in range(1, x.ndim) if i != axis)
    return _affine(part, normalized(x, axes, part.a.epsilon), axis)


def group_norm(part: Part, x: Any) -> Any:
    """`nn.GroupNorm`; scale and shift are by group in MXNet."""
    grouped = np.reshape(x, (x.shape[0], part.a.num_groups, -1))
    return np.reshape(_affine(part, normalized(grouped, (2,), part.a.epsilon), 1), x.shape)


NORMALIZATIONS: dict[str, Compute] = {
    "BatchNorm": batch_norm,
    "BatchNormReLU": lambda part, x: f.relu(batch_norm(part, x)),
    "LayerNorm": layer_norm,
    "InstanceNorm": instance_norm,
    "GroupNorm": group_norm,
}
"""Layer kind to computation."""
