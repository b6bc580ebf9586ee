"""Convolutions of one to three axes: plain, transposed, depthwise and separable."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError, ExpressionError, counted
from paraminspect.frameworks._declare import Maker
from paraminspect.frameworks.keras.layers._declare import layer, weight
from paraminspect.frameworks.keras.layers._shapes import (
    data_format_of,
    join_channels,
    known,
    padding_of,
    per_axis,
    split_channels,
    windows,
)
from paraminspect.tree.layers import Build, Built, Spec


def geometry(a: SimpleNamespace, ndim: int) -> SimpleNamespace:
    """Kernel, strides, dilation and padding of a convolution, one number for each axis."""
    padding = ("valid", "same", "causal") if a.kind == "Conv1D" else ("valid", "same")
    return SimpleNamespace(
        kernel=per_axis(a.kind, "kernel_size", a.kernel_size, ndim),
        strides=per_axis(a.kind, "strides", a.strides, ndim),
        dilation=per_axis(a.kind, "dilation_rate", a.dilation_rate, ndim),
        padding=padding_of(a.kind, a.padding, padding),
        data_format=data_format_of(a.kind, a.data_format),
    )


def refuse_strided_dilation(a: SimpleNamespace, g: SimpleNamespace) -> None:
    """Keras has no convolution that is both strided and dilated."""
    if max(g.strides) > 1 and max(g.dilation) > 1:
        raise ExpressionError(f"{a.kind}: strides and dilation_rate cannot both be over 1")


def convolved(kind: str, g: SimpleNamespace, shape: Shape, filters: int) -> Shape:
    """The output shape of a convolution."""
    sizes, _ = split_channels(shape, g.data_format)
    extents = tuple(d * (k - 1) + 1 for k, d in zip(g.kernel, g.dilation, strict=True))
    return join_channels(
        windows(kind, sizes, extents, g.strides, g.padding), filters, g.data_format
    )


def _convolution(ndim: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        g = geometry(a, ndim)
        refuse_strided_dilation(a, g)
        if a.filters % a.groups:
            raise ExpressionError(
                f"{a.kind}: filters {a.filters} must be divisible by groups {a.groups}"
            )

        def build(shape: Shape | None) -> Built:
            shape = known(a.kind, shape, ndim + 1)
            _, channels = split_channels(shape, g.data_format)
            if channels % a.groups:
                raise DefinitionError(
                    f"{a.kind}: the {counted(channels, 'channel')} of its input"
                    f" {list(shape)} must be divisible by groups {a.groups}"
                )
            kernel = (*g.kernel, channels // a.groups, a.filters)
            specs = {"kernel": weight(a, kernel, "kernel_initializer"), **_bias(a, a.filters)}
            return Built(specs, output=convolved(a.kind, g, shape, a.filters))

        return build

    return make


def _bias(a: SimpleNamespace, channels: int) -> dict[str, Spec]:
    return {"bias": weight(a, (channels,), "bias_initializer")} if a.use_bias else {}


def _transposed(ndim: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        g = geometry(a, ndim)
        refuse_strided_dilation(a, g)
        extra: tuple[int | None, ...] = (None,) * ndim
        if a.output_padding is not None:
            extra = per_axis(a.kind, "output_padding", a.output_padding, ndim, 0)
            if any(p is not None and p >= s for p, s in zip(extra, g.strides, strict=True)):
                raise ExpressionError(f"{a.kind}: output_padding must be smaller than strides")

        def build(shape: Shape | None) -> Built:
            shape = known(a.kind, shape, ndim + 1)
            sizes, channels = split_channels(shape, g.data_format)
            kernel = (*g.kernel, a.filters, channels)
            axes = zip(sizes, g.kernel, g.strides, g.dilation, extra, strict=True)
            grown = tuple(_grown(*axis, g.padding) for axis in axes)
            specs = {"kernel": weight(a, kernel, "kernel_initializer"), **_bias(a, a.filters)}
            return Built(specs, output=join_channels(grown, a.filters, g.data_format))

        return build

    return make


def _grown(
    size: int, kernel: int, stride: int, dilation: int, extra: int | None, padding: str
) -> int:
    """Size after a transposed convolution (`keras.src.backend.common.backend_utils`)."""
    kernel = (kernel - 1) * dilation + 1
    if padding == "valid":
        extra = max(kernel, stride) - kernel if extra is None else extra
        return (size - 1) * stride + kernel + extra
    return size * stride if extra is None else (size - 1) * stride + kernel % 2 + extra


def _by_channel(
    ndim: int, specs_of: Callable[[SimpleNamespace, Shape, int], tuple[dict[str, Spec], int]]
) -> Maker:
    """`specs_of` gives parameters and filters from arguments, kernel sizes and channels."""

    def make(a: SimpleNamespace) -> Build:
        g = geometry(a, ndim)

        def build(shape: Shape | None) -> Built:
            shape = known(a.kind, shape, ndim + 1)
            _, channels = split_channels(shape, g.data_format)
            specs, filters = specs_of(a, g.kernel, channels)
            return Built(
                {**specs, **_bias(a, filters)}, output=convolved(a.kind, g, shape, filters)
            )

        return build

    return make


def _depthwise(a: SimpleNamespace, sizes: Shape, channels: int) -> tuple[dict[str, Spec], int]:
    kernel = weight(a, (*sizes, channels, a.depth_multiplier), "depthwise_initializer")
    return {"kernel": kernel}, channels * a.depth_multiplier


def _separable(a: SimpleNamespace, sizes: Shape, channels: int) -> tuple[dict[str, Spec], int]:
    depthwise = (*sizes, channels, a.depth_multiplier)
    pointwise = (*(1,) * len(sizes), channels * a.depth_multiplier, a.filters)
    specs: dict[str, Spec] = {
        "depthwise_kernel": weight(a, depthwise, "depthwise_initializer"),
        "pointwise_kernel": weight(a, pointwise, "pointwise_initializer"),
    }
    return specs, a.filters


def _signature(name: str, ndim: int, middle: str, kernels: tuple[str, ...]) -> str:
    """`middle` is what stands between the strides and the activation."""
    one = 1 if ndim == 1 else (1,) * ndim
    initializers = "".join(f"{k}_initializer='glorot_uniform', " for k in kernels)
    regularizers = "".join(f"{k}_regularizer=None, " for k in kernels)
    constraints = "".join(f"{k}_constraint=None, " for k in kernels)
    filters = "" if name.startswith("Depthwise") else "filters: Size, "
    return (
        f"{name}({filters}kernel_size, strides={one}, padding='valid', "
        f"{middle.format(one=one)}activation=None, use_bias: Flag = True, "
        f"{initializers}bias_initializer='zeros', {regularizers}bias_regularizer=None, "
        f"activity_regularizer=None, {constraints}bias_constraint=None, **kwargs)"
    )


_PLAIN = "data_format=None, dilation_rate={one}, groups: Size = 1, "
_TRANSPOSED = "output_padding=None, data_format=None, dilation_rate={one}, "
_TRANSPOSED_3D = "data_format=None, output_padding=None, dilation_rate={one}, "
_DEPTHWISE = "depth_multiplier: Size = 1, data_format=None, dilation_rate={one}, "
_SEPARABLE = "data_format=None, dilation_rate={one}, depth_multiplier: Size = 1, "
_TWO = ("depthwise", "pointwise")

CONVOLUTIONS = dict(
    [
        *(
            layer(_signature(f"Conv{n}D", n, _PLAIN, ("kernel",)), _convolution(n))
            for n in (1, 2, 3)
        ),
        *(
            layer(
                _signature(
                    f"Conv{n}DTranspose", n, _TRANSPOSED_3D if n == 3 else _TRANSPOSED, ("kernel",)
                ),
                _transposed(n),
            )
            for n in (1, 2, 3)
        ),
        *(
            layer(
                _signature(f"DepthwiseConv{n}D", n, _DEPTHWISE, ("depthwise",)),
                _by_channel(n, _depthwise),
            )
            for n in (1, 2)
        ),
        *(
            layer(_signature(f"SeparableConv{n}D", n, _SEPARABLE, _TWO), _by_channel(n, _separable))
            for n in (1, 2)
        ),
    ]
)
"""Layer functions by name."""
