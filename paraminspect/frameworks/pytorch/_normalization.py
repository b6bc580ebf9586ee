"""Normalizations; the running statistics are buffers."""

from __future__ import annotations

from types import SimpleNamespace

from paraminspect.arrays import DTYPES, Shape
from paraminspect.errors import DefinitionError, ExpressionError
from paraminspect.frameworks._declare import Maker, declare
from paraminspect.frameworks.pytorch._linear import FACTORY, dtype_of
from paraminspect.layers import Build, Built, Spec, fixed, same_shape


def affine(shape: Shape, a: SimpleNamespace, weight: bool, bias: bool) -> dict[str, Spec | None]:
    """A scale of ones and a shift of zeros, where asked for."""
    dtype = dtype_of(a)
    return {
        "weight": Spec(shape, "ones", dtype=dtype) if weight else None,
        "bias": Spec(shape, "zeros", dtype=dtype) if weight and bias else None,
    }


def _with_statistics(a: SimpleNamespace, features: int) -> Build:
    specs = affine((features,), a, a.affine, a.bias)
    if a.track_running_stats:
        dtype = dtype_of(a)
        specs |= {
            "running_mean": Spec((features,), "zeros", dtype=dtype, trainable=False),
            "running_var": Spec((features,), "ones", dtype=dtype, trainable=False),
            "num_batches_tracked": Spec((), "zeros", dtype=DTYPES["int64"], trainable=False),
        }
    return fixed(specs, output=same_shape)


def _lazy(ndim: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        def build(shape: Shape | None) -> Built:
            if not shape:
                raise DefinitionError(
                    "a lazy normalization needs the shape of its input: give `input:`"
                )
            features = shape[-ndim - 1] if len(shape) > ndim else shape[0]
            return _with_statistics(a, features)(shape)

        return build

    return make


def _normalized_shape(a: SimpleNamespace) -> Shape:
    value = a.normalized_shape
    return (value,) if isinstance(value, int) else tuple(value)


def _layer_norm(a: SimpleNamespace) -> Build:
    return fixed(affine(_normalized_shape(a), a, a.elementwise_affine, a.bias), output=same_shape)


def _rms_norm(a: SimpleNamespace) -> Build:
    return fixed(affine(_normalized_shape(a), a, a.elementwise_affine, False), output=same_shape)


def _group_norm(a: SimpleNamespace) -> Build:
    if a.num_channels % a.num_groups:
        raise ExpressionError(
            f"num_channels {a.num_channels} must be divisible by num_groups {a.num_groups}"
        )
    return fixed(affine((a.num_channels,), a, a.affine, a.bias), output=same_shape)


_BATCH = (
    "eps: Number = 1e-05, momentum=0.1, affine: Flag = True, track_running_stats: Flag = True, "
)
_INSTANCE = (
    "eps: Number = 1e-05, momentum=0.1, affine: Flag = False, track_running_stats: Flag = False, "
)
_END = f"{FACTORY}, bias: Flag = True)"


def _eager(a: SimpleNamespace) -> Build:
    return _with_statistics(a, a.num_features)


NORMALIZATIONS = [
    *(declare(f"BatchNorm{n}d(num_features: Size, {_BATCH}{_END}", _eager) for n in (1, 2, 3)),
    declare(f"SyncBatchNorm(num_features: Size, {_BATCH}process_group=None, {_END}", _eager),
    *(
        declare(f"InstanceNorm{n}d(num_features: Size, {_INSTANCE}{_END}", _eager)
        for n in (1, 2, 3)
    ),
    *(
        declare(f"Lazy{kind}Norm{n}d({_BATCH}{_END}", _lazy(n - 1 if kind == "Batch" else n))
        for kind in ("Batch", "Instance")
        for n in (1, 2, 3)
    ),
    declare(
        "LayerNorm(normalized_shape: Sizes, eps: Number = 1e-05, elementwise_affine: Flag = True, "
        f"bias: Flag = True, {FACTORY})",
        _layer_norm,
    ),
    declare(
        "RMSNorm(normalized_shape: Sizes, eps: Number | None = None, "
        f"elementwise_affine: Flag = True, {FACTORY})",
        _rms_norm,
    ),
    declare(
        "GroupNorm(num_groups: Size, num_channels: Size, eps: Number = 1e-05, affine: Flag = True, "
        f"{_END}",
        _group_norm,
    ),
]
"""Names and layer functions."""
