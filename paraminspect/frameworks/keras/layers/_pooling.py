"""Pooling: over windows, over whole axes, and to a given size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.errors import ExpressionError
from paraminspect.frameworks._declare import Maker
from paraminspect.frameworks.keras.layers._declare import layer
from paraminspect.frameworks.keras.layers._shapes import (
    data_format_of,
    join_channels,
    known,
    per_axis,
    split_channels,
    windows,
)
from paraminspect.tree.layers import Build, Built, Layer


def _pooled(ndim: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        pool = per_axis(a.kind, "pool_size", a.pool_size, ndim)
        strides = pool if a.strides is None else per_axis(a.kind, "strides", a.strides, ndim)
        if a.padding not in ("valid", "same"):  # in lower case only, unlike convolutions
            raise ExpressionError(
                f"{a.kind}: padding must be one of valid, same, got {a.padding!r}"
            )
        data_format = data_format_of(a.kind, a.data_format)

        def build(shape: Shape | None) -> Built:
            sizes, channels = split_channels(known(a.kind, shape, ndim + 1), data_format)
            counts = windows(a.kind, sizes, pool, strides, a.padding)
            return Built(output=join_channels(counts, channels, data_format))

        return build

    return make


def _globally_pooled(ndim: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        data_format = data_format_of(a.kind, a.data_format)

        def build(shape: Shape | None) -> Built:
            _, channels = split_channels(known(a.kind, shape, ndim + 1), data_format)
            kept = (1,) * ndim if a.keepdims else ()
            return Built(output=join_channels(kept, channels, data_format))

        return build

    return make


def _adaptively_pooled(ndim: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        wanted = per_axis(a.kind, "output_size", a.output_size, ndim)
        data_format = data_format_of(a.kind, a.data_format)

        def build(shape: Shape | None) -> Built:
            _, channels = split_channels(known(a.kind, shape, ndim + 1), data_format)
            return Built(output=join_channels(wanted, channels, data_format))

        return build

    return make


_WINDOW = "strides=None, padding='valid', data_format=None, name: Text | None = None, **kwargs)"
_MAX_POOL_SIZE = {1: "2", 2: "(2, 2)", 3: "(2, 2, 2)"}


def _declarations(n: int) -> Iterator[tuple[str, Callable[..., Layer]]]:
    yield layer(f"MaxPooling{n}D(pool_size={_MAX_POOL_SIZE[n]}, {_WINDOW}", _pooled(n))
    yield layer(f"AveragePooling{n}D(pool_size, {_WINDOW}", _pooled(n))
    for kind in ("Max", "Average"):
        yield layer(
            f"Global{kind}Pooling{n}D(data_format=None, keepdims: Flag = False, **kwargs)",
            _globally_pooled(n),
        )
        yield layer(
            f"Adaptive{kind}Pooling{n}D(output_size, data_format=None, **kwargs)",
            _adaptively_pooled(n),
        )


POOLING = dict(declaration for n in (1, 2, 3) for declaration in _declarations(n))
"""Layer functions by name."""
