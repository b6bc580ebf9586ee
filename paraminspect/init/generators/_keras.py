"""Keras's random numbers: `keras.utils.set_random_seed(seed)`, then constructing a model, on CPU.

Each initializer takes a seed from Python's own generator when it is made, and draws with it
through the backend. So values depend on the order of construction, but no draw depends on the
length of those before it. Exact but where a QR decomposition is inside, and for torch a square
root, which it does not round correctly (`BatchNormalization(renorm=True)` of a random variance).
Sources: keras/src/random/seed_generator.py, keras/src/initializers/random_initializers.py of
Keras 3.15.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import partial

from paraminspect.arrays import Array, DType, Shape, count_elements
from paraminspect.arrays.lazy import Recipe
from paraminspect.errors import SchemeError
from paraminspect.init.distributions import Normal, Orthogonal, Seeded, TruncatedNormal, Uniform
from paraminspect.init.generators._compose import Random, compose, drawn
from paraminspect.init.generators._generator import Draw
from paraminspect.init.generators._matrices import made_orthonormal, matrix_shape
from paraminspect.init.generators._whole import Latest
from paraminspect.init.generators.streams._jax_random import CUT
from paraminspect.init.generators.streams._keras_backends import Backend, Begun
from paraminspect.tree.layers import Seed

HIGHEST_SEED = (1 << 32) - 1
"""What `keras.utils.set_random_seed` takes: NumPy's seeds."""

HIGHEST_DRAWN = 10**9
"""The highest seed of an initializer that was given none (`make_default_seed`)."""


class Keras:
    """Gives each draw a seed, in turn, after `keras.utils.set_random_seed(seed)`."""

    repeats_construction = True

    def __init__(self, backend: Backend, seed: int) -> None:
        if not 0 <= seed <= HIGHEST_SEED:
            raise SchemeError(
                f"keras.utils.set_random_seed takes seeds from 0 to 2**32 - 1, got {seed}"
            )
        self._backend = backend
        self._seeds = random.Random(seed)
        self._taken: dict[Seed, int] = {}
        self._latest = Latest()

    def arrays(self, draws: Sequence[Draw]) -> Mapping[str, Array]:
        """The array of each name after all draws."""
        made: dict[str, Array] = {}
        for draw in draws:
            array = drawn(draw, partial(self._draw, draw.seed))
            made.update(dict.fromkeys(draw.names, array))
        return made

    def _seed(self, seed: Seed | None) -> int:
        """What a draw begins with; a seed that several share is taken at the first of them."""
        if seed is not None and seed.given is not None:
            least, most = self._backend.seeds
            if not least <= seed.given <= most:
                raise SchemeError(
                    f"an initializer of Keras on {self._backend.name} takes seeds from {least}"
                    f" to {most}, got {seed.given}"
                )
            return seed.given
        if seed in self._taken:
            return self._taken[seed]
        fresh = self._seeds.randint(1, HIGHEST_DRAWN)
        if seed is not None:
            self._taken[seed] = fresh
        return fresh

    def _draw(self, shared: Seed | None, distribution: Random, shape: Shape, dtype: DType) -> Array:
        """An initializer with a seed of its own draws with it, and takes none from the model."""
        if isinstance(distribution, Seeded):
            own = partial(self._draw, Seed(distribution.seed))
            return compose(distribution.inner, shape, dtype, own)
        backend = self._backend
        if dtype.name not in backend.dtypes:
            known = ", ".join(backend.dtypes)
            raise SchemeError(f"Keras on {backend.name} draws {known}, not {dtype}")
        seed = self._seed(shared)
        draw = Begun(seed, count_elements(shape), dtype.to_numpy())
        match distribution:
            case Uniform():
                make = backend.uniform(draw, distribution.low, distribution.high)
            case Normal():
                make = backend.normal(draw, distribution.mean, distribution.std)
            case TruncatedNormal():
                _check_cut(distribution)
                make = backend.truncated(draw, distribution.mean, distribution.std)
            case Orthogonal():
                return self._orthogonal(seed, distribution, shape, dtype)
            case _:
                name = type(distribution).__name__
                raise SchemeError(f"Keras has no {name} initializer").unless(rng="native")
        return Recipe(shape, dtype, make)

    def _orthogonal(self, seed: int, distribution: Orthogonal, shape: Shape, dtype: DType) -> Array:
        """`Orthogonal`; LAPACK's last bits differ from build to build."""
        if distribution.method != "qr":
            raise SchemeError("Keras has no orthogonal_svd").unless(rng="native")
        if distribution.columns != shape[-1]:
            raise SchemeError("Keras's orthogonal is (in·kernel, out)").unless(layout="in_out")
        if dtype.nbits < 32:
            raise SchemeError(f"orthogonal matrices of {dtype} are not reproduced: draw float32")
        rows, columns = matrix_shape(distribution)
        draw = Begun(seed, rows * columns, dtype.to_numpy())
        read = self._backend.normal(draw, 0.0, 1.0)
        return self._latest.whole(shape, dtype, partial(made_orthonormal, read, distribution))


def _check_cut(distribution: TruncatedNormal) -> None:
    low, high = distribution.standard_bounds
    if (low, high) != (-CUT, CUT):
        raise SchemeError(
            f"Keras cuts normals at ±{CUT:g} standard deviations, not at {low:g} and {high:g},"
            " as truncated_normal does"
        ).unless(rng="native")
