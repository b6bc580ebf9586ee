"""JAX's random numbers: a key for each parameter, and `jax.nn.initializers` with it, on CPU.

Parameter number c, counted from 0 in the order of the tree, whether random or not, gets the key
`fold_in(key(seed), c)`, as `flax.nnx.Rngs(params=seed)` gives them out. Each value comes from its
key and its place alone. Sources: jax/_src/nn/initializers.py of JAX 0.10, flax/nnx/rnglib.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from paraminspect.arrays import Array, DType, Shape
from paraminspect.arrays.lazy import Make, Recipe
from paraminspect.errors import SchemeError
from paraminspect.init.distributions import (
    TRUNCATED_STD,
    DeltaOrthogonal,
    Normal,
    Orthogonal,
    Seeded,
    Steps,
    TruncatedNormal,
    Uniform,
)
from paraminspect.init.generators._compose import Random, compose
from paraminspect.init.generators._generator import Draw
from paraminspect.init.generators._matrices import at_centre, matrix_shape, orthonormal, shaped
from paraminspect.init.generators._whole import Latest
from paraminspect.init.generators.streams._jax_random import (
    CUT,
    DTYPES,
    in_chunks,
    normal,
    truncated_normal,
    uniform,
)
from paraminspect.init.generators.streams._threefry import Key

Floats = np.ndarray[Any, np.dtype[np.float32]]


class JAX:
    """Every array from the number of its parameter alone.

    Only the low 32 bits of the seed count, as without `jax_enable_x64`.
    """

    repeats_construction = False

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
        if dtype.name not in DTYPES:
            raise SchemeError(
                f"of JAX's random numbers {', '.join(DTYPES)} are reproduced, not {dtype}"
            )
        check_initializer(distribution, shape)
        match distribution:
            case Uniform() | Normal() | TruncatedNormal():
                make = maker(key, distribution, dtype.to_numpy())
                return Recipe(shape, dtype, in_chunks(make, dtype.to_numpy()))
            case Orthogonal() | DeltaOrthogonal() if dtype.nbits < 32:
                raise SchemeError(f"JAX makes no orthogonal matrices of {dtype}")
            case Orthogonal():
                matrix = partial(_shaped_orthogonal, key, distribution, shape)
                return self._latest.whole(shape, dtype, matrix)
            case DeltaOrthogonal():
                rows, columns = shape[:-3:-1] if distribution.transposed else shape[-2:]
                inner = Orthogonal(distribution.gain, rows, columns)
                centre = partial(_delta_orthogonal, key, inner, distribution, shape)
                return self._latest.whole(shape, dtype, centre)
            case Seeded():
                raise SchemeError("JAX's initializers have no seeds of their own")
        name = type(distribution).__name__
        raise SchemeError(f"JAX has no {name} initializer").unless(rng="native")


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
        distribution.method != "qr" or distribution.columns != shape[_column_axis(distribution)]
    ):
        raise SchemeError("JAX's orthogonal is (in·kernel, out)").unless(layout="in_out")
    if isinstance(distribution, DeltaOrthogonal) and not distribution.kernel_first:
        raise SchemeError("JAX's kernels are (*kernel, in, out)").unless(layout="in_out")


def maker(key: Key, distribution: Uniform | Normal | TruncatedNormal, dtype: np.dtype[Any]) -> Make:
    """What makes any stretch of values, scaled in their dtype as the initializers do."""
    kind, variance = dtype.type, None
    if distribution.variance is not None:
        variance = kind(distribution.variance)
    match distribution:
        case Uniform():
            if variance is None:
                low, high = kind(distribution.low), kind(distribution.high)
                return partial(uniform, key, low, high)
            scale = np.sqrt(kind(3) * variance)
            return partial(_times, partial(uniform, key, kind(-1), kind(1)), scale)
        case Normal():
            scale = kind(distribution.std) if variance is None else np.sqrt(variance)
            return partial(_times, partial(normal, key, dtype), scale)
    scale = kind(distribution.std)
    if variance is not None:
        scale = np.sqrt(variance) / kind(TRUNCATED_STD)
    return partial(_times, partial(truncated_normal, key, dtype), scale)


def _times(make: Make, scale: Any, start: int, stop: int) -> Floats:
    values: Floats = make(start, stop) * scale
    return values


def _shaped_orthogonal(key: Key, distribution: Orthogonal, shape: Shape) -> Floats:
    return shaped(_orthogonal(key, distribution), distribution, shape)


def _delta_orthogonal(
    key: Key, inner: Orthogonal, distribution: DeltaOrthogonal, shape: Shape
) -> Floats:
    return at_centre(_orthogonal(key, inner), distribution, shape)


def _column_axis(distribution: Orthogonal) -> int:
    return -1 if distribution.column_axis is None else distribution.column_axis


def _orthogonal(key: Key, distribution: Orthogonal) -> Floats:
    """`jax.nn.initializers.orthogonal`; LAPACK's last bits differ from build to build."""
    rows, columns = matrix_shape(distribution)
    dtype = np.dtype(np.float32)
    drawn = in_chunks(partial(normal, key, dtype), dtype)(0, rows * columns)
    return orthonormal(drawn.reshape(rows, columns), distribution)
