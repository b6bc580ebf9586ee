"""Convolutions, pooling and padding."""

from __future__ import annotations

from typing import Any, Literal

import autograd.numpy as np
import numpy

from paraminspect.compute._computation import Compute
from paraminspect.compute._expect import expect_channels
from paraminspect.compute._layout import biased
from paraminspect.compute._run import Part
from paraminspect.compute._windows import (
    adapted,
    convolve,
    convolve_transposed,
    first_maximum,
    flat_patches,
    padded,
)
from paraminspect.frameworks._inputs import per_axis


def convolution(ndim: int) -> Compute:
    """`nn.Conv1d`, `nn.Conv2d` or `nn.Conv3d`."""

    def compute(part: Part, x: Any) -> Any:
        a, weight, bias = part.a, part.p["weight"], part.p.get("bias")
        x, batched = _with_batch(x, ndim)
        expect_channels(x, weight.shape[1] * a.groups, ndim)
        stride, dilation = (
            per_axis(a.stride, ndim, "stride"),
            per_axis(a.dilation, ndim, "dilation"),
        )
        pairs = _padding(a.padding, weight.shape[2:], dilation)
        if a.padding_mode != "zeros":
            x, pairs = _padded_by_mode(x, pairs, a.padding_mode), [(0, 0)] * ndim
        y = convolve(x, weight, stride, pairs, dilation, a.groups)
        return _without_batch(biased(y, bias), batched)

    return compute


