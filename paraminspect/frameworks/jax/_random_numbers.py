"""JAX's random numbers."""

from __future__ import annotations

from paraminspect.init.generators import Generator, RandomNumbers


def _open(seed: int) -> Generator:
    from paraminspect.init.generators._jax import JAX

    return JAX(seed)


RANDOM_NUMBERS = (
    RandomNumbers(
        "jax-0.10",
        ("jax",),
        "jax.nn.initializers, keys of flax.nnx.Rngs(params=seed), tree order",
        _open,
        "jax",
    ),
)
