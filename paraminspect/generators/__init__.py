"""Generators: whose random numbers fill an array. One module each, NumPy only, in blocks.

A generator gets every draw in the order in which it happens, and gives arrays that make their
values when they are read, in any order, from any thread, whole or in part: always the same values.
"""

from __future__ import annotations

import importlib
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from paraminspect.arrays import Array, DType, Shape
from paraminspect.distributions import Distribution
from paraminspect.errors import ArgumentError, SchemeError, brief, nearest


@dataclass(frozen=True, eq=False)
class Seed:
    """What a framework begins several draws with alike, as it does for one initializer object.

    `given` is what the definition says, None where it is taken from the generator at first use.
    """

    given: int | None = None


@dataclass(frozen=True)
class Draw:
    """One drawing: of a shape and dtype from a distribution, for the parameters `names`.

    Several names get the same values, as deep copies do; without a name the values are thrown
    away. `contiguous` is False where what is drawn does not lie densely in its parameter.
    `seed` is for generators that begin each draw with a seed of its own; None: one for it alone.
    """

    names: tuple[str, ...]
    shape: Shape
    dtype: DType
    distribution: Distribution
    contiguous: bool = True
    seed: Seed | None = None


class Generator(Protocol):
    """Whose random numbers: made with a seed, it turns draws into arrays."""

    replays: str | None
    """The framework whose construction it repeats: it must be given all draws, in their order.

    None: values depend on the name alone, and nothing else need be drawn.
    """

    def arrays(self, draws: Sequence[Draw]) -> Mapping[str, Array]:
        """The array of each name after all draws. `SchemeError`: what it cannot draw."""


_KERAS = "keras.utils.set_random_seed(seed) and constructing the model, backend on CPU"

GENERATORS: dict[str, tuple[str, str]] = {
    "native": ("_native", "keyed by seed, name and block: adding a layer changes no other"),
    "pytorch-2.13": ("_pytorch", "torch.manual_seed(seed) and constructing the model, on CPU"),
    "keras-3.15-tensorflow": ("_keras", f"{_KERAS}: TensorFlow"),
    "keras-3.15-jax": ("_keras", f"{_KERAS}: JAX"),
    "keras-3.15-torch": ("_keras", f"{_KERAS}: torch"),
    "jax-0.10": ("_jax", "jax.nn.initializers, keys of flax.nnx.Rngs(params=seed), tree order"),
    "mxnet-1.9": ("_mxnet", "mx.random.seed(seed) and net.initialize(), on CPU"),
}
"""Name to (module of this package, what it reproduces)."""

RNG_ALIASES = {
    "pytorch": "pytorch-2.13",
    "keras": "keras-3.15-tensorflow",
    "keras-jax": "keras-3.15-jax",
    "keras-torch": "keras-3.15-torch",
    "jax": "jax-0.10",
    "mxnet": "mxnet-1.9",
}
"""The newest version of each."""


def open_generator(name: str, seed: int) -> Generator:
    """The generator of a name with a seed; raises `SchemeError` for one that there is not.

    Each module has a function `open_generator(name, seed)`.
    """
    if not isinstance(name, str):
        why = "a function of yours is given one: f(rng, shape)"
        raise ArgumentError(
            f"rng is whose random numbers, as in 'pytorch', got {brief(name)}; {why}"
        )
    if not hasattr(seed, "__index__") or isinstance(seed, bool):
        raise ArgumentError(f"the seed must be an integer, got {brief(seed)}")
    seed = operator.index(seed)
    full = RNG_ALIASES.get(name, name)
    if full not in GENERATORS:
        raise SchemeError(_unknown(name))
    module = importlib.import_module(f"{__name__}.{GENERATORS[full][0]}")
    generator: Generator = module.open_generator(full, seed)
    return generator


def _unknown(name: str) -> str:
    known = [*GENERATORS, *RNG_ALIASES]
    framework = name.partition("-")[0]
    if framework in RNG_ALIASES:
        reproduced = [one for one in GENERATORS if one.startswith(f"{framework}-")]
        return (
            f"the random numbers of {name} are not reproduced: they differ from version to version"
            f" and on GPUs; those of {', '.join(reproduced)} (CPU) are"
        )
    return f"unknown rng {name!r}, expected one of {', '.join(known)}{nearest(name, known)}"
