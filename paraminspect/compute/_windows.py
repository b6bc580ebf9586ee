"""Windows: the patches that convolutions and pooling look at, channels first, any number of axes.

Gathering patches is linear; its adjoint adds each patch back to where it came from. autograd
knows this pair as one step, because it cannot see through a strided view; all else is its own work.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import autograd.numpy as np
import numpy
from autograd.extend import defvjp, primitive

from paraminspect.compute._functions import plain
from paraminspect.compute._steady import mean, where
from paraminspect.errors import ShapeError

Pairs = Sequence[tuple[int, int]]


def output_sizes(
    sizes: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> tuple[int, ...]:
    """How many windows fit along each axis of an input that is padded already."""
    reaches = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    if any(n < reach for n, reach in zip(sizes, reaches, strict=True)):
        raise ShapeError(f"windows of {reaches} do not fit into {list(sizes)}, padding included")
    axes = zip(sizes, reaches, stride, strict=True)
    return tuple((n - reach) // s + 1 for n, reach, s in axes)


@primitive
def windows(
    x: Any, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> Any:
    """`(N, C, *sizes)` to a view `(N, C, *windows, *kernel)`."""
    ndim = len(kernel)
    counts = output_sizes(x.shape[-ndim:], kernel, stride, dilation)
    steps = x.strides[-ndim:]
    return numpy.lib.stride_tricks.as_strided(
        x,
        (*x.shape[:-ndim], *counts, *kernel),
        (
            *x.strides[:-ndim],
            *(n * s for n, s in zip(steps, stride, strict=True)),
            *(n * d for n, d in zip(steps, dilation, strict=True)),
        ),
        writeable=False,
    )


@primitive
def unwindows(
    patches: Any,
    shape: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> Any:
    """The adjoint of `windows`: every patch added to its place in zeros of `shape`."""
    ndim = len(kernel)
    counts = patches.shape[-2 * ndim : -ndim]
    result = numpy.zeros(shape, patches.dtype)
    for offsets in itertools.product(*map(range, kernel)):
        axes = zip(offsets, dilation, stride, counts, strict=True)
        place = tuple(slice(o * d, o * d + s * (n - 1) + 1, s) for o, d, s, n in axes)
        whole: Any = (Ellipsis, *place)
        part: Any = (Ellipsis, *offsets)
        result[whole] += patches[part]
    return result


defvjp(
    windows,
    lambda _, x, kernel, stride, dilation: (
        lambda g: unwindows(g, x.shape, kernel, stride, dilation)
    ),
    argnums=(0,),
)
defvjp(
    unwindows,
    lambda _, patches, shape, kernel, stride, dilation: (
        lambda g: windows(g, kernel, stride, dilation)
    ),
    argnums=(0,),
)


def padded(x: Any, pairs: Pairs, value: float = 0.0) -> Any:
    """`x` with `pairs` of elements put before and after each of its last axes."""
    if not any(before or after for before, after in pairs):
        return x
    whole = [(0, 0)] * (x.ndim - len(pairs)) + list(pairs)
    return np.pad(x, whole, "constant", constant_values=value)


def cropped(x: Any, pairs: Pairs) -> Any:
    """`x` without `pairs` of elements at the ends of its last axes; a negative one pads."""
    x = padded(x, [(max(-a, 0), max(-b, 0)) for a, b in pairs])
    ends = [
        slice(max(a, 0), n - max(b, 0))
        for (a, b), n in zip(pairs, x.shape[-len(pairs) :], strict=True)
    ]
    return x[..., *ends]


def convolve(
    x: Any,
    weight: Any,
    stride: tuple[int, ...],
    pairs: Pairs,
    dilation: tuple[int, ...],
    groups: int = 1,
) -> Any:
    """`(N, C, *sizes)` with `weight` of `(out, C / groups, *kernel)`: `(N, out, *sizes)`.

    A correlation, as every framework's convolution is.
    """
    kernel = tuple(weight.shape[2:])
    patches = windows(padded(x, pairs), kernel, stride, dilation)
    ndim, out = len(kernel), weight.shape[0]
    counts = patches.shape[2 : 2 + ndim]
    inner = weight.shape[1] * int(numpy.prod(kernel, dtype=int))
    # (N, G, C/G, *windows, *kernel) to (G, N * windows, C/G * kernel): one product per group.
    grouped = np.reshape(patches, (x.shape[0], groups, weight.shape[1], *counts, *kernel))
    spatial = tuple(range(3, 3 + ndim))
    order = (1, 0, *spatial, 2, *range(3 + ndim, 3 + 2 * ndim))
    rows = np.reshape(np.transpose(grouped, order), (groups, -1, inner))
    columns = np.transpose(np.reshape(weight, (groups, out // groups, inner)), (0, 2, 1))
    product = np.reshape(np.matmul(rows, columns), (groups, x.shape[0], *counts, out // groups))
    channels_first = np.transpose(product, (1, 0, ndim + 2, *range(2, 2 + ndim)))
    return np.reshape(channels_first, (x.shape[0], out, *counts))


def convolve_transposed(
    x: Any,
    weight: Any,
    stride: tuple[int, ...],
    pairs: Pairs,
    output_padding: tuple[int, ...],
    dilation: tuple[int, ...],
    groups: int = 1,
) -> Any:
    """The adjoint of a convolution: `weight` is `(C, out / groups, *kernel)`.

    The full result is cropped by `pairs`, less `output_padding` at the end of each axis.
    """
    kernel = tuple(weight.shape[2:])
    ndim, batch, sizes = len(kernel), x.shape[0], x.shape[2:]
    inner = weight.shape[0] // groups
    field = int(numpy.prod(kernel, dtype=int))
    rows = np.reshape(x, (batch, groups, inner, -1))
    columns = np.reshape(weight, (groups, inner, weight.shape[1] * field))
    patches = np.matmul(np.transpose(columns, (0, 2, 1)), rows)  # (N, G, out/G * kernel, positions)
    patches = np.reshape(patches, (batch, groups * weight.shape[1], *kernel, *sizes))
    order = (0, 1, *range(2 + ndim, 2 + 2 * ndim), *range(2, 2 + ndim))
    axes = zip(sizes, kernel, stride, dilation, strict=True)
    full = tuple((n - 1) * s + d * (k - 1) + 1 for n, k, s, d in axes)
    shape = (batch, groups * weight.shape[1], *full)
    whole = unwindows(np.transpose(patches, order), shape, kernel, stride, dilation)
    ends = [(a, b - extra) for (a, b), extra in zip(pairs, output_padding, strict=True)]
    return cropped(whole, ends)


def flat_patches(
    x: Any, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> Any:
    """`(N, C, *windows, elements)`: the windows with their elements along one axis."""
    patches = windows(x, kernel, stride, dilation)
    return np.reshape(patches, (*patches.shape[: -len(kernel)], -1))


def first_maximum(patches: Any) -> Any:
    """The largest of the last axis; of equal ones the first gets the gradient, as everywhere."""
    values = plain(patches)
    chosen = numpy.argmax(values, axis=-1)[..., None] == numpy.arange(patches.shape[-1])
    return np.sum(where(chosen, patches, numpy.zeros((), values.dtype)), axis=-1)


def pooled_whole(x: Any, kind: str) -> Any:
    """`(N, C)`: all that each channel has, pooled by `mean` or `max`."""
    flat = np.reshape(x, (*x.shape[:2], -1))
    return first_maximum(flat) if kind == "max" else mean(flat, axis=-1)


def adapted(x: Any, wanted: Sequence[int | None], kind: str) -> Any:
    """The last axes pooled to the lengths `wanted` (None: as they are), by `mean` or `max`.

    Of `n` elements for `m` windows, window i has floor(i n / m) to ceil((i + 1) n / m).
    """
    for axis, count in enumerate(wanted, x.ndim - len(wanted)):
        if count is None:
            continue
        n = x.shape[axis]
        places = [slice(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]
        parts = [x[(*[slice(None)] * axis, place)] for place in places]
        if kind == "max":
            pooled = [first_maximum(np.moveaxis(part, axis, -1)) for part in parts]
        else:
            pooled = [mean(part, axis=axis) for part in parts]
        x = np.stack(pooled, axis=axis)
    return x
