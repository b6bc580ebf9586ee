"""Convolutions of one to three axes, plain, transposed and lazy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError, ExpressionError
from paraminspect.frameworks._declare import Maker, declare
from paraminspect.frameworks._inputs import expect_axes, expect_length, per_axis
from paraminspect.frameworks.pytorch.layers._parameters import (
    FACTORY,
    KAIMING,
    dtype_of,
    weight,
    within,
)
from paraminspect.tree.layers import Build, Built, Layer, Spec, UnknownInputError, fixed


def _convolution(a: SimpleNamespace, in_channels: int, ndim: int, transposed: bool) -> Build:
    kernel = per_axis(a.kernel_size, ndim, "kernel_size")
    for name, channels in (("in_channels", in_channels), ("out_channels", a.out_channels)):
        if channels % a.groups:
            raise ExpressionError(f"{name} {channels} must be divisible by groups {a.groups}")
    first, second = (in_channels, a.out_channels) if transposed else (a.out_channels, in_channels)
    dtype = dtype_of(a)
    spec = weight((first, second // a.groups, *kernel), KAIMING, dtype)
    fan_in = spec.fans.fan_in if spec.fans else 0
    bias = Spec((a.out_channels,), within(fan_in), dtype=dtype) if a.bias else None
    sizes_after = (_grown if transposed else _shrunk)(a, kernel)

    def output(shape: Shape) -> Shape:
        expect_axes(shape, ndim + 1)
        expect_length(shape, 0, in_channels, "channels")
        sizes = sizes_after(shape[1:])
        if first == 0 or min(sizes) < 1:
            raise DefinitionError(f"an input of {list(shape)} is too small for it")
        return (a.out_channels, *sizes)

    return fixed({"weight": spec, "bias": bias}, output=output)


def _shrunk(a: SimpleNamespace, kernel: Shape) -> Callable[[Shape], Shape]:
    """Sizes after a convolution (`torch.nn.Conv2d`, its formula of H_out)."""
    ndim = len(kernel)
    stride, dilation = per_axis(a.stride, ndim, "stride"), per_axis(a.dilation, ndim, "dilation")
    spans = tuple(d * (k - 1) for d, k in zip(dilation, kernel, strict=True))
    if a.padding == "same":
        if stride != (1,) * ndim:
            raise ExpressionError(f"padding='same' needs stride 1, got {a.stride}")
        padding = tuple((span // 2, span - span // 2) for span in spans)
    else:
        given = 0 if a.padding == "valid" else a.padding
        padding = tuple((p, p) for p in per_axis(given, ndim, "padding"))

    def sizes_after(sizes: Shape) -> Shape:
        for n, pair in zip(sizes, padding, strict=True):
            limit = {"reflect": n - 1, "circular": n}.get(a.padding_mode)
            if limit is not None and max(pair) > limit:
                raise DefinitionError(
                    f"{a.padding_mode} padding of {max(pair)} is too large for a size of {n}"
                )
        axes = zip(sizes, padding, spans, stride, strict=True)
        return tuple((n + sum(pair) - span - 1) // s + 1 for n, pair, span, s in axes)

    return sizes_after


def _grown(a: SimpleNamespace, kernel: Shape) -> Callable[[Shape], Shape]:
    """Sizes after a transposed convolution (`torch.nn.ConvTranspose2d`, H_out)."""
    names = ("padding", "dilation", "stride", "output_padding")
    values = [per_axis(getattr(a, name), len(kernel), name) for name in names]
    padding, dilation, stride, extra = values

    def sizes_after(sizes: Shape) -> Shape:
        for e, s, d in zip(extra, stride, dilation, strict=True):
            if e >= max(s, d):
                raise DefinitionError(
                    f"output_padding {e} must be smaller than stride {s} or dilation {d}"
                )
        axes = zip(sizes, padding, dilation, kernel, stride, extra, strict=True)
        return tuple((n - 1) * s - 2 * p + d * (k - 1) + e + 1 for n, p, d, k, s, e in axes)

    return sizes_after


def _eager(ndim: int, transposed: bool) -> Maker:
    return lambda a: _convolution(a, a.in_channels, ndim, transposed)


def _lazy(kind: str, ndim: int, transposed: bool) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        _convolution(a, a.groups, ndim, transposed)  # refuses what no input can mend

        def build(shape: Shape | None) -> Built:
            if shape is None:
                raise UnknownInputError(kind)
            expect_axes(shape, ndim + 1)
            return _convolution(a, shape[0], ndim, transposed)(shape)

        return build

    return make


_PLAIN = (
    "out_channels: Count, kernel_size: Sizes, stride: Sizes = 1, "
    "padding: Counts | Literal['same', 'valid'] = 0, dilation: Sizes = 1, groups: Size = 1, "
    "bias: Flag = True, "
    "padding_mode: Literal['zeros', 'reflect', 'replicate', 'circular'] = 'zeros', "
    f"{FACTORY})"
)
_TRANSPOSED = (
    "out_channels: Count, kernel_size: Sizes, stride: Sizes = 1, padding: Counts = 0, "
    "output_padding: Counts = 0, groups: Size = 1, bias: Flag = True, dilation: Sizes = 1, "
    f"padding_mode: Literal['zeros'] = 'zeros', {FACTORY})"
)


def _declarations() -> Iterator[tuple[str, Callable[..., Layer]]]:
    for kind, rest, transposed in (("Conv", _PLAIN, False), ("ConvTranspose", _TRANSPOSED, True)):
        for n in (1, 2, 3):
            name = f"{kind}{n}d"
            yield declare(f"{name}(in_channels: Count, {rest}", _eager(n, transposed))
            yield declare(f"Lazy{name}({rest}", _lazy(f"Lazy{name}", n, transposed))


CONVOLUTIONS = dict(_declarations())
"""Layer functions by name."""
