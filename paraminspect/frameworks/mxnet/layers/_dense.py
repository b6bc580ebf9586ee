"""Dense layers and embeddings."""

from __future__ import annotations

import math
from types import SimpleNamespace

from paraminspect.arrays import DTYPES, Shape
from paraminspect.errors import DefinitionError, counted
from paraminspect.frameworks.mxnet.layers._declare import (
    ACTIVATION,
    DTYPE,
    Deferred,
    initialized,
    known_fans,
    layer,
)
from paraminspect.frameworks.mxnet.layers._shapes import refuse_time_major, with_last
from paraminspect.tree.layers import Build, Built, Spec, UnknownInputError


def _dense(a: SimpleNamespace) -> Build:
    weight_scheme = initialized(a, "weight_initializer", "weight")
    is_own = a.weight_initializer is not None
    dtype = DTYPES[a.dtype]
    bias = Spec((a.units,), initialized(a, "bias_initializer", "bias"), dtype=dtype)
    kind = Spec if a.in_units else Deferred

    def build(shape: Shape | None) -> Built:
        in_units = a.in_units or _in_units(a, shape)
        if shape is not None and in_units != _in_units(a, shape):
            raise DefinitionError(
                f"expected an input of {counted(in_units, 'unit')}, got {list(shape)}"
            )
        whole = (a.units, in_units)
        weight = kind(whole, weight_scheme, known_fans(whole), "out_in", dtype, own_scheme=is_own)
        specs = {"weight": weight}
        if a.use_bias:
            specs["bias"] = bias
        return Built(specs, output=_dense_output(a, shape))

    return build


def _in_units(a: SimpleNamespace, shape: Shape | None) -> int:
    if shape is None:
        raise UnknownInputError("Dense")
    if not a.flatten:
        if not shape:
            raise DefinitionError("expected an input of at least 1 axis beside the batch, got []")
        return shape[-1]
    if not a.in_units:
        refuse_time_major(shape, "give flatten=False")
    return math.prod(shape)


def _dense_output(a: SimpleNamespace, shape: Shape | None) -> Shape | None:
    if a.flatten:
        return (a.units,)
    return None if shape is None else with_last(shape, a.units)


def _embedding(a: SimpleNamespace) -> Build:
    shape = (a.input_dim, a.output_dim)
    scheme = initialized(a, "weight_initializer", "weight")
    is_own = a.weight_initializer is not None
    dtype = DTYPES[a.dtype]
    specs = {"weight": Spec(shape, scheme, known_fans(shape), "out_in", dtype, own_scheme=is_own)}
    return lambda given: Built(
        specs, output=None if given is None else type(given)((*given, a.output_dim))
    )


DENSE = dict(
    [
        layer(
            f"Dense(units: Size, activation: {ACTIVATION} | None = None, use_bias: Flag = True, "
            f"flatten: Flag = True, dtype: {DTYPE} = 'float32', weight_initializer=None, "
            "bias_initializer='zeros', in_units: Count = 0, **kwargs)",
            _dense,
        ),
        layer(
            f"Embedding(input_dim: Size, output_dim: Size, dtype: {DTYPE} = 'float32', "
            "weight_initializer=None, sparse_grad: Flag = False, **kwargs)",
            _embedding,
        ),
    ]
)
"""Layer functions by name."""
