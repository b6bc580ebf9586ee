"""Normalizations; the running statistics are buffers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from types import SimpleNamespace

from paraminspect.arrays import DTYPES, Shape
from paraminspect.errors import DefinitionError, ExpressionError
from paraminspect.frameworks._declare import declare
from paraminspect.frameworks._inputs import expect_axes, expect_length
from paraminspect.frameworks.pytorch.layers._parameters import (
    FACTORY,
    STORED,
    dtype_of,
    scale_and_shift,
)
from paraminspect.tree.layers import Build, Built, Layer, Spec, UnknownInputError, fixed

Output = Callable[[Shape], Shape]


def _with_statistics(a: SimpleNamespace, features: int, output: Output) -> Build:
    specs: dict[str, Spec | None] = {**scale_and_shift((features,), a, a.affine, a.bias)}
    if a.track_running_stats:
        dtype = dtype_of(a, STORED)
        specs |= {
            "running_mean": Spec((features,), "zeros", dtype=dtype, trainable=False),
            "running_var": Spec((features,), "ones", dtype=dtype, trainable=False),
            "num_batches_tracked": Spec((), "zeros", dtype=DTYPES["int64"], trainable=False),
        }
    return fixed(specs, output=output)


def _batch_output(a: SimpleNamespace, features: int, axes: tuple[int, ...]) -> Output:
    def output(shape: Shape) -> Shape:
        if axes:
            expect_axes(shape, *axes)
        if a.affine or a.track_running_stats:
            expect_length(shape, 0, features, "channels")
        return shape

    return output


def _instance_output(a: SimpleNamespace, features: int, axes: tuple[int, ...]) -> Output:
    checked = _batch_output(a, features, axes)

    def output(shape: Shape) -> Shape:
        if not a.track_running_stats and math.prod(shape[1:]) == 1:
            raise DefinitionError(f"expected more than one place per channel, got {list(shape)}")
        return checked(shape)

    return output


def _normalized_shape(a: SimpleNamespace) -> Shape:
    value = a.normalized_shape
    return (value,) if isinstance(value, int) else tuple(value)


def _ends_with(ending: Shape) -> Output:
    def output(shape: Shape) -> Shape:
        if not ending or shape[-len(ending) :] != ending:
            raise DefinitionError(
                f"expected an input that ends in {list(ending)}, got {list(shape)}"
            )
        return shape

    return output


def _layer_norm(a: SimpleNamespace) -> Build:
    shape = _normalized_shape(a)
    specs = scale_and_shift(shape, a, a.elementwise_affine, a.bias)
    return fixed({**specs}, output=_ends_with(shape))


def _rms_norm(a: SimpleNamespace) -> Build:
    shape = _normalized_shape(a)
    specs = scale_and_shift(shape, a, a.elementwise_affine, False)
    return fixed({**specs}, output=_ends_with(shape))


def _group_norm(a: SimpleNamespace) -> Build:
    if a.num_channels % a.num_groups:
        raise ExpressionError(
            f"num_channels {a.num_channels} must be divisible by num_groups {a.num_groups}"
        )

    def output(shape: Shape) -> Shape:
        if a.affine:
            expect_length(shape, 0, a.num_channels, "channels")
        elif not shape or shape[0] % a.num_groups:
            raise DefinitionError(f"channels must divide into {a.num_groups}, got {list(shape)}")
        return shape

    return fixed({**scale_and_shift((a.num_channels,), a, a.affine, a.bias)}, output=output)


def _response_norm(a: SimpleNamespace) -> Build:
    def output(shape: Shape) -> Shape:
        if len(shape) < 2:
            raise DefinitionError(f"expected an input of 2 axes or more, got {list(shape)}")
        return shape

    return fixed(output=output)


def _map_response_norm(a: SimpleNamespace) -> Build:
    def output(shape: Shape) -> Shape:
        expect_axes(shape, 3)
        return shape

    return fixed(output=output)


_OUTPUTS = {"Batch": _batch_output, "Instance": _instance_output}
_END = f"{FACTORY}, *, bias: Flag = True)"


def _axes(kind: str, n: int) -> tuple[int, ...]:
    return (1, 2) if (kind, n) == ("Batch", 1) else (n + 1,)


def _eager(kind: str, n: int) -> Callable[[SimpleNamespace], Build]:
    output_of = _OUTPUTS[kind]
    return lambda a: _with_statistics(
        a, a.num_features, output_of(a, a.num_features, _axes(kind, n))
    )


def _lazy(kind: str, n: int) -> Callable[[SimpleNamespace], Build]:
    output_of = _OUTPUTS[kind]

    def make(a: SimpleNamespace) -> Build:
        of_nothing = _with_statistics(a, 0, output_of(a, 0, ()))  # refuses what no input can mend

        def build(shape: Shape | None) -> Built:
            if shape is None and not (a.affine or a.track_running_stats):
                return of_nothing(None)
            if not shape:
                raise UnknownInputError(f"Lazy{kind}Norm{n}d")
            features = shape[0]
            return _with_statistics(a, features, output_of(a, features, _axes(kind, n)))(shape)

        return build

    return make


def _declarations() -> Iterator[tuple[str, Callable[..., Layer]]]:
    for kind in _OUTPUTS:
        for n in (1, 2, 3):
            name = f"{kind}Norm{n}d"
            eager = _statistics(kind, on=kind == "Batch")
            yield declare(f"{name}(num_features: Count, {eager}, {_END}", _eager(kind, n))
            # Lazy instance norms too have both on by default: torch has one base for all.
            yield declare(f"Lazy{name}({_statistics(kind, on=True)}, {_END}", _lazy(kind, n))


def _statistics(kind: str, on: bool) -> str:
    momentum = "Number | None" if kind == "Batch" else "Number"
    return (
        f"eps: Number = 1e-05, momentum: {momentum} = 0.1, "
        f"affine: Flag = {on}, track_running_stats: Flag = {on}"
    )


NORMALIZATIONS = dict(
    [
        *_declarations(),
        declare(
            "SyncBatchNorm(num_features: Count, eps: Number = 1e-05, "
            "momentum: Number | None = 0.1, affine: Flag = True, "
            f"track_running_stats: Flag = True, process_group: Absent = None, {_END}",
            lambda a: _with_statistics(a, a.num_features, _batch_output(a, a.num_features, ())),
        ),
        declare(
            "LayerNorm(normalized_shape: Counts, eps: Number = 1e-05, "
            f"elementwise_affine: Flag = True, bias: Flag = True, {FACTORY})",
            _layer_norm,
        ),
        declare(
            "RMSNorm(normalized_shape: Counts, eps: Number | None = None, "
            f"elementwise_affine: Flag = True, {FACTORY})",
            _rms_norm,
        ),
        declare(
            "GroupNorm(num_groups: Size, num_channels: Count, eps: Number = 1e-05, "
            f"affine: Flag = True, {_END}",
            _group_norm,
        ),
        declare(
            "LocalResponseNorm(size: Size, alpha: Number = 0.0001, beta: Number = 0.75, "
            "k: Number = 1.0)",
            _response_norm,
        ),
        declare(
            "CrossMapLRN2d(size: Size, alpha: Number = 0.0001, beta: Number = 0.75, k: Number = 1)",
            _map_response_norm,
        ),
    ]
)
"""Layer functions by name."""