def _padding(
    padding: Any, kernel: tuple[int, ...], dilation: tuple[int, ...]
) -> list[tuple[int, int]]:
    if padding == "valid":
        return [(0, 0)] * len(kernel)
    if padding == "same":
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return [(total // 2, total - total // 2) for total in totals]
    return [(p, p) for p in per_axis(padding, len(kernel), "padding")]


_MODES: dict[str, Literal["reflect", "edge", "wrap"]] = {
    "reflect": "reflect",
    "replicate": "edge",
    "circular": "wrap",
}


def _padded_by_mode(x: Any, pairs: list[tuple[int, int]], mode: str) -> Any:
    """Padding with what is there: positions are chosen by padding their numbers."""
    for axis, (before, after) in enumerate(pairs, x.ndim - len(pairs)):
        if before or after:
            positions = numpy.pad(numpy.arange(x.shape[axis]), (before, after), _MODES[mode])
            x = x[(*[slice(None)] * axis, positions)]
    return x


def transposed_convolution(ndim: int) -> Compute:
    """`nn.ConvTranspose1d`, `nn.ConvTranspose2d` or `nn.ConvTranspose3d`."""

    def compute(part: Part, x: Any) -> Any:
        a, weight, bias = part.a, part.p["weight"], part.p.get("bias")
        x, batched = _with_batch(x, ndim)
        expect_channels(x, weight.shape[0], ndim)
        names = ("stride", "padding", "output_padding", "dilation")
        stride, padding, extra, dilation = (per_axis(getattr(a, n), ndim, n) for n in names)
        pairs = [(p, p) for p in padding]
        y = convolve_transposed(x, weight, stride, pairs, extra, dilation, a.groups)
        return _without_batch(biased(y, bias), batched)

    return compute


def _with_batch(x: Any, ndim: int) -> tuple[Any, bool]:
    """PyTorch takes one example without its batch axis too."""
    return (x, True) if x.ndim != ndim + 1 else (np.expand_dims(x, 0), False)


def _without_batch(y: Any, batched: bool) -> Any:
    return y if batched else y[0]


def pooling(ndim: int, kind: str) -> Compute:
    """`nn.MaxPool`, `nn.AvgPool` or `nn.LPPool` of any number of axes."""

    def compute(part: Part, x: Any) -> Any:
        a = part.a
        kernel = per_axis(a.kernel_size, ndim, "kernel_size")
        stride = kernel if a.stride is None else per_axis(a.stride, ndim, "stride")
        padding = per_axis(getattr(a, "padding", 0), ndim, "padding")
        dilation = per_axis(getattr(a, "dilation", 1), ndim, "dilation")
        x, batched = _with_batch(x, ndim)
        pairs = [
            (p, p + _ceiling(n, p, k, s, d) if a.ceil_mode else p)
            for n, p, k, s, d in zip(x.shape[2:], padding, kernel, stride, dilation, strict=True)
        ]
        empty = -numpy.inf if kind == "max" else 0.0
        patches = flat_patches(padded(x, pairs, empty), kernel, stride, dilation)
        if kind == "max":
            y = first_maximum(patches)
        elif kind == "power":
            y = np.sum(patches**a.norm_type, axis=-1) ** (1 / a.norm_type)
        else:
            y = np.sum(patches, axis=-1) / _divisor(a, x, padding, pairs, kernel, stride)
        return _without_batch(y, batched)

    return compute


def _ceiling(n: int, padding: int, kernel: int, stride: int, dilation: int) -> int:
    """Elements that `ceil_mode` adds at the end; the last window begins inside the input."""
    reach = dilation * (kernel - 1) + 1
    count = -(-(n + 2 * padding - reach) // stride) + 1
    if (count - 1) * stride >= n + padding:
        count -= 1
    return max(0, (count - 1) * stride + reach - n - 2 * padding)


def _divisor(
    a: Any,
    x: Any,
    padding: tuple[int, ...],
    pairs: list[tuple[int, int]],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
) -> Any:
    """Elements that each window averages: padding counts, what `ceil_mode` adds does not."""
    if getattr(a, "divisor_override", None):
        return a.divisor_override
    ones = numpy.ones((1, 1, *x.shape[2:]), x.dtype)
    included = [(p, p) for p in padding] if a.count_include_pad else [(0, 0)] * len(padding)
    counted = padded(
        padded(ones, included, 1.0),
        [
            (before - a_, after - b_)
            for (before, after), (a_, b_) in zip(pairs, included, strict=True)
        ],
    )
    return numpy.sum(flat_patches(counted, kernel, stride, (1,) * len(kernel)), axis=-1)


def adaptive_pooling(ndim: int, kind: str) -> Compute:
    """`nn.AdaptiveAvgPool` and `nn.AdaptiveMaxPool`."""

    def compute(part: Part, x: Any) -> Any:
        size = part.a.output_size
        return adapted(x, size if isinstance(size, tuple) else (size,) * ndim, kind)

    return compute


def padding_layer(ndim: int, mode: str) -> Compute:
    """`nn.ZeroPad`, `nn.ConstantPad`, `nn.ReflectionPad`, ...; torch counts axes from the last."""

    def compute(part: Part, x: Any) -> Any:
        sizes = per_axis(part.a.padding, 2 * ndim, "padding")
        pairs = list(zip(sizes[::2], sizes[1::2], strict=True))[::-1]
        if mode == "constant":
            return padded(x, pairs, getattr(part.a, "value", 0.0))
        return _padded_by_mode(x, pairs, mode)

    return compute


CONVOLUTIONS: dict[str, Compute] = {
    **{
        f"{lazy}{kind}{n}d": make(n)
        for lazy in ("", "Lazy")
        for kind, make in (("Conv", convolution), ("ConvTranspose", transposed_convolution))
        for n in (1, 2, 3)
    },
    **{
        f"{name}{n}d": make(n, kind)
        for name, make, kind in (
            ("MaxPool", pooling, "max"),
            ("AvgPool", pooling, "mean"),
            ("LPPool", pooling, "power"),
            ("AdaptiveMaxPool", adaptive_pooling, "max"),
            ("AdaptiveAvgPool", adaptive_pooling, "mean"),
            ("ZeroPad", padding_layer, "constant"),
            ("ConstantPad", padding_layer, "constant"),
            ("ReflectionPad", padding_layer, "reflect"),
            ("ReplicationPad", padding_layer, "replicate"),
            ("CircularPad", padding_layer, "circular"),
        )
        for n in (1, 2, 3)
    },
}
"""Layer kind to computation."""
