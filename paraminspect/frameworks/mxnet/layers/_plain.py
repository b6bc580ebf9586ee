"""Layers without matrices: activations, pooling, dropout, flattening, padding; and PReLU."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError, ExpressionError
from paraminspect.frameworks._declare import Maker
from paraminspect.frameworks._inputs import expect_axes, per_axis
from paraminspect.frameworks.mxnet.layers._declare import ACTIVATION, initialized, layer
from paraminspect.frameworks.mxnet.layers._shapes import (
    join_channels,
    refuse_time_major,
    split_channels,
)
from paraminspect.tree.layers import Build, Layer, Spec, fixed, same_shape


def _elementwise(a: SimpleNamespace) -> Build:
    return fixed(output=same_shape)


def _leaky_relu(a: SimpleNamespace) -> Build:
    if a.alpha < 0:
        raise ExpressionError(f"alpha must be 0 or more, got {a.alpha}")
    return fixed(output=same_shape)


def _prelu(a: SimpleNamespace) -> Build:
    spec = Spec((a.in_channels,), initialized(a, "alpha_initializer", "alpha"))
    return fixed({"alpha": spec}, output=same_shape)


def _flattened(a: SimpleNamespace) -> Build:
    def output(shape: Shape) -> Shape:
        refuse_time_major(shape, "give the recurrent layer layout='NTC'")
        return (math.prod(shape),)

    return fixed(output=output)


def _pooled(ndim: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        window = per_axis(a.pool_size, ndim, "pool_size")
        strides = window if a.strides is None else per_axis(a.strides, ndim, "strides")
        padding = per_axis(a.padding, ndim, "padding")
        for name, p, k in zip(("padding",) * ndim, padding, window, strict=True):
            if p >= k:
                raise ExpressionError(f"{name} {p} must be smaller than pool_size {k}")

        def output(shape: Shape) -> Shape:
            expect_axes(shape, ndim + 1)
            channels, sizes = split_channels(shape, a.layout)
            after = []
            for n, k, s, p in zip(sizes, window, strides, padding, strict=True):
                if n + 2 * p < k:
                    raise DefinitionError(f"an input of {list(shape)} is too small for it")
                # Up to the window that begins last (`pooling_convention='full'`), or ends last.
                up = s - 1 if a.ceil_mode else 0
                after.append((n + 2 * p - k + up) // s + 1)
            return join_channels(channels, tuple(after), a.layout)

        return fixed(output=output)

    return make


def _pooled_whole(ndim: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        def output(shape: Shape) -> Shape:
            expect_axes(shape, ndim + 1)
            return join_channels(split_channels(shape, a.layout)[0], (1,) * ndim, a.layout)

        return fixed(output=output)

    return make


def _reflected(a: SimpleNamespace) -> Build:
    pairs = (0,) * 4 + (a.padding,) * 4 if isinstance(a.padding, int) else tuple(a.padding)
    if len(pairs) != 8 or any(pairs[:4]):
        raise ExpressionError(
            f"padding must be one number or 8, the first 4 of them 0, got {a.padding}"
        )

    def output(shape: Shape) -> Shape:
        expect_axes(shape, 3)
        channels, height, width = shape
        if max(pairs[4:6]) >= height or max(pairs[6:]) >= width:
            raise DefinitionError(f"an input of {list(shape)} is too small for its reflection")
        return (channels, height + pairs[4] + pairs[5], width + pairs[6] + pairs[7])

    return fixed(output=output)


LAYOUTS = {1: ("NCW", "NWC"), 2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}
"""The layouts of pooling by its number of axes; the first is the default."""


def _pools() -> Iterator[tuple[str, Callable[..., Layer]]]:
    for n, layouts in LAYOUTS.items():
        layout = f"layout: Literal{list(layouts)} = {layouts[0]!r}"
        window = 2 if n == 1 else (2,) * n
        sizes = f"pool_size: Sizes = {window}, strides: Sizes | None = None, padding: Counts = 0, "
        ceil = "ceil_mode: Flag = False"
        # MXNet is not of one mind about the order: MaxPool3D and AvgPool2D, 3D put the layout last.
        max_order = f"{ceil}, {layout}" if n == 3 else f"{layout}, {ceil}"
        average_order = f"{layout}, {ceil}" if n == 1 else f"{ceil}, {layout}"
        yield layer(f"MaxPool{n}D({sizes}{max_order}, **kwargs)", _pooled(n))
        yield layer(
            f"AvgPool{n}D({sizes}{average_order}, count_include_pad: Flag = True, **kwargs)",
            _pooled(n),
        )
        yield layer(f"GlobalMaxPool{n}D({layout}, **kwargs)", _pooled_whole(n))
        yield layer(f"GlobalAvgPool{n}D({layout}, **kwargs)", _pooled_whole(n))


PLAIN = dict(
    [
        layer(f"Activation(activation: {ACTIVATION}, **kwargs)", _elementwise),
        layer("LeakyReLU(alpha: Number, **kwargs)", _leaky_relu),
        layer(
            'PReLU(alpha_initializer=\'["constant", {"value": 0.25}]\', '
            "in_channels: Size = 1, **kwargs)",
            _prelu,
        ),
        layer("ELU(alpha: Number = 1.0, **kwargs)", _elementwise),
        layer("SELU(**kwargs)", _elementwise),
        layer("GELU(**kwargs)", _elementwise),
        layer("Swish(beta: Number = 1.0, **kwargs)", _elementwise),
        layer("Dropout(rate: Probability, axes: Counts = (), **kwargs)", _elementwise),
        layer("Flatten(**kwargs)", _flattened),
        layer("ReflectionPad2D(padding: Counts = 0, **kwargs)", _reflected),
        *_pools(),
    ]
)
"""Layer functions by name."""
