"""Convolutions of one to three axes, plain and transposed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError, ExpressionError, counted
from paraminspect.frameworks._declare import Maker
from paraminspect.frameworks._inputs import expect_axes, per_axis
from paraminspect.frameworks.mxnet.layers._declare import (
    ACTIVATION,
    Deferred,
    initialized,
    known_fans,
    layer,
)
from paraminspect.frameworks.mxnet.layers._shapes import join_channels, split_channels
from paraminspect.tree.layers import Build, Built, Layer, Spec, UnknownInputError

LAYOUTS = {1: ("NCW",), 2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}
"""The layouts of a convolution by its number of axes; the first is the default."""


def _convolution(ndim: int, transposed: bool) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        kernel = per_axis(a.kernel_size, ndim, "kernel_size")
        sizes_after = (_grown if transposed else _shrunk)(a, kernel)
        weight_scheme = initialized(a, "weight_initializer", "weight")
        is_own = a.weight_initializer is not None
        bias = Spec((a.channels,), initialized(a, "bias_initializer", "bias"))
        kind = Spec if a.in_channels else Deferred
        _check_groups(a, "channels", a.channels)
        _check_groups(a, "in_channels", a.in_channels)
        if transposed and a.groups > 1 and not a.in_channels:
            raise ExpressionError("MXNet cannot tell the in_channels of a transposed convolution")

        def build(shape: Shape | None) -> Built:
            in_channels, output = _traced(a, ndim, shape, sizes_after)
            first, second = a.channels, in_channels
            if transposed:
                first, second = second, first
            whole = (first, *join_channels(second // a.groups, kernel, a.layout))
            layout = "out_in" if a.layout[1] == "C" else None
            weight = kind(whole, weight_scheme, known_fans(whole), layout, own_scheme=is_own)
            specs = {"weight": weight}
            if a.use_bias:
                specs["bias"] = bias
            return Built(specs, output=output)

        return build

    return make


def _traced(
    a: SimpleNamespace, ndim: int, shape: Shape | None, sizes_after: Callable[[Shape], Shape]
) -> tuple[int, Shape | None]:
    """The number of channels that come in, and the shape that goes out."""
    if shape is None:
        if not a.in_channels:
            raise UnknownInputError("a convolution without in_channels")
        return a.in_channels, None
    expect_axes(shape, ndim + 1)
    channels, sizes = split_channels(shape, a.layout)
    if a.in_channels and channels != a.in_channels:
        raise DefinitionError(
            f"expected an input of {counted(a.in_channels, 'channel')}, got {list(shape)}"
        )
    _check_groups(a, "in_channels", channels)
    after = sizes_after(sizes)
    if min(after) < 1:
        raise DefinitionError(f"an input of {list(shape)} is too small for it")
    return channels, join_channels(a.channels, after, a.layout)


def _check_groups(a: SimpleNamespace, name: str, channels: int) -> None:
    if channels % a.groups:
        raise ExpressionError(f"{name} {channels} must be divisible by groups {a.groups}")


def _shrunk(a: SimpleNamespace, kernel: Shape) -> Callable[[Shape], Shape]:
    """Sizes after a convolution (`mxnet.gluon.nn.Conv2D`, out_height)."""
    values = [per_axis(getattr(a, n), len(kernel), n) for n in ("padding", "dilation", "strides")]

    def sizes_after(sizes: Shape) -> Shape:
        axes = zip(sizes, kernel, *values, strict=True)
        return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, p, d, s in axes)

    return sizes_after


def _grown(a: SimpleNamespace, kernel: Shape) -> Callable[[Shape], Shape]:
    """Sizes after a transposed convolution (`mxnet.gluon.nn.Conv2DTranspose`, out_height)."""
    names = ("padding", "dilation", "strides", "output_padding")
    values = [per_axis(getattr(a, name), len(kernel), name) for name in names]
    for extra, stride in zip(values[3], values[2], strict=True):
        if extra >= stride:
            raise ExpressionError(f"output_padding {extra} must be smaller than strides {stride}")

    def sizes_after(sizes: Shape) -> Shape:
        axes = zip(sizes, kernel, *values, strict=True)
        return tuple((n - 1) * s - 2 * p + d * (k - 1) + e + 1 for n, k, p, d, s, e in axes)

    return sizes_after


def _declarations() -> Iterator[tuple[str, Callable[..., Layer]]]:
    for n, layouts in LAYOUTS.items():
        ones, zeros = (1, 0) if n == 1 else ((1,) * n, (0,) * n)
        for transposed in (False, True):
            extra = f"output_padding: Counts = {zeros}, " if transposed else ""
            yield layer(
                f"Conv{n}D{'Transpose' if transposed else ''}(channels: Size, kernel_size: Sizes, "
                f"strides: Sizes = {ones}, padding: Counts = {zeros}, {extra}"
                f"dilation: Sizes = {ones}, groups: Size = 1, "
                f"layout: Literal{list(layouts)} = {layouts[0]!r}, "
                f"activation: {ACTIVATION} | None = None, use_bias: Flag = True, "
                "weight_initializer=None, bias_initializer='zeros', in_channels: Count = 0, "
                "**kwargs)",
                _convolution(n, transposed),
            )


CONVOLUTIONS = dict(_declarations())
"""Layer functions by name."""
