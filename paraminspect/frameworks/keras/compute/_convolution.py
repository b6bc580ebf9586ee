"""Convolutions and pooling; padding `same` is what TensorFlow makes of it."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute._computation import Compute
from paraminspect.compute._expect import expect_channels
from paraminspect.compute._layout import biased, channels_first
from paraminspect.compute._run import Part
from paraminspect.compute._windows import (
    Pairs,
    adapted,
    convolve,
    convolve_transposed,
    first_maximum,
    flat_patches,
    padded,
    pooled_whole,
)
from paraminspect.errors import ShapeError
from paraminspect.frameworks._inputs import per_axis
from paraminspect.frameworks.keras.compute._activations import activation_of

Sizes = tuple[int, ...]


def is_last(part: Part) -> bool:
    """Whether the channels are on the last axis, Keras's default."""
    return bool(part.a.data_format != "channels_first")


def same_pairs(sizes: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Pairs:
    """Padding so that every `stride`-th position has a window (`padding='same'`)."""
    pairs = []
    for n, k, s, d in zip(sizes, kernel, stride, dilation, strict=True):
        total = max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
        pairs.append((total // 2, total - total // 2))
    return pairs


def _pairs(padding: str, sizes: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Pairs:
    if padding == "same":
        return same_pairs(sizes, kernel, stride, dilation)
    if padding == "causal":
        return [(d * (k - 1), 0) for k, d in zip(kernel, dilation, strict=True)]
    return [(0, 0)] * len(kernel)


def weight_of(kernel: Any) -> Any:
    """`(*kernel, in, out)` as `(out, in, *kernel)`."""
    ndim = kernel.ndim - 2
    return np.transpose(kernel, (ndim + 1, ndim, *range(ndim)))


def _depthwise_weight(kernel: Any) -> Any:
    """`(*kernel, in, multiplier)` as `(in * multiplier, 1, *kernel)`."""
    ndim = kernel.ndim - 2
    ordered = np.transpose(kernel, (ndim, ndim + 1, *range(ndim)))
    return np.reshape(ordered, (-1, 1, *kernel.shape[:ndim]))


def convolved(part: Part, x: Any, weight: Any, groups: int) -> Any:
    """A convolution of `x`, channels first, with the geometry of the layer."""
    a, ndim = part.a, weight.ndim - 2
    expect_channels(x, weight.shape[1] * groups, ndim, is_last=is_last(part))
    strides, dilation = (
        per_axis(a.strides, ndim, "strides"),
        per_axis(a.dilation_rate, ndim, "dilation_rate"),
    )
    pairs = _pairs(a.padding, x.shape[2:], weight.shape[2:], strides, dilation)
    return convolve(x, weight, strides, pairs, dilation, groups)


def convolution(part: Part, x: Any) -> Any:
    """`Conv1D`, `Conv2D`, `Conv3D`."""
    weight = weight_of(part.p["kernel"])
    y = channels_first(
        lambda x: biased(convolved(part, x, weight, part.a.groups), part.p.get("bias")),
        x,
        is_last(part),
    )
    return activation_of(part.a.activation)(y)


def depthwise(part: Part, x: Any) -> Any:
    """`DepthwiseConv1D`, `DepthwiseConv2D`: each channel by itself."""
    kernel = part.p["kernel"]
    weight = _depthwise_weight(kernel)
    y = channels_first(
        lambda x: biased(convolved(part, x, weight, kernel.shape[-2]), part.p.get("bias")),
        x,
        is_last(part),
    )
    return activation_of(part.a.activation)(y)


def separable(part: Part, x: Any) -> Any:
    """`SeparableConv1D`, `SeparableConv2D`: each channel by itself, then a mixture of them."""
    kernel = part.p["depthwise_kernel"]
    weight, mixture = _depthwise_weight(kernel), weight_of(part.p["pointwise_kernel"])
    ndim = kernel.ndim - 2

    def both(x: Any) -> Any:
        y = convolved(part, x, weight, kernel.shape[-2])
        y = convolve(y, mixture, (1,) * ndim, [(0, 0)] * ndim, (1,) * ndim)
        return biased(y, part.p.get("bias"))

    return activation_of(part.a.activation)(channels_first(both, x, is_last(part)))


def transposed(part: Part, x: Any) -> Any:
    """`Conv1DTranspose`, `Conv2DTranspose`, `Conv3DTranspose`: what a convolution's gradient is."""
    a, kernel = part.a, part.p["kernel"]
    weight = weight_of(kernel)  # (*kernel, out, in) becomes (in, out, *kernel)
    ndim = kernel.ndim - 2
    strides, dilation = (
        per_axis(a.strides, ndim, "strides"),
        per_axis(a.dilation_rate, ndim, "dilation_rate"),
    )
    extra = (
        (None,) * ndim
        if a.output_padding is None
        else per_axis(a.output_padding, ndim, "output_padding")
    )

    def grown(x: Any) -> Any:
        expect_channels(x, weight.shape[0], ndim, is_last=is_last(part))
        axes = zip(x.shape[2:], weight.shape[2:], strides, dilation, extra, strict=True)
        pairs = [_crop(*axis, a.padding) for axis in axes]
        zeros = (0,) * ndim
        y = convolve_transposed(x, weight, strides, pairs, zeros, dilation)
        return biased(y, part.p.get("bias"))

    return activation_of(a.activation)(channels_first(grown, x, is_last(part)))


def _crop(
    n: int, kernel: int, stride: int, dilation: int, extra: int | None, padding: str
) -> tuple[int, int]:
    """What is cut off the full result at both ends; negative: zeros are added.

    The output's size is Keras's (`compute_conv_transpose_output_shape`); where it begins is where
    the padding of the convolution that it is the gradient of would.
    """
    reach = dilation * (kernel - 1) + 1
    full = (n - 1) * stride + reach
    if padding == "valid":
        return 0, -(max(reach, stride) - reach if extra is None else extra)
    size = n * stride if extra is None else (n - 1) * stride + reach % 2 + extra
    before = max(full - size, 0) // 2
    return before, full - before - size


def pooling(kind: str) -> Compute:
    """`MaxPooling` and `AveragePooling`; the padding of `same` does not count in an average."""

    def compute(part: Part, x: Any) -> Any:
        ndim = x.ndim - 2
        window = per_axis(part.a.pool_size, ndim, "pool_size")
        strides = window if part.a.strides is None else per_axis(part.a.strides, ndim, "strides")

        def pooled(x: Any) -> Any:
            ones = (1,) * ndim
            pairs = _pairs(part.a.padding, x.shape[2:], window, strides, ones)
            if kind == "max":
                patches = flat_patches(padded(x, pairs, -numpy.inf), window, strides, ones)
                return first_maximum(patches)
            total = np.sum(flat_patches(padded(x, pairs), window, strides, ones), axis=-1)
            inside = padded(numpy.ones((1, 1, *x.shape[2:]), x.dtype), pairs)
            return total / numpy.sum(flat_patches(inside, window, strides, ones), axis=-1)

        return channels_first(pooled, x, is_last(part))

    return compute


def global_pooling(kind: str) -> Compute:
    """`GlobalMaxPooling` and `GlobalAveragePooling`."""

    def compute(part: Part, x: Any) -> Any:
        if is_last(part):
            x = np.moveaxis(x, -1, 1)
        y = pooled_whole(x, kind)
        if not part.a.keepdims:
            return y
        y = np.reshape(y, (*x.shape[:2], *[1] * (x.ndim - 2)))
        return np.moveaxis(y, 1, -1) if is_last(part) else y

    return compute


def adaptive_pooling(kind: str) -> Compute:
    """`AdaptiveMaxPooling` and `AdaptiveAveragePooling`."""

    def compute(part: Part, x: Any) -> Any:
        wanted = per_axis(part.a.output_size, x.ndim - 2, "output_size")
        return channels_first(lambda x: adapted(x, wanted, kind), x, is_last(part))

    return compute


def _of_sizes(ndim: int, compute: Compute) -> Compute:
    """`compute` of inputs that have `ndim` sizes beside batch and channels."""

    def checked(part: Part, x: Any) -> Any:
        if x.ndim != ndim + 2:
            raise ShapeError(f"expected {ndim + 2} axes, got shape {list(x.shape)}")
        return compute(part, x)

    return checked


CONVOLUTIONS: dict[str, Compute] = {
    **{f"Conv{n}D": convolution for n in (1, 2, 3)},
    **{f"Conv{n}DTranspose": transposed for n in (1, 2, 3)},
    **{f"DepthwiseConv{n}D": depthwise for n in (1, 2)},
    **{f"SeparableConv{n}D": separable for n in (1, 2)},
    **{
        f"{scope}{name}Pooling{n}D": make(kind) if scope == "Adaptive" else _of_sizes(n, make(kind))
        for scope, make in (
            ("", pooling),
            ("Global", global_pooling),
            ("Adaptive", adaptive_pooling),
        )
        for name, kind in (("Max", "max"), ("Average", "mean"))
        for n in (1, 2, 3)
    },
}
"""Layer kind to computation."""
