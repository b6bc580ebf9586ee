"""Activations, dropout (off) and normalizations."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute import _functions as f
from paraminspect.compute._computation import Compute
from paraminspect.compute._run import Part
from paraminspect.compute._steady import mean, normalized
from paraminspect.errors import ShapeError


def identity(part: Part, x: Any) -> Any:
    """What a dropout does outside of training, and `nn.Identity` always."""
    return x


def dropout(part: Part, x: Any) -> Any:
    """Off: in training it would need random numbers of a framework."""
    return x


def _of(function: Any, *arguments: str) -> Compute:
    """A layer that is a function of its input and some of its arguments."""
    return lambda part, x: function(x, *(getattr(part.a, name) for name in arguments))


def _axis(part: Part, x: Any) -> int:
    """The axis of `nn.Softmax(dim=None)`: torch takes 0 for 0, 1 and 3 axes, else 1."""
    if part.a.dim is not None:
        return int(part.a.dim)
    return 0 if x.ndim in (0, 1, 3) else 1


ACTIVATIONS: dict[str, Compute] = {
    "Identity": identity,
    **dict.fromkeys(
        ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"),
        dropout,
    ),
    "ReLU": _of(f.relu),
    "ReLU6": _of(f.relu6),
    "LeakyReLU": _of(f.leaky_relu, "negative_slope"),
    "RReLU": lambda part, x: f.leaky_relu(x, (part.a.lower + part.a.upper) / 2),
    "Sigmoid": _of(f.sigmoid),
    "LogSigmoid": _of(f.logsigmoid),
    "Tanh": _of(np.tanh),
    "Tanhshrink": lambda part, x: x - np.tanh(x),
    "SiLU": _of(f.silu),
    "Mish": _of(f.mish),
    "GELU": _of(f.gelu, "approximate"),
    "ELU": _of(f.elu, "alpha"),
    "CELU": _of(f.celu, "alpha"),
    "SELU": _of(f.selu),
    "Softplus": _of(f.softplus, "beta", "threshold"),
    "Softsign": lambda part, x: x / (1 + np.abs(x)),
    "Softshrink": _of(f.shrink, "lambd", "lambd"),
    "Hardshrink": lambda part, x: f.shrink(x, part.a.lambd, 0),
    "Hardsigmoid": _of(f.hardsigmoid),
    "Hardswish": _of(f.hardswish),
    "Hardtanh": lambda part, x: np.clip(x, part.a.min_val, part.a.max_val),
    "Threshold": _of(f.above, "threshold", "value"),
    "GLU": _of(f.gated, "dim"),
    "Softmax": lambda part, x: f.softmax(x, _axis(part, x)),
    "LogSoftmax": lambda part, x: f.log_softmax(x, _axis(part, x)),
    "Softmin": lambda part, x: f.softmax(-x, _axis(part, x)),
    "Softmax2d": lambda part, x: f.softmax(x, -3),
}
"""Layer kind to computation."""


def _scaled(y: Any, part: Part, channel_axes: int = 0) -> Any:
    """Weight * y + bias; `channel_axes` axes come after the channels."""
    for name in ("weight", "bias"):
        value = part.p.get(name)
        if value is not None:
            value = np.reshape(value, (*value.shape, *[1] * channel_axes))
            y = y * value if name == "weight" else y + value
    return y


def layer_norm(part: Part, x: Any) -> Any:
    """`nn.LayerNorm` [Ba 2016]."""
    shape = part.a.normalized_shape
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if x.shape[x.ndim - len(shape) :] != shape:
        raise ShapeError(f"expected the last axes to be {list(shape)}, got shape {list(x.shape)}")
    return _scaled(normalized(x, tuple(range(-len(shape), 0)), part.a.eps), part)


def rms_norm(part: Part, x: Any) -> Any:
    """`nn.RMSNorm`; without `eps` that of the dtype [Zhang & Sennrich 2019]."""
    shape = part.a.normalized_shape
    ndim = 1 if isinstance(shape, int) else len(shape)
    eps = numpy.finfo(x.dtype).eps if part.a.eps is None else part.a.eps
    square = mean(x * x, axis=tuple(range(-ndim, 0)), keepdims=True)
    return _scaled(x / np.sqrt(square + eps), part)


def group_norm(part: Part, x: Any) -> Any:
    """`nn.GroupNorm` [Wu & He 2018]."""
    grouped = np.reshape(x, (x.shape[0], part.a.num_groups, -1))
    y = np.reshape(normalized(grouped, (2,), part.a.eps), x.shape)
    return _scaled(y, part, x.ndim - 2)


def instance_norm(part: Part, x: Any) -> Any:
    """`nn.InstanceNorm`: the running statistics hold outside of training, if it keeps any."""
    if "running_mean" in part.p and not part.training:
        return _with_statistics(part, x, part.p["running_mean"], part.p["running_var"])
    return _scaled(normalized(x, tuple(range(2, x.ndim)), part.a.eps), part, x.ndim - 2)


def batch_norm(part: Part, x: Any) -> Any:
    """`nn.BatchNorm` [Ioffe & Szegedy 2015]; in training the running statistics are kept up."""
    if "running_mean" in part.p and not part.training:
        return _with_statistics(part, x, part.p["running_mean"], part.p["running_var"])
    axes = (0, *range(2, x.ndim))
    if part.training and "running_mean" in part.p:
        _keep_up(part, f.plain(x), axes)
    return _scaled(normalized(x, axes, part.a.eps), part, x.ndim - 2)


def _expect_axes(x: Any, *known: int) -> None:
    if x.ndim not in known:
        counts = " or ".join(map(str, known))
        raise ShapeError(f"expected {counts} axes, got shape {list(x.shape)}")


def _batch_norm_of(*known: int) -> Compute:
    """`batch_norm` of inputs with so many axes."""

    def compute(part: Part, x: Any) -> Any:
        _expect_axes(x, *known)
        return batch_norm(part, x)

    return compute


def _instance_norm_of(ndim: int) -> Compute:
    """`instance_norm` of `ndim` sizes; one example has no batch axis."""

    def compute(part: Part, x: Any) -> Any:
        _expect_axes(x, ndim + 1, ndim + 2)
        if x.ndim == ndim + 2:
            return instance_norm(part, x)
        return instance_norm(part, np.expand_dims(x, 0))[0]

    return compute


def _with_statistics(part: Part, x: Any, mean: Any, variance: Any) -> Any:
    shape = (-1, *[1] * (x.ndim - 2))
    y = (x - np.reshape(mean, shape)) / np.sqrt(np.reshape(variance, shape) + part.a.eps)
    return _scaled(y, part, x.ndim - 2)


def _keep_up(part: Part, x: Any, axes: tuple[int, ...]) -> None:
    """Move the running statistics by `momentum`; None averages over all batches so far."""
    batches = part.p["num_batches_tracked"] + 1
    momentum = 1 / float(batches) if part.a.momentum is None else part.a.momentum
    batch = {"running_mean": x.mean(axes), "running_var": x.var(axes, ddof=1)}
    for name, value in batch.items():
        part.update(name, ((1 - momentum) * part.p[name] + momentum * value).astype(x.dtype))
    part.update("num_batches_tracked", batches)


NORMALIZATIONS: dict[str, Compute] = {
    "LayerNorm": layer_norm,
    "RMSNorm": rms_norm,
    "GroupNorm": group_norm,
    "SyncBatchNorm": batch_norm,
    **{
        f"{lazy}BatchNorm{n}d": _batch_norm_of(*((2, 3) if n == 1 else (n + 2,)))
        for lazy in ("", "Lazy")
        for n in (1, 2, 3)
    },
    **{f"{lazy}InstanceNorm{n}d": _instance_norm_of(n) for lazy in ("", "Lazy") for n in (1, 2, 3)},
}
"""Layer kind to computation."""
