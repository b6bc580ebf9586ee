"""Convolutions of one to three axes, plain, transposed and lazy."""

from __future__ import annotations

from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError, ExpressionError
from paraminspect.frameworks._declare import Maker, declare
from paraminspect.frameworks.pytorch._linear import FACTORY, KAIMING, dtype_of, weight, within
from paraminspect.layers import Build, Built, Spec, fixed


def per_axis(value: int | tuple[int, ...], ndim: int, name: str) -> tuple[int, ...]:
    """One number for each of `ndim` axes."""
    values = (value,) * ndim if isinstance(value, int) else tuple(value)
    if len(values) != ndim:
        raise ExpressionError(f"{name} must be one number or {ndim}, got {value}")
    return values


def _convolution(a: SimpleNamespace, in_channels: int, ndim: int, transposed: bool) -> Build:
    kernel = per_axis(a.kernel_size, ndim, "kernel_size")
    for name, channels in (("in_channels", in_channels), ("out_channels", a.out_channels)):
        if channels % a.groups:
            raise ExpressionError(f"{name} {channels} must be divisible by groups {a.groups}")
    first, second = (in_channels, a.out_channels) if transposed else (a.out_channels, in_channels)
    shape = (first, second // a.groups, *kernel)
    spec = weight(shape, KAIMING, dtype_of(a))
    fan_in = spec.fans.fan_in if spec.fans else 0
    bias = Spec((a.out_channels,), within(fan_in), dtype=dtype_of(a)) if a.bias else None

    def output(given: Shape) -> Shape:
        sizes = given[-ndim:]
        grown = _grown(sizes, a, kernel) if transposed else _shrunk(sizes, a, kernel)
        return (a.out_channels, *grown)

    return fixed({"weight": spec, "bias": bias}, output=output)


def _shrunk(sizes: Shape, a: SimpleNamespace, kernel: Shape) -> Shape:
    """Sizes after a convolution (`torch.nn.Conv2d`, its formula of H_out)."""
    ndim = len(kernel)
    if a.padding == "same":
        return sizes
    padding = per_axis(0 if a.padding == "valid" else a.padding, ndim, "padding")
    stride, dilation = per_axis(a.stride, ndim, "stride"), per_axis(a.dilation, ndim, "dilation")
    axes = zip(sizes, padding, dilation, kernel, stride, strict=True)
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, p, d, k, s in axes)


def _grown(sizes: Shape, a: SimpleNamespace, kernel: Shape) -> Shape:
    """Sizes after a transposed convolution (`torch.nn.ConvTranspose2d`, H_out)."""
    ndim = len(kernel)
    named = (a.padding, a.dilation, kernel, a.stride, a.output_padding)
    axes = zip(sizes, *(per_axis(value, ndim, "padding or stride") for value in named), strict=True)
    return tuple((n - 1) * s - 2 * p + d * (k - 1) + o + 1 for n, p, d, k, s, o in axes)


def _eager(ndim: int, transposed: bool) -> Maker:
    return lambda a: _convolution(a, a.in_channels, ndim, transposed)


def _lazy(ndim: int, transposed: bool) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        def build(shape: Shape | None) -> Built:
            if shape is None or len(shape) <= ndim:
                raise DefinitionError(
                    f"a lazy convolution needs the shape of its input, channels and {ndim} sizes:"
                    " give `input:`"
                )
            return _convolution(a, shape[-ndim - 1], ndim, transposed)(shape)

        return build

    return make


_PLAIN = (
    "out_channels: Size, kernel_size: Sizes, stride: Sizes = 1, padding=0, dilation: Sizes = 1, "
    f"groups: Size = 1, bias: Flag = True, padding_mode: Text = 'zeros', {FACTORY})"
)
_TRANSPOSED = (
    "out_channels: Size, kernel_size: Sizes, stride: Sizes = 1, padding: Counts = 0, "
    "output_padding: Counts = 0, groups: Size = 1, bias: Flag = True, dilation: Sizes = 1, "
    f"padding_mode: Text = 'zeros', {FACTORY})"
)

CONVOLUTIONS = [
    declare(f"{lazy}{kind}{n}d({'' if lazy else 'in_channels: Size, '}{rest}", make(n, transposed))
    for lazy, make in (("", _eager), ("Lazy", _lazy))
    for kind, rest, transposed in (("Conv", _PLAIN, False), ("ConvTranspose", _TRANSPOSED, True))
    for n in (1, 2, 3)
]
"""Names and layer functions."""
