"""`jax.random` on CPU: any stretch of what a key draws, in float16, bfloat16 or float32.

Exact where XLA fuses products and sums of float32: x86 with FMA. Operations on 16 bits are rounded
one by one. Source: jax/_src/random of JAX 0.10.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from paraminspect.arrays.lazy import Make
from paraminspect.init.generators.streams._fma import fma32
from paraminspect.init.generators.streams._threefry import Key, bits
from paraminspect.init.generators.streams._xla import erf_inv

Values = np.ndarray[Any, np.dtype[Any]]
Numbers = np.dtype[Any]

CUT = 2.0
"""Bounds of the truncated normals of initializers, in standard deviations."""

_ERF_OF_CUT = np.float32(0.9544997215270996)
"""erf(2 / sqrt(2))."""

_SQRT2 = np.sqrt(2)

_MANTISSA_BITS = {"float16": 10, "bfloat16": 7, "float32": 23}
DTYPES = tuple(_MANTISSA_BITS)
"""Without `jax_enable_x64`, which changes the numbers of all dtypes, there is no float64."""

_RANDOM_BITS = {"float16": 16, "bfloat16": 8, "float32": 32}
"""How many low bits of each word are used; the highest of these become the mantissa."""

_CHUNK = 1 << 14
"""Values computed at a time: what is needed for them stays in the processor's cache."""


def in_chunks(make: Make, dtype: Numbers) -> Make:
    """What makes the same values, a few at a time."""
    return partial(_chunked, make, dtype)


def _chunked(make: Make, dtype: Numbers, start: int, stop: int) -> Values:
    out = np.empty(stop - start, dtype)
    for i in range(start, stop, _CHUNK):
        last = min(i + _CHUNK, stop)
        out[i - start : last - start] = make(i, last)
    return out


def uniform(key: Key, low: Any, high: Any, start: int, stop: int) -> Values:
    """`jax.random.uniform(key, minval=low, maxval=high)` at flat indices, in the bounds' dtype."""
    units = _units(key, start, stop, low.dtype)
    if low.dtype == np.float32:
        scaled = fma32(units, float(high - low), float(low))
    else:
        scaled = units * (high - low) + low
    values: Values = np.maximum(low, scaled)
    return values


def _units(key: Key, start: int, stop: int, dtype: Numbers) -> Values:
    """Numbers in [0, 1)."""
    one, random = np.ones(1, dtype), _RANDOM_BITS[dtype.name]
    words = bits(key, start, stop) & np.uint32((1 << random) - 1)
    words >>= np.uint32(random - _MANTISSA_BITS[dtype.name])
    mantissa = words.astype(f"u{dtype.itemsize}")
    units: Values = (mantissa | one.view(mantissa.dtype)).view(dtype) - one
    return units


def normal(key: Key, dtype: Numbers, start: int, stop: int) -> Values:
    """`jax.random.normal(key, dtype=dtype)` at flat indices."""
    low = np.nextafter(dtype.type(-1), dtype.type(0))
    return _quantiles(uniform(key, low, dtype.type(1), start, stop))


def truncated_normal(key: Key, dtype: Numbers, start: int, stop: int) -> Values:
    """`jax.random.truncated_normal(key, -2, 2, dtype=dtype)` at flat indices."""
    bound, cut = dtype.type(_ERF_OF_CUT), dtype.type(CUT)
    values = _quantiles(uniform(key, -bound, bound, start, stop))
    inner = np.nextafter(cut, dtype.type(0))
    within: Values = np.minimum(inner, np.maximum(-inner, values))
    return within


def _quantiles(x: Values) -> Values:
    """sqrt(2)·erf_inv(x), each operation rounded to the dtype of x."""
    inverse = erf_inv(x.astype(np.float32, copy=False)).astype(x.dtype, copy=False)
    values: Values = x.dtype.type(_SQRT2) * inverse
    return values
