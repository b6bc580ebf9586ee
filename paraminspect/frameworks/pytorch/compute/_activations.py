"""Activations, dropout (off) and normalizations."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute import _functions as f
from paraminspect.compute._call import Call, Compute
from paraminspect.compute._steady import mean, normalized
from paraminspect.errors import ShapeError


def identity(call: Call, x: Any) -> Any:
    """What a dropout does outside of training, and `nn.Identity` always."""
    return x


def dropout(call: Call, x: Any) -> Any:
    """Off: in training it would need random numbers of a framework."""
    return x


def _of(function: Any, *arguments: str) -> Compute:
    """A layer that is a function of its input and some of its arguments."""
    return lambda call, x: function(x, *(getattr(call.a, name) for name in arguments))


def _axis(call: Call, x: Any) -> int:
    """The axis of `nn.Softmax(dim=None)`: torch takes 0 for 0, 1 and 3 axes, else 1."""
    if call.a.dim is not None:
        return int(call.a.dim)
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
    "RReLU": lambda call, x: f.leaky_relu(x, (call.a.lower + call.a.upper) / 2),
    "Sigmoid": _of(f.sigmoid),
    "LogSigmoid": _of(f.logsigmoid),
    "Tanh": _of(np.tanh),
    "Tanhshrink": lambda call, x: x - np.tanh(x),
    "SiLU": _of(f.silu),
    "Mish": _of(f.mish),
    "GELU": _of(f.gelu, "approximate"),
    "ELU": _of(f.elu, "alpha"),
    "CELU": _of(f.celu, "alpha"),
    "SELU": _of(f.selu),
    "Softplus": _of(f.softplus, "beta", "threshold"),
    "Softsign": lambda call, x: x / (1 + np.abs(x)),
    "Softshrink": _of(f.shrink, "lambd", "lambd"),
    "Hardshrink": lambda call, x: f.shrink(x, call.a.lambd, 0),
    "Hardsigmoid": _of(f.hardsigmoid),
    "Hardswish": _of(f.hardswish),
    "Hardtanh": lambda call, x: np.clip(x, call.a.min_val, call.a.max_val),
    "Threshold": _of(f.above, "threshold", "value"),
    "GLU": _of(f.gated, "dim"),
    "Softmax": lambda call, x: f.softmax(x, _axis(call, x)),
    "LogSoftmax": lambda call, x: f.log_softmax(x, _axis(call, x)),
    "Softmin": lambda call, x: f.softmax(-x, _axis(call, x)),
    "Softmax2d": lambda call, x: f.softmax(x, -3),
}
"""Layer kind to computation."""


def _scaled(y: Any, call: Call, channel_axes: int = 0) -> Any:
    """Weight * y + bias; `channel_axes` axes come after the channels."""
    for name in ("weight", "bias"):
        value = call.p.get(name)
        if value is not None:
            value = np.reshape(value, (*value.shape, *[1] * channel_axes))
            y = y * value if name == "weight" else y + value
    return y


def layer_norm(call: Call, x: Any) -> Any:
    """`nn.LayerNorm` [Ba 2016]."""
    shape = call.a.normalized_shape
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if x.shape[x.ndim - len(shape) :] != shape:
        raise ShapeError(f"expected the last axes to be {list(shape)}, got shape {list(x.shape)}")
    return _scaled(normalized(x, tuple(range(-len(shape), 0)), call.a.eps), call)


def rms_norm(call: Call, x: Any) -> Any:
    """`nn.RMSNorm`; without `eps` that of the dtype [Zhang & Sennrich 2019]."""
    shape = call.a.normalized_shape
    ndim = 1 if isinstance(shape, int) else len(shape)
    eps = numpy.finfo(x.dtype).eps if call.a.eps is None else call.a.eps
    square = mean(x * x, axis=tuple(range(-ndim, 0)), keepdims=True)
    return _scaled(x / np.sqrt(square + eps), call)


def group_norm(call: Call, x: Any) -> Any:
    """`nn.GroupNorm` [Wu & He 2018]."""
    grouped = np.reshape(x, (x.shape[0], call.a.num_groups, -1))
    y = np.reshape(normalized(grouped, (2,), call.a.eps), x.shape)
    return _scaled(y, call, x.ndim - 2)


def instance_norm(call: Call, x: Any) -> Any:
    """`nn.InstanceNorm`: the running statistics hold outside of training, if it keeps any."""
    if "running_mean" in call.p and not call.training:
        return _with_statistics(call, x, call.p["running_mean"], call.p["running_var"])
    return _scaled(normalized(x, tuple(range(2, x.ndim)), call.a.eps), call, x.ndim - 2)


def batch_norm(call: Call, x: Any) -> Any:
    """`nn.BatchNorm` [Ioffe & Szegedy 2015]; in training the running statistics are kept up."""
    if "running_mean" in call.p and not call.training:
        return _with_statistics(call, x, call.p["running_mean"], call.p["running_var"])
    axes = (0, *range(2, x.ndim))
    if call.training and "running_mean" in call.p:
        _keep_up(call, f.plain(x), axes)
    return _scaled(normalized(x, axes, call.a.eps), call, x.ndim - 2)


def _expect_axes(x: Any, *known: int) -> None:
    if x.ndim not in known:
        counts = " or ".join(map(str, known))
        raise ShapeError(f"expected {counts} axes, got shape {list(x.shape)}")


def _batch_norm_of(*known: int) -> Compute:
    """`batch_norm` of inputs with so many axes."""

    def compute(call: Call, x: Any) -> Any:
        _expect_axes(x, *known)
        return batch_norm(call, x)

    return compute


def _instance_norm_of(ndim: int) -> Compute:
    """`instance_norm` of `ndim` sizes; one example has no batch axis."""

    def compute(call: Call, x: Any) -> Any:
        _expect_axes(x, ndim + 1, ndim + 2)
        if x.ndim == ndim + 2:
            return instance_norm(call, x)
        return instance_norm(call, np.expand_dims(x, 0))[0]

    return compute


def _with_statistics(call: Call, x: Any, mean: Any, variance: Any) -> Any:
    shape = (-1, *[1] * (x.ndim - 2))
    y = (x - np.reshape(mean, shape)) / np.sqrt(np.reshape(variance, shape) + call.a.eps)
    return _scaled(y, call, x.ndim - 2)


def _keep_up(call: Call, x: Any, axes: tuple[int, ...]) -> None:
    """Move the running statistics by `momentum`; None averages over all batches so far."""
    batches = call.p["num_batches_tracked"] + 1
    momentum = 1 / float(batches) if call.a.momentum is None else call.a.momentum
    batch = {"running_mean": x.mean(axes), "running_var": x.var(axes, ddof=1)}
    for name, value in batch.items():
        call.update(name, ((1 - momentum) * call.p[name] + momentum * value).astype(x.dtype))
    call.update("num_batches_tracked", batches)


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
