"""Layers that change only the shape: reshaping, padding, cropping, upsampling."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError, ExpressionError
from paraminspect.frameworks._declare import Maker
from paraminspect.frameworks.keras._initializers import SEED
from paraminspect.frameworks.keras.layers._declare import layer
from paraminspect.frameworks.keras.layers._shapes import (
    data_format_of,
    join_channels,
    known,
    per_axis,
    split_channels,
)
from paraminspect.tree.layers import Build, Built


def _flatten(a: SimpleNamespace) -> Build:
    data_format_of(a.kind, a.data_format)
    return lambda shape: Built(output=(math.prod(known(a.kind, shape)),))


def _reshape(a: SimpleNamespace) -> Build:
    target = a.target_shape
    if any(n < -1 for n in target) or list(target).count(-1) > 1:
        raise ExpressionError(
            f"{a.kind}: target_shape must be sizes, one of which may be -1, got {target!r}"
        )

    def build(shape: Shape | None) -> Built:
        shape = known(a.kind, shape)
        rest = math.prod(n for n in target if n != -1)
        count = math.prod(shape)
        if count % (rest or 1) or (-1 not in target and count != rest):
            raise DefinitionError(f"{a.kind}: {list(shape)} cannot become {list(target)}")
        return Built(output=tuple(count // rest if n == -1 else n for n in target))

    return build


def _permute(a: SimpleNamespace) -> Build:
    if sorted(a.dims) != [*range(1, len(a.dims) + 1)]:
        raise ExpressionError(f"{a.kind}: dims must be 1, 2, ... in some order, got {a.dims!r}")

    def build(shape: Shape | None) -> Built:
        shape = known(a.kind, shape, len(a.dims))
        return Built(output=tuple(shape[i - 1] for i in a.dims))

    return build


def _repeat(a: SimpleNamespace) -> Build:
    return lambda shape: Built(output=(a.n, *known(a.kind, shape, 1)))


Resize = Callable[[SimpleNamespace, int], Callable[[Shape], Shape]]
"""From the arguments and the number of axes: new sizes from old ones."""


def _resized(ndim: int, resize: Resize) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        data_format = data_format_of(a.kind, getattr(a, "data_format", None))
        change = resize(a, ndim)

        def build(shape: Shape | None) -> Built:
            shape = known(a.kind, shape, ndim + 1)
            sizes, channels = split_channels(shape, data_format)
            changed = change(sizes)
            if any(size < 1 for size in changed):
                raise DefinitionError(f"{a.kind}: nothing would be left of {list(shape)}")
            return Built(output=join_channels(changed, channels, data_format))

        return build

    return make


def _pairs(kind: str, name: str, value: Any, ndim: int) -> tuple[Shape, ...]:
    """What is added before and after each axis, from the three ways to write it."""
    if ndim == 1:
        return (per_axis(kind, name, value, 2, 0),)
    entries = (value,) * ndim if isinstance(value, int) else value
    if not isinstance(entries, list | tuple) or len(entries) != ndim:
        raise ExpressionError(f"{kind}: {name} must be an integer or {ndim} entries, got {value!r}")
    return tuple(per_axis(kind, name, entry, 2, 0) for entry in entries)


def _padded(a: SimpleNamespace, ndim: int) -> Callable[[Shape], Shape]:
    pairs = _pairs(a.kind, "padding", a.padding, ndim)
    return lambda sizes: tuple(n + sum(pair) for n, pair in zip(sizes, pairs, strict=True))


def _cropped(a: SimpleNamespace, ndim: int) -> Callable[[Shape], Shape]:
    pairs = _pairs(a.kind, "cropping", a.cropping, ndim)
    return lambda sizes: tuple(n - sum(pair) for n, pair in zip(sizes, pairs, strict=True))


def _upsampled(a: SimpleNamespace, ndim: int) -> Callable[[Shape], Shape]:
    factors = per_axis(a.kind, "size", a.size, ndim)
    return lambda sizes: tuple(n * f for n, f in zip(sizes, factors, strict=True))


def _set(a: SimpleNamespace, ndim: int) -> Callable[[Shape], Shape]:
    return lambda sizes: (a.height, a.width)


RESHAPING = dict(
    [
        layer("Flatten(data_format=None, **kwargs)", _flatten),
        layer("Reshape(target_shape: IntegerList, **kwargs)", _reshape),
        layer("Permute(dims: IntegerList, **kwargs)", _permute),
        layer("RepeatVector(n: Size, **kwargs)", _repeat),
        layer("ZeroPadding1D(padding=1, data_format=None, **kwargs)", _resized(1, _padded)),
        layer("ZeroPadding2D(padding=(1, 1), data_format=None, **kwargs)", _resized(2, _padded)),
        layer(
            "ZeroPadding3D(padding=((1, 1), (1, 1), (1, 1)), data_format=None, **kwargs)",
            _resized(3, _padded),
        ),
        layer("Cropping1D(cropping=(1, 1), **kwargs)", _resized(1, _cropped)),
        layer(
            "Cropping2D(cropping=((0, 0), (0, 0)), data_format=None, **kwargs)",
            _resized(2, _cropped),
        ),
        layer(
            "Cropping3D(cropping=((1, 1), (1, 1), (1, 1)), data_format=None, **kwargs)",
            _resized(3, _cropped),
        ),
        layer("UpSampling1D(size: Size = 2, **kwargs)", _resized(1, _upsampled)),
        layer(
            "UpSampling2D(size=(2, 2), data_format=None, interpolation='nearest', **kwargs)",
            _resized(2, _upsampled),
        ),
        layer("UpSampling3D(size=(2, 2, 2), data_format=None, **kwargs)", _resized(3, _upsampled)),
        layer(
            "Resizing(height: Size, width: Size, interpolation='bilinear', "
            "crop_to_aspect_ratio: Flag = False, pad_to_aspect_ratio: Flag = False, "
            "fill_mode='constant', fill_value: Number = 0.0, antialias: Flag = False, "
            "data_format=None, **kwargs)",
            _resized(2, _set),
        ),
        layer(
            "CenterCrop(height: Size, width: Size, data_format=None, **kwargs)", _resized(2, _set)
        ),
        layer(
            f"RandomCrop(height: Size, width: Size, {SEED}, data_format=None, "
            "name: Text | None = None, **kwargs)",
            _resized(2, _set),
        ),
    ]
)
"""Layer functions by name."""
