"""Normalizations of Gluon. A scale or shift that is switched off is not trained, but applied."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np

from paraminspect.compute import _functions as f
from paraminspect.compute._call import Call, Compute
from paraminspect.compute._layout import along
from paraminspect.compute._steady import normalized


def _affine(call: Call, y: Any, axis: int) -> Any:
    return y * along(call.p["gamma"], axis, y.ndim) + along(call.p["beta"], axis, y.ndim)


def batch_norm(call: Call, x: Any) -> Any:
    """`nn.BatchNorm`: the batch's statistics in training, the running ones otherwise."""
    a = call.a
    axis = a.axis % x.ndim
    axes = tuple(i for i in range(x.ndim) if i != axis)
    if not call.training or a.use_global_stats:
        mean, variance = (along(call.p[n], axis, x.ndim) for n in ("running_mean", "running_var"))
        return _rescaled(call, (x - mean) / np.sqrt(variance + a.epsilon), axis)
    batch = f.plain(x)
    for name, value in (("running_mean", batch.mean(axes)), ("running_var", batch.var(axes))):
        kept = a.momentum * call.p[name] + (1 - a.momentum) * value
        call.update(name, kept.astype(call.p[name].dtype))
    return _rescaled(call, normalized(x, axes, a.epsilon), axis)


def _rescaled(call: Call, y: Any, axis: int) -> Any:
    """Only here a scale that is switched off counts as 1 (`fix_gamma`)."""
    if call.a.scale:
        return _affine(call, y, axis)
    return y + along(call.p["beta"], axis, y.ndim)


def layer_norm(call: Call, x: Any) -> Any:
    """`nn.LayerNorm` along one axis."""
    axis = call.a.axis % x.ndim
    return _affine(call, normalized(x, (axis,), call.a.epsilon), axis)


def instance_norm(call: Call, x: Any) -> Any:
    """`nn.InstanceNorm`: over all axes but the batch and `axis`."""
    axis = call.a.axis % x.ndim
    axes = tuple(i for i in range(1, x.ndim) if i != axis)
    return _affine(call, normalized(x, axes, call.a.epsilon), axis)


def group_norm(call: Call, x: Any) -> Any:
    """`nn.GroupNorm`; scale and shift are by group in MXNet."""
    grouped = np.reshape(x, (x.shape[0], call.a.num_groups, -1))
    return np.reshape(_affine(call, normalized(grouped, (2,), call.a.epsilon), 1), x.shape)


NORMALIZATIONS: dict[str, Compute] = {
    "BatchNorm": batch_norm,
    "BatchNormReLU": lambda call, x: f.relu(batch_norm(call, x)),
    "LayerNorm": layer_norm,
    "InstanceNorm": instance_norm,
    "GroupNorm": group_norm,
}
"""Layer kind to computation."""
