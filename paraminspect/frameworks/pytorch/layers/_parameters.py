"""What the parameters of PyTorch's layers have in common: dtypes, fans and default schemes."""

from __future__ import annotations

import math
from types import SimpleNamespace

from paraminspect.arrays import DTYPES, DType, Shape, parse_dtype
from paraminspect.errors import ExpressionError
from paraminspect.tree.layers import Fans, Spec

FACTORY = "device: Text | Count | None = None, dtype: TypeName | None = None"
"""The last arguments of every layer that makes parameters."""

KAIMING = "kaiming_uniform(a=5**0.5)"

DRAWN = ("float16", "bfloat16", "float32", "float64", "complex64", "complex128")
"""What `uniform_` and `normal_` can draw."""

FILLED = (
    *DRAWN,
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
)
"""What can be trained at all; ones and zeros can be filled in."""

STORED = (
    *FILLED,
    *("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"),
)
"""What a buffer can be."""


def dtype_of(a: SimpleNamespace, allowed: tuple[str, ...] = DRAWN) -> DType:
    """The dtype that a layer's `dtype=` asks for; PyTorch cannot make the others for it."""
    if a.dtype is None:
        return DTYPES["float32"]
    dtype = parse_dtype(a.dtype)
    if dtype.name not in allowed:
        raise ExpressionError(f"dtype must be one of {', '.join(allowed)}, got {dtype}")
    return dtype


def within(fan: int) -> str:
    """The scheme U(-1/sqrt(fan), 1/sqrt(fan)); torch fills with zeros where fan is 0."""
    return f"uniform(-1/sqrt({fan}), 1/sqrt({fan}))" if fan else "zeros"


def weight(shape: Shape, scheme: str, dtype: DType, trainable: bool = True) -> Spec:
    """A weight with fans as `torch.nn.init._calculate_fan_in_and_fan_out` counts them."""
    field = math.prod(shape[2:])
    fans = Fans(shape[1] * field, shape[0] * field)
    return Spec(shape, scheme, fans, "out_in", dtype, trainable)


def spec_of(shape: Shape, scheme: str, dtype: DType, trainable: bool = True) -> Spec:
    """A parameter of any shape; from two axes on torch counts fans, whatever it stands for."""
    if len(shape) < 2:
        return Spec(shape, scheme, dtype=dtype, trainable=trainable)
    return weight(shape, scheme, dtype, trainable)


def scale_and_shift(shape: Shape, a: SimpleNamespace, scale: bool, shift: bool) -> dict[str, Spec]:
    """A weight of ones and a bias of zeros, where asked for."""
    if not scale:
        return {}
    dtype = dtype_of(a, FILLED)
    specs = {"weight": spec_of(shape, "ones", dtype)}
    return specs | ({"bias": spec_of(shape, "zeros", dtype)} if shift else {})
