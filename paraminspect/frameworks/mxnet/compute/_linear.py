"""Dense layers, embeddings, convolutions, pooling and activations of Gluon."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute import _functions as f
from paraminspect.compute._computation import Compute
from paraminspect.compute._expect import expect_channels, expect_last
from paraminspect.compute._layout import along, biased, channels_first
from paraminspect.compute._run import Part
from paraminspect.compute._windows import (
    convolve,
    convolve_transposed,
    first_maximum,
    flat_patches,
    padded,
    pooled_whole,
)
from paraminspect.errors import ShapeError, counted
from paraminspect.frameworks._inputs import per_axis

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": f.relu,
    "sigmoid": f.sigmoid,
    "tanh": lambda x: np.tanh(x),
    "softrelu": f.softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
}
"""`mx.nd.Activation`."""


def activated(part: Part, y: Any) -> Any:
    """`y` through the activation that the layer was given, if any."""
    return y if part.a.activation is None else ACTIVATIONS[part.a.activation](y)


def dense(part: Part, x: Any) -> Any:
    """X @ weight.T + bias, of the flattened input where `flatten` says so."""
    weight, bias = part.p["weight"], part.p.get("bias")
    if part.a.flatten:
        x = np.reshape(x, (x.shape[0], -1))
    expect_last(x, weight.shape[1], "in_units")
    y = np.matmul(x, weight.T)
    return activated(part, y if bias is None else y + bias)


def embedding(part: Part, x: Any) -> Any:
    """The rows of the weight that the indices choose; MXNet takes floats as indices too."""
    weight = part.p["weight"]
    indices = f.plain(x).astype(numpy.int64)
    outside = (indices < 0) | (indices >= weight.shape[0])
    if outside.any():
        wrong = indices[outside].flat[0]
        raise ShapeError(f"index {wrong} is not one of the {counted(weight.shape[0], 'row')}")
    return weight[indices]


def _is_last(layout: str) -> bool:
    return layout.endswith("C")


def convolutional(ndim: int, compute: Callable[[Any, Any, Any, int], Any]) -> Compute:
    """A layer that is `compute` of its arguments, `x` and the weight, channels first."""

    def layer(part: Part, x: Any) -> Any:
        is_last, weight = _is_last(part.a.layout), part.p["weight"]
        if is_last:
            weight = np.moveaxis(weight, -1, 1)

        def computed(x: Any) -> Any:
            return biased(compute(part.a, x, weight, ndim), part.p.get("bias"))

        return activated(part, channels_first(computed, x, is_last))

    return layer


def _convolution(a: Any, x: Any, weight: Any, ndim: int) -> Any:
    """`nn.Conv1D`, `nn.Conv2D` or `nn.Conv3D`."""
    expect_channels(x, weight.shape[1] * a.groups, ndim, is_last=_is_last(a.layout))
    names = ("strides", "padding", "dilation")
    strides, padding, dilation = (per_axis(getattr(a, n), ndim, n) for n in names)
    return convolve(x, weight, strides, [(p, p) for p in padding], dilation, a.groups)


def _transposed_convolution(a: Any, x: Any, weight: Any, ndim: int) -> Any:
    """`nn.Conv1DTranspose`, `nn.Conv2DTranspose` or `nn.Conv3DTranspose`."""
    expect_channels(x, weight.shape[0], ndim, is_last=_is_last(a.layout))
    names = ("strides", "padding", "output_padding", "dilation")
    strides, padding, extra, dilation = (per_axis(getattr(a, n), ndim, n) for n in names)
    pairs = [(p, p) for p in padding]
    return convolve_transposed(x, weight, strides, pairs, extra, dilation, a.groups)


def pooling(ndim: int, kind: str) -> Compute:
    """`nn.MaxPool` and `nn.AvgPool`; `ceil_mode` is MXNet's `pooling_convention='full'`."""

    def compute(part: Part, x: Any) -> Any:
        a = part.a
        window = per_axis(a.pool_size, ndim, "pool_size")
        strides = window if a.strides is None else per_axis(a.strides, ndim, "strides")
        padding = per_axis(a.padding, ndim, "padding")

        def pooled(x: Any) -> Any:
            pairs = [
                (p, p + (_missing(n + 2 * p, k, s) if a.ceil_mode else 0))
                for n, k, s, p in zip(x.shape[2:], window, strides, padding, strict=True)
            ]
            ones = (1,) * ndim
            if kind == "max":
                return first_maximum(
                    flat_patches(padded(x, pairs, -numpy.inf), window, strides, ones)
                )
            total = np.sum(flat_patches(padded(x, pairs), window, strides, ones), axis=-1)
            included = padding if a.count_include_pad else (0,) * ndim
            counted = padded(numpy.ones((1, 1, *x.shape[2:])), [(p, p) for p in included], 1.0)
            rest = [(b - p, e - p) for (b, e), p in zip(pairs, included, strict=True)]
            counts = numpy.sum(flat_patches(padded(counted, rest), window, strides, ones), axis=-1)
            return total / counts.astype(x.dtype)

        return channels_first(pooled, x, _is_last(a.layout))

    return compute


def _missing(n: int, window: int, stride: int) -> int:
    """Elements that the last window of the convention 'full' lacks."""
    return -(n - window) % stride


def global_pooling(ndim: int, kind: str) -> Compute:
    """`nn.GlobalMaxPool` and `nn.GlobalAvgPool`: sizes become 1."""

    def compute(part: Part, x: Any) -> Any:
        def pooled(x: Any) -> Any:
            return np.reshape(pooled_whole(x, kind), (*x.shape[:2], *(1,) * ndim))

        return channels_first(pooled, x, _is_last(part.a.layout))

    return compute


def prelu(part: Part, x: Any) -> Any:
    """X where it is positive, else alpha * x; alphas go along axis 1."""
    alpha = part.p["alpha"]
    return f.leaky_relu(x, along(alpha, 1, x.ndim) if alpha.shape[0] > 1 else alpha)


def reflection(part: Part, x: Any) -> Any:
    """`nn.ReflectionPad2D`."""
    sizes = part.a.padding
    flat = (0,) * 4 + (sizes,) * 4 if isinstance(sizes, int) else tuple(sizes)
    for axis, pair in ((2, flat[4:6]), (3, flat[6:8])):
        positions = numpy.pad(numpy.arange(x.shape[axis]), pair, "reflect")
        x = x[(*[slice(None)] * axis, positions)]
    return x


LINEAR: dict[str, Compute] = {
    "Dense": dense,
    "Embedding": embedding,
    "Activation": activated,
    "LeakyReLU": lambda part, x: f.leaky_relu(x, part.a.alpha),
    "PReLU": prelu,
    "ELU": lambda part, x: f.elu(x, part.a.alpha),
    "SELU": lambda part, x: f.selu(x),
    "GELU": lambda part, x: f.gelu(x),
    "Swish": lambda part, x: x * f.sigmoid(part.a.beta * x),
    "Dropout": lambda part, x: x,
    "Flatten": lambda part, x: np.reshape(x, (x.shape[0], -1)),
    "ReflectionPad2D": reflection,
    **{f"Conv{n}D": convolutional(n, _convolution) for n in (1, 2, 3)},
    **{f"Conv{n}DTranspose": convolutional(n, _transposed_convolution) for n in (1, 2, 3)},
    **{
        f"{scope}{name}Pool{n}D": make(n, kind)
        for scope, make in (("", pooling), ("Global", global_pooling))
        for name, kind in (("Max", "max"), ("Avg", "mean"))
        for n in (1, 2, 3)
    },
}
"""Layer kind to computation."""
