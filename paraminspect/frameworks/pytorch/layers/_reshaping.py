"""Layers that move or copy what they are given: flattening, padding, shuffling, upsampling."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError, ExpressionError, counted
from paraminspect.frameworks._declare import Maker, declare
from paraminspect.frameworks._inputs import batch_axis, expect_axes, per_axis
from paraminspect.tree.layers import Build, Layer, fixed


def _flattened(a: SimpleNamespace) -> Build:
    def output(shape: Shape) -> Shape | None:
        first, last = batch_axis(a.start_dim, shape), batch_axis(a.end_dim, shape)
        if first > last:
            raise DefinitionError(f"start_dim {a.start_dim} comes after end_dim {a.end_dim}")
        if first == 0:
            return shape if last == 0 else None  # None: merged with the batch
        return (*shape[: first - 1], math.prod(shape[first - 1 : last]), *shape[last:])

    return fixed(output=output)


def _unflattened(a: SimpleNamespace) -> Build:
    sizes = tuple(a.unflattened_size)
    if not sizes or sizes.count(-1) > 1 or min(sizes) < -1:
        raise ExpressionError(
            f"unflattened_size must be sizes, one of them -1 at most, got {a.unflattened_size}"
        )

    def output(shape: Shape) -> Shape | None:
        axis = batch_axis(a.dim, shape)
        if axis == 0:
            return None
        length = shape[axis - 1]
        known = math.prod(size for size in sizes if size != -1)
        whole = tuple(length // known if size == -1 and known else size for size in sizes)
        if math.prod(whole) != length:
            raise DefinitionError(
                f"{list(sizes)} does not multiply up to {length} of {list(shape)}"
            )
        return (*shape[: axis - 1], *whole, *shape[axis:])

    return fixed(output=output)


def _padded(ndim: int, mode: str) -> Maker:
    axes = {"constant": range(ndim, ndim + 64)}.get(mode, (ndim, ndim + 1))

    def make(a: SimpleNamespace) -> Build:
        pairs = per_axis(a.padding, 2 * ndim, "padding")

        def output(shape: Shape) -> Shape:
            if len(shape) not in axes:
                expect_axes(shape, ndim, ndim + 1)
            grown = []
            # torch gives the pairs from the last axis backwards.
            for i, n in enumerate(reversed(shape[-ndim:])):
                pair = pairs[2 * i : 2 * i + 2]
                limit = {"reflect": n - 1, "circular": n}.get(mode)
                grown.append(n + sum(pair))
                least = 0 if mode == "constant" else 1
                if (limit is not None and max(pair) > limit) or grown[-1] < least:
                    raise DefinitionError(f"padding {pair} does not fit a size of {n}")
            return (*shape[:-ndim], *reversed(grown))

        return fixed(output=output)

    return make


def _pixels_shuffled(a: SimpleNamespace) -> Build:
    r = a.upscale_factor

    def output(shape: Shape) -> Shape:
        *before, channels, height, width = _with_pixels(shape)
        if channels % r**2:
            raise DefinitionError(f"channels must divide by {r}**2, got {list(shape)}")
        return (*before, channels // r**2, height * r, width * r)

    return fixed(output=output)


def _pixels_unshuffled(a: SimpleNamespace) -> Build:
    r = a.downscale_factor

    def output(shape: Shape) -> Shape:
        *before, channels, height, width = _with_pixels(shape)
        if height % r or width % r:
            raise DefinitionError(f"height and width must divide by {r}, got {list(shape)}")
        return (*before, channels * r**2, height // r, width // r)

    return fixed(output=output)


def _with_pixels(shape: Shape) -> Shape:
    if len(shape) < 3:
        raise DefinitionError(f"expected channels, height and width, got {list(shape)}")
    return shape


def _channels_shuffled(a: SimpleNamespace) -> Build:
    def output(shape: Shape) -> Shape:
        if len(shape) < 2 or shape[0] % a.groups:
            raise DefinitionError(
                f"channels must divide into {counted(a.groups, 'group')}, got {list(shape)}"
            )
        return shape

    return fixed(output=output)


def _window_counts(a: SimpleNamespace, sizes: Shape) -> int:
    """How many windows slide over `sizes` (`torch.nn.Unfold`, its formula of L)."""
    names = ("kernel_size", "dilation", "padding", "stride")
    axes = zip(sizes, *(per_axis(getattr(a, name), 2, name) for name in names), strict=True)
    counts = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, d, p, s in axes]
    if min(counts) < 1:
        raise DefinitionError(f"{list(sizes)} is too small for kernel_size {a.kernel_size}")
    return math.prod(counts)


def _unfolded(a: SimpleNamespace) -> Build:
    window = math.prod(per_axis(a.kernel_size, 2, "kernel_size"))

    def output(shape: Shape) -> Shape:
        expect_axes(shape, 3)
        return (shape[0] * window, _window_counts(a, shape[1:]))

    return fixed(output=output)


def _folded(a: SimpleNamespace) -> Build:
    window = math.prod(per_axis(a.kernel_size, 2, "kernel_size"))
    sizes = per_axis(a.output_size, 2, "output_size")

    def output(shape: Shape) -> Shape:
        expect_axes(shape, 2)
        if shape[0] % window or shape[1] != _window_counts(a, sizes):
            raise DefinitionError(
                f"expected an input of [channels * {window}, {_window_counts(a, sizes)}],"
                f" got {list(shape)}"
            )
        return (shape[0] // window, *sizes)

    return fixed(output=output)


_MODES = {
    "nearest": (1, 2, 3),
    "nearest-exact": (1, 2, 3),
    "area": (1, 2, 3),
    "linear": (1,),
    "bilinear": (2,),
    "bicubic": (2,),
    "trilinear": (3,),
}
"""How many axes (batch and channels aside) each mode of upsampling takes."""


def _upsampled(a: SimpleNamespace, mode: str) -> Build:
    if (a.size is None) == (a.scale_factor is None):
        raise ExpressionError("give either size or scale_factor")

    def output(shape: Shape) -> Shape:
        expect_axes(shape, *(ndim + 1 for ndim in _MODES[mode]))
        given = shape[1:]
        if a.size is not None:
            sizes = per_axis(a.size, len(given), "size")
        else:
            factors = per_axis(a.scale_factor, len(given), "scale_factor")
            sizes = tuple(int(n * factor) for n, factor in zip(given, factors, strict=True))
        if min(sizes) < 1:
            raise DefinitionError(f"an input of {list(shape)} is too small for it")
        return (shape[0], *sizes)

    return fixed(output=output)


def _upsample(a: SimpleNamespace) -> Build:
    if a.align_corners is not None and not a.mode.endswith(("linear", "cubic")):
        raise ExpressionError(f"align_corners has no meaning with mode {a.mode!r}")
    if a.recompute_scale_factor and a.size is not None:
        raise ExpressionError("recompute_scale_factor has no meaning with size")
    return _upsampled(a, a.mode)


_SCALE = "size: Sizes | None = None, scale_factor: Number | Numbers | None = None"
_WINDOWS = "kernel_size: Sizes, dilation: Sizes = 1, padding: Counts = 0, stride: Sizes = 1"


def _paddings(n: int) -> Iterator[tuple[str, Callable[..., Layer]]]:
    for name, mode in (("Circular", "circular"), ("Reflection", "reflect"), ("Zero", "constant")):
        yield declare(f"{name}Pad{n}d(padding: Integers)", _padded(n, mode))
    yield declare(f"ReplicationPad{n}d(padding: Integers)", _padded(n, "replicate"))
    yield declare(f"ConstantPad{n}d(padding: Integers, value: Number)", _padded(n, "constant"))


RESHAPING = dict(
    [
        *(declaration for n in (1, 2, 3) for declaration in _paddings(n)),
        declare("Flatten(start_dim: Integer = 1, end_dim: Integer = -1)", _flattened),
        declare("Unflatten(dim: Integer, unflattened_size: IntegerList)", _unflattened),
        declare("PixelShuffle(upscale_factor: Size)", _pixels_shuffled),
        declare("PixelUnshuffle(downscale_factor: Size)", _pixels_unshuffled),
        declare("ChannelShuffle(groups: Size)", _channels_shuffled),
        declare(f"Unfold({_WINDOWS})", _unfolded),
        declare(f"Fold(output_size: Sizes, {_WINDOWS})", _folded),
        declare(
            f"Upsample({_SCALE}, mode: Literal[{', '.join(map(repr, _MODES))}] = 'nearest', "
            "align_corners: Flag | None = None, recompute_scale_factor: Flag | None = None)",
            _upsample,
        ),
        declare(f"UpsamplingNearest2d({_SCALE})", lambda a: _upsampled(a, "nearest")),
        declare(f"UpsamplingBilinear2d({_SCALE})", lambda a: _upsampled(a, "bilinear")),
    ]
)
"""Layer functions by name."""
