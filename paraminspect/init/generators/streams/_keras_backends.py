"""How the backends of Keras draw with a seed, on CPU: `keras/src/backend/*/random.py`.

A backend draws standard numbers and scales them in the dtype of the weight, with a rounding after
each operation. How a Python number becomes one of that dtype differs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from paraminspect.arrays import DType
from paraminspect.arrays.lazy import Make
from paraminspect.init.generators.streams._aten import NormalDraw, UniformDraw
from paraminspect.init.generators.streams._jax_random import (
    CUT,
    DTYPES,
    in_chunks,
    normal,
    truncated_normal,
    uniform,
)
from paraminspect.init.generators.streams._mt19937 import Mt19937
from paraminspect.init.generators.streams._program import Placed, Program
from paraminspect.init.generators.streams._tensorflow import Stateless
from paraminspect.init.generators.streams._threefry import Key

Values = np.ndarray[Any, np.dtype[Any]]
Numbers = np.dtype[Any]

TENSORFLOW_MODULUS = 2**31 - 2
"""TensorFlow draws with a seed modulo this (`_cast_seed`)."""

CANDIDATES = 4
"""Normals that torch draws for each truncated one, of which it takes the first that fits."""


@dataclass(frozen=True)
class Begun:
    """A draw that is to be made: its seed, and how many values of which dtype it has."""

    seed: int
    count: int
    dtype: Numbers


class Backend(Protocol):
    """Each method gives what makes any stretch of the values of a draw."""

    name: str
    dtypes: tuple[str, ...]
    seeds: tuple[float, float]
    """The least and the highest seed that an initializer takes."""

    def uniform(self, draw: Begun, low: float, high: float) -> Make:
        """`keras.random.uniform`."""

    def normal(self, draw: Begun, mean: float, std: float) -> Make:
        """`keras.random.normal`."""

    def truncated(self, draw: Begun, mean: float, std: float) -> Make:
        """`keras.random.truncated_normal`."""


class TensorFlow:
    """`tf.random.stateless_*` of TensorFlow 2.21."""

    name = "TensorFlow"
    seeds: tuple[float, float] = (-(2**63), 2**63 - 1)
    dtypes: tuple[str, ...] = ("float16", "bfloat16", "float32", "float64")

    def uniform(self, draw: Begun, low: float, high: float) -> Make:
        """The bounds pass through float32 even to float64 (`tf.cast` of a Python number)."""
        stream, kind = _stateless(draw), draw.dtype.type
        first, last = kind(np.float32(low)), kind(np.float32(high))
        return _scaled(partial(stream.uniform, dtype=draw.dtype), first, last - first, draw.dtype)

    def normal(self, draw: Begun, mean: float, std: float) -> Make:
        """Scaled by numbers of the dtype."""
        numbers = _narrowed(mean, draw.dtype), _narrowed(std, draw.dtype)
        return _scaled(partial(_stateless(draw).normal, dtype=draw.dtype), *numbers, draw.dtype)

    def truncated(self, draw: Begun, mean: float, std: float) -> Make:
        """Scaled by numbers of the dtype."""
        numbers = _narrowed(mean, draw.dtype), _narrowed(std, draw.dtype)
        return _scaled(partial(_stateless(draw).truncated, dtype=draw.dtype), *numbers, draw.dtype)


class JAX:
    """`jax.random` of JAX 0.10."""

    name = "JAX"
    seeds: tuple[float, float] = (0, 2**32 - 1)
    dtypes = DTYPES

    def uniform(self, draw: Begun, low: float, high: float) -> Make:
        """Between the bounds, which fuses the scaling of float32."""
        bounds = _narrowed(low, draw.dtype), _narrowed(high, draw.dtype)
        return in_chunks(partial(uniform, _key(draw), *bounds), draw.dtype)

    def normal(self, draw: Begun, mean: float, std: float) -> Make:
        """Scaled by numbers of the dtype."""
        standard = in_chunks(partial(normal, _key(draw), draw.dtype), draw.dtype)
        numbers = _narrowed(mean, draw.dtype), _narrowed(std, draw.dtype)
        return _scaled(standard, *numbers, draw.dtype)

    def truncated(self, draw: Begun, mean: float, std: float) -> Make:
        """Scaled by numbers of the dtype."""
        standard = in_chunks(partial(truncated_normal, _key(draw), draw.dtype), draw.dtype)
        numbers = _narrowed(mean, draw.dtype), _narrowed(std, draw.dtype)
        return _scaled(standard, *numbers, draw.dtype)


class Torch:
    """A `torch.Generator` of PyTorch 2.13 for each draw; 16 bits are multiplied by float32."""

    name = "torch"
    seeds: tuple[float, float] = (-math.inf, math.inf)  # its low 32 bits count
    dtypes: tuple[str, ...] = ("float16", "bfloat16", "float32", "float64")

    def uniform(self, draw: Begun, low: float, high: float) -> Make:
        """`torch.rand`, scaled; the width is computed in float64."""
        units = _placed(draw, UniformDraw(draw.count, 0.0, 1.0, DType.of(draw.dtype)))
        width = _wide(draw.dtype).type(high - low)
        return _scaled(units.values, _narrowed(low, draw.dtype), width, draw.dtype)

    def normal(self, draw: Begun, mean: float, std: float) -> Make:
        """`torch.normal`, which scales with one rounding less."""
        return _placed(draw, NormalDraw(draw.count, mean, std, DType.of(draw.dtype))).values

    def truncated(self, draw: Begun, mean: float, std: float) -> Make:
        """The first of four normals that lies within the bounds, or else the first of all."""
        normals = _placed(draw, NormalDraw(CANDIDATES * draw.count, 0.0, 1.0, DType.of(draw.dtype)))
        standard = partial(_first_that_fits, normals)
        factor = _wide(draw.dtype).type(std)
        return _scaled(standard, _narrowed(mean, draw.dtype), factor, draw.dtype)


def _first_that_fits(normals: Placed, start: int, stop: int) -> Values:
    drawn = normals.values(CANDIDATES * start, CANDIDATES * stop).reshape(-1, CANDIDATES)
    fitting = np.argmax((drawn > -CUT) & (drawn < CUT), axis=-1)
    return np.take_along_axis(drawn, fitting[:, np.newaxis], axis=-1).reshape(-1)


def _stateless(draw: Begun) -> Stateless:
    return Stateless.of_seed(draw.seed % TENSORFLOW_MODULUS)


def _key(draw: Begun) -> Key:
    """The seed is the key, not what a key is made from."""
    return Key(draw.seed, 0)


def _placed(draw: Begun, drawing: UniformDraw | NormalDraw) -> Placed:
    return Program(Mt19937(draw.seed)).append(drawing)


def _narrowed(number: float, dtype: Numbers) -> Any:
    """A Python number in a dtype; on its way to 16 bits it is rounded to 32."""
    return dtype.type(_wide(dtype).type(number))


def _wide(dtype: Numbers) -> Numbers:
    return np.dtype(np.float32) if dtype.itemsize < 4 else dtype


def _scaled(standard: Make, addend: Any, factor: Any, dtype: Numbers) -> Make:
    """`x * factor + addend`, each operation rounded to the dtype."""
    return partial(_scaled_values, standard, addend, factor, dtype)


def _scaled_values(
    standard: Make, addend: Any, factor: Any, dtype: Numbers, start: int, stop: int
) -> Values:
    product = (standard(start, stop) * factor).astype(dtype, copy=False)
    moved: Values = product + addend
    return moved
