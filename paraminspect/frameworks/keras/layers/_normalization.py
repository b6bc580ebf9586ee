"""Normalizations: over the batch, a layer's axes, groups, and with statistics of the data."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from paraminspect.arrays import DTYPES, Shape
from paraminspect.errors import DefinitionError, ExpressionError, counted
from paraminspect.frameworks.keras._initializers import scheme_of
from paraminspect.frameworks.keras.layers._declare import Initialized, drawn, layer, weight
from paraminspect.frameworks.keras.layers._shapes import axis_of, known
from paraminspect.tree.layers import Build, Built


def _batch_normalization(a: SimpleNamespace) -> Build:
    if a.renorm and a.moving_variance_initializer is None:
        raise ExpressionError(
            f"{a.kind}: moving_variance_initializer must be an initializer with renorm, got None"
        )

    def build(shape: Shape | None) -> Built:
        shape = known(a.kind, shape)
        channels = (shape[axis_of(a.kind, a.axis, shape)],)
        specs: dict[str, Initialized] = _gamma_and_beta(a, channels)
        for name in ("moving_mean", "moving_variance"):
            specs[name] = weight(a, channels, f"{name}_initializer", trainable=False)
        if a.renorm:
            deviation = _root(
                scheme_of("moving_variance_initializer", a.moving_variance_initializer)
            )
            specs["moving_stddev"] = replace(specs["moving_variance"], scheme=deviation, clone=True)
            specs["renorm_mean"] = replace(specs["moving_mean"], clone=True)
            specs["renorm_stddev"] = specs["moving_stddev"]
        return Built(specs, output=shape)

    return build


def _root(scheme: str) -> str:
    return scheme if scheme in ("zeros", "ones") else f"[{scheme}, sqrt(x)]"


def _gamma_and_beta(a: SimpleNamespace, shape: Shape) -> dict[str, Initialized]:
    gamma = {"gamma": weight(a, shape, "gamma_initializer")} if a.scale else {}
    beta = {"beta": weight(a, shape, "beta_initializer")} if a.center else {}
    return gamma | beta


def _layer_normalization(a: SimpleNamespace) -> Build:
    if a.rms_scaling:  # deprecated: scaled by the root of the variance, and not shifted
        a.scale, a.center = True, False

    def build(shape: Shape | None) -> Built:
        shape = known(a.kind, shape)
        return Built(_gamma_and_beta(a, _sizes(a, shape)), output=shape)

    return build


def _rms_normalization(a: SimpleNamespace) -> Build:
    def build(shape: Shape | None) -> Built:
        shape = known(a.kind, shape)
        return Built({"scale": drawn(a, _sizes(a, shape), "ones")}, output=shape)

    return build


def _unit_normalization(a: SimpleNamespace) -> Build:
    def build(shape: Shape | None) -> Built:
        shape = known(a.kind, shape)
        whole = len(shape) + 1
        for axis in _axes(a):
            if not -whole <= axis < whole:
                raise DefinitionError(f"{a.kind}: axis {axis} is not one of {list(shape)}")
        return Built(output=shape)

    return build


def _axes(a: SimpleNamespace) -> list[int]:
    return [a.axis] if isinstance(a.axis, int) else list(a.axis)


def _sizes(a: SimpleNamespace, shape: Shape) -> Shape:
    # Keras sorts the axes as they are written: -1 comes before 1.
    return tuple(shape[axis_of(a.kind, axis, shape)] for axis in sorted(_axes(a)))


def _group_normalization(a: SimpleNamespace) -> Build:
    if a.groups < 1 and a.groups != -1:
        raise ExpressionError(f"{a.kind}: groups must be an integer from 1 on, or -1")

    def build(shape: Shape | None) -> Built:
        shape = known(a.kind, shape)
        channels = shape[axis_of(a.kind, a.axis, shape)]
        if a.groups != -1 and channels % a.groups:
            raise DefinitionError(
                f"{a.kind}: the {counted(channels, 'channel')} of its input"
                f" {list(shape)} must be divisible by groups {a.groups}"
            )
        return Built(_gamma_and_beta(a, (channels,)), output=shape)

    return build


def _normalization(a: SimpleNamespace) -> Build:
    if (a.mean is None) != (a.variance is None):
        raise ExpressionError(f"{a.kind}: mean and variance must be given together")

    def build(shape: Shape | None) -> Built:
        shape = known(a.kind, shape)
        axes = [] if a.axis is None else [axis_of(a.kind, axis, shape) for axis in _axes(a)]
        if len(set(axes)) < len(axes):
            raise DefinitionError(f"{a.kind}: axis {a.axis} names an axis of {list(shape)} twice")
        if a.mean is not None:
            return Built(output=shape)
        kept = tuple(shape[i] for i in sorted(axes))
        # The count is Keras's "int": int64 with TensorFlow, int32 with JAX and torch.
        count = replace(drawn(a, (), "zeros", trainable=False), dtype=DTYPES["int64"])
        specs = {
            "mean": drawn(a, kept, "zeros", trainable=False),
            "variance": drawn(a, kept, "ones", trainable=False),
            "count": count,
        }
        return Built(specs, output=shape)

    return build


_AFFINE = (
    "epsilon: Number = 0.001, center: Flag = True, scale: Flag = True, beta_initializer='zeros', "
    "gamma_initializer='ones', {}beta_regularizer=None, gamma_regularizer=None, "
    "beta_constraint=None, gamma_constraint=None, "
)
_MOVING = "moving_mean_initializer='zeros', moving_variance_initializer='ones', "

NORMALIZATIONS = dict(
    [
        layer(
            "BatchNormalization(axis: Integer = -1, momentum: Number = 0.99, "
            f"{_AFFINE.format(_MOVING)}"
            "renorm: Flag = False, renorm_clipping=None, renorm_momentum: Number = 0.99, "
            "synchronized: Flag = False, **kwargs)",
            _batch_normalization,
        ),
        layer(
            f"LayerNormalization(axis: Integers = -1, {_AFFINE.format('')}"
            "*, rms_scaling: Flag = False, **kwargs)",
            _layer_normalization,
        ),
        layer(
            "GroupNormalization(groups: Integer = 32, axis: Integer = -1, "
            f"{_AFFINE.format('')}**kwargs)",
            _group_normalization,
        ),
        layer(
            "RMSNormalization(axis: Integers = -1, epsilon: Number = 1e-06, **kwargs)",
            _rms_normalization,
        ),
        layer("UnitNormalization(axis: Integers = -1, **kwargs)", _unit_normalization),
        layer(
            "Normalization(axis: Integers | None = -1, mean=None, variance=None, "
            "invert: Flag = False, **kwargs)",
            _normalization,
        ),
    ]
)
"""Layer functions by name."""
