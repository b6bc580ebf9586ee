"""Normalizations; what they do not train, they have all the same."""

from __future__ import annotations

from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError
from paraminspect.frameworks._inputs import expect_length
from paraminspect.frameworks.mxnet.layers._declare import Deferred, initialized, layer
from paraminspect.frameworks.mxnet.layers._shapes import axis_of
from paraminspect.tree.layers import Build, Built, Spec, UnknownInputError


def _normalization(a: SimpleNamespace) -> Build:
    """Over one axis: `gamma` and `beta`, and the running statistics of a layer that has them."""
    wanted = {
        "gamma": ("gamma_initializer", a.scale),
        "beta": ("beta_initializer", a.center),
    }
    if hasattr(a, "running_mean_initializer"):
        wanted["running_mean"] = ("running_mean_initializer", False)
        wanted["running_var"] = ("running_variance_initializer", False)
    schemes = {name: initialized(a, argument, name) for name, (argument, _) in wanted.items()}
    kind = Spec if a.in_channels else Deferred

    def build(shape: Shape | None) -> Built:
        channels = a.in_channels
        if shape is not None:
            axis = axis_of(a.axis, shape)
            channels = channels or shape[axis]
            expect_length(shape, axis, channels, f"channels on axis {a.axis}")
        if not channels:
            raise UnknownInputError("a normalization without in_channels")
        specs = {
            name: kind(
                (channels,),
                schemes[name],
                trainable=trainable,
                frozen=not trainable and name in ("gamma", "beta"),
            )
            for name, (_, trainable) in wanted.items()
        }
        return Built(specs, output=shape)

    return build


def _group_norm(a: SimpleNamespace) -> Build:
    """`gamma` and `beta` are by group in MXNet, not by channel."""
    specs = {
        "gamma": Spec(
            (a.num_groups,),
            initialized(a, "gamma_initializer", "gamma"),
            trainable=a.scale,
            frozen=not a.scale,
        ),
        "beta": Spec(
            (a.num_groups,),
            initialized(a, "beta_initializer", "beta"),
            trainable=a.center,
            frozen=not a.center,
        ),
    }

    def build(shape: Shape | None) -> Built:
        if shape is not None and (not shape or shape[0] % a.num_groups):
            raise DefinitionError(
                f"the channels of an input of {list(shape)} must be divisible by"
                f" num_groups {a.num_groups}"
            )
        return Built(specs, output=shape)

    return build


_AFFINE = "beta_initializer='zeros', gamma_initializer='ones', "
_FLAGS = "epsilon: Number = 1e-05, center: Flag = True, "
_STATISTICS = (
    f"(axis: Integer = 1, momentum: Number = 0.9, {_FLAGS}scale: Flag = True, "
    f"use_global_stats: Flag = False, {_AFFINE}running_mean_initializer='zeros', "
    "running_variance_initializer='ones', in_channels: Count = 0, **kwargs)"
)

NORMALIZATIONS = dict(
    [
        layer(f"BatchNorm{_STATISTICS}", _normalization),
        layer(f"BatchNormReLU{_STATISTICS}", _normalization),
        layer(
            f"LayerNorm(axis: Integer = -1, {_FLAGS}scale: Flag = True, {_AFFINE}"
            "in_channels: Count = 0, prefix: Text | None = None, params: Layer | None = None)",
            _normalization,
        ),
        layer(
            f"InstanceNorm(axis: Integer = 1, {_FLAGS}scale: Flag = False, {_AFFINE}"
            "in_channels: Count = 0, **kwargs)",
            _normalization,
        ),
        layer(
            f"GroupNorm(num_groups: Size = 1, {_FLAGS}scale: Flag = True, {_AFFINE}"
            "prefix: Text | None = None, params: Layer | None = None)",
            _group_norm,
        ),
    ]
)
"""Layer functions by name."""
