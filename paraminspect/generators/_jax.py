"""JAX's random numbers: a key for each parameter, and `jax.nn.initializers` with it, on CPU.

Parameter number c, counted from 0 in the order of the tree, whether random or not, gets the key
`fold_in(key(seed), c)`, as `flax.nnx.Rngs(params=seed)` gives them out. Each value comes from its
key and its place alone. Exact where XLA fuses products and sums: x86 with FMA. Sources:
jax/_src/random.py, jax/_src/nn/initializers.py of JAX 0.10, flax/nnx/rnglib.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from paraminspect.arrays import Array, DType, Shape, count_elements
from paraminspect.distributions import (
    DeltaOrthogonal,
    Normal,
    Orthogonal,
    Steps,
    TruncatedNormal,
    Uniform,
)
from paraminspect.errors import SchemeError
from paraminspect.generators import Draw
from paraminspect.generators._compose import Random, compose
from paraminspect.generators._fma import fma32
from paraminspect.generators._matrices import at_centre, matrix_shape, orthonormal
from paraminspect.generators._threefry import Key, bits
from paraminspect.generators._whole import Latest
from paraminspect.generators._xla import SQRT2, erf_inv
from paraminspect.recipes import Recipe

Floats = np.ndarray[Any, np.dtype[np.float32]]

TRUNCATED_STD = np.float32(0.87962566103423978)
"""By which a normal cut at ±2 is divided."""

CUT = 2.0
"""Bounds of the only truncated normal of `jax.nn.initializers`, in standard deviations."""

_ERF_OF_CUT = np.float32(0.9544997215270996)
"""erf(2 / sqrt(2))."""

_CHUNK = 1 << 14
"""Values computed at a time: what is needed for them stays in the processor's cache."""


def open_generator(name: str, seed: int) -> JAX:  # noqa: ARG001 (one version so far)
    """The generator; only the low 32 bits of the seed count, as without `jax_enable_x64`."""
    return JAX(seed)


class JAX:
    """Every array from the number of its parameter alone."""

    replays = None

    def __init__(self, seed: int) -> None:
        self._key = Key.of_seed(seed)
        self._latest = Latest()

    def arrays(self, draws: Sequence[Draw]) -> Mapping[str, Array]:
        """The array of each name after all draws."""
        made: dict[str, Array] = {}
        for number, draw in enumerate(draws):
            if isinstance(draw.distribution, Steps):
                raise SchemeError("JAX draws a parameter once: it has no lists of schemes")
            own = partial(self.draw, self._key.fold_in(number))
            array = compose(draw.distribution, draw.shape, draw.dtype, own)
            made.update(dict.fromkeys(draw.names, array))
        return made

    def draw(self, key: Key, distribution: Random, shape: Shape, dtype: DType) -> Array:
        """What an initializer draws with a key; raises `SchemeError` for what JAX has not."""
        if dtype.name != "float32":
            raise SchemeError(f"of JAX's random numbers only float32 is reproduced, not {dtype}")
        check_initializer(distribution, shape)
        match distribution:
            case Uniform() | Normal() | TruncatedNormal():
                make = maker(key, distribution)
                return Recipe(shape, dtype, lambda start, stop: _in_chunks(make, start, stop))
            case Orthogonal():
                matrix = partial(_orthogonal, key, distribution)
                return self._latest.whole(shape, dtype, matrix)
            case DeltaOrthogonal():
                inner = Orthogonal(distribution.gain, shape[-2], shape[-1])
                return self._latest.whole(
                    shape, dtype, lambda: at_centre(_orthogonal(key, inner), distribution, shape)
                )
        raise SchemeError(f"JAX has no {type(distribution).__name__} initializer: use --rng native")


def check_initializer(distribution: Random, shape: Shape) -> None:
    """Refuse what `jax.nn.initializers` cannot be asked for."""
    if isinstance(distribution, Normal | TruncatedNormal) and distribution.mean:
        raise SchemeError(f"JAX's normal initializers have the mean 0, not {distribution.mean}")
    if isinstance(distribution, TruncatedNormal):
        low, high = distribution.standard_bounds
        if (low, high) != (-CUT, CUT):
            raise SchemeError(
                "of JAX's truncated normals only those cut at ±2 standard deviations are"
                f" reproduced, not at {low:g} and {high:g}"
            )
    if getattr(distribution, "variance", None) is not None and len(shape) < 2:
        raise SchemeError(f"JAX counts no fans of fewer than 2 axes, shape {list(shape)}")
    if isinstance(distribution, Orthogonal) and (
        distribution.method != "qr" or distribution.columns != shape[-1]
    ):
        raise SchemeError("JAX's orthogonal is (in·kernel, out): say --layout in_out")
    if isinstance(distribution, DeltaOrthogonal) and not distribution.kernel_first:
        raise SchemeError("JAX's kernels are (*kernel, in, out): say --layout in_out")


def maker(
    key: Key, distribution: Uniform | Normal | TruncatedNormal
) -> Callable[[int, int], Floats]:
    """What makes any stretch of values, scaled in float32 as the initializers do."""
    f32 = np.float32
    variance = None if distribution.variance is None else f32(distribution.variance)
    match distribution:
        case Uniform():
            if variance is None:
                return partial(uniform, key, f32(distribution.low), f32(distribution.high))
            scale = np.sqrt(f32(3) * variance)
            return lambda start, stop: uniform(key, f32(-1), f32(1), start, stop) * scale
        case Normal():
            scale = f32(distribution.std) if variance is None else np.sqrt(variance)
            return lambda start, stop: normal(key, start, stop) * scale
    scale = f32(distribution.std) if variance is None else np.sqrt(variance) / TRUNCATED_STD
    return lambda start, stop: truncated_normal(key, start, stop) * scale


def _in_chunks(make: Callable[[int, int], Floats], start: int, stop: int) -> Floats:
    out = np.empty(stop - start, np.float32)
    for i in range(start, stop, _CHUNK):
        last = min(i + _CHUNK, stop)
        out[i - start : last - start] = make(i, last)
    return out


def uniform(key: Key, low: np.float32, high: np.float32, start: int, stop: int) -> Floats:
    """`jax.random.uniform(key, minval=low, maxval=high)` at flat indices."""
    words = (bits(key, start, stop) >> np.uint32(9)) | np.uint32(0x3F800000)
    units = words.view(np.float32) - np.float32(1)
    return np.maximum(low, fma32(units, float(high - low), float(low)))


def normal(key: Key, start: int, stop: int) -> Floats:
    """`jax.random.normal(key)` at flat indices."""
    low = np.nextafter(np.float32(-1), np.float32(0))
    return SQRT2 * erf_inv(uniform(key, low, np.float32(1), start, stop))


def truncated_normal(key: Key, start: int, stop: int) -> Floats:
    """`jax.random.truncated_normal(key, -2, 2)` at flat indices."""
    values = SQRT2 * erf_inv(uniform(key, -_ERF_OF_CUT, _ERF_OF_CUT, start, stop))
    inner = np.nextafter(np.float32(CUT), np.float32(0))
    clipped: Floats = np.clip(values, -inner, inner)
    return clipped


def _orthogonal(key: Key, distribution: Orthogonal) -> Floats:
    """`jax.nn.initializers.orthogonal`; LAPACK's last bits differ from build to build."""
    rows, columns = matrix_shape(distribution)
    drawn = _in_chunks(partial(normal, key), 0, count_elements((rows, columns)))
    return orthonormal(drawn.reshape(rows, columns), distribution)
