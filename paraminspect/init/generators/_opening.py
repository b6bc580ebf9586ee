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
from paraminspect.errors import ArgumentError, SchemeError, brief, nearest
from paraminspect.init.distributions import Distribution
from paraminspect.tree.layers import Seed


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


@dataclass(frozen=True)
class Reproduced:
    """What a generator reproduces: its module here, whose random numbers, and how they are made."""

    module: str
    framework: str | None
    what: str


_KERAS = "keras.utils.set_random_seed(seed) and constructing the model, backend on CPU"

NATIVE = "native"
"""Our own random numbers."""

GENERATORS: dict[str, Reproduced] = {
    NATIVE: Reproduced(
        "_native", None, "keyed by seed, name and block: adding a layer changes no other"
    ),
    "pytorch-2.13": Reproduced(
        "_pytorch", "pytorch", "torch.manual_seed(seed) and constructing the model, on CPU"
    ),
    "keras-3.15-tensorflow": Reproduced("_keras", "keras", f"{_KERAS}: TensorFlow"),
    "keras-3.15-jax": Reproduced("_keras", "keras", f"{_KERAS}: JAX"),
    "keras-3.15-torch": Reproduced("_keras", "keras", f"{_KERAS}: torch"),
    "jax-0.10": Reproduced(
        "_jax", "jax", "jax.nn.initializers, keys of flax.nnx.Rngs(params=seed), tree order"
    ),
    "mxnet-1.9": Reproduced("_mxnet", "mxnet", "mx.random.seed(seed) and net.initialize(), on CPU"),
}
"""By the names of `--rng`."""

RNG_ALIASES = {
    "pytorch": "pytorch-2.13",
    "keras": "keras-3.15-tensorflow",
    "keras-jax": "keras-3.15-jax",
    "keras-torch": "keras-3.15-torch",
    "jax": "jax-0.10",
    "mxnet": "mxnet-1.9",
}
"""The newest version of each."""

OTHER_NAMES = {
    **dict.fromkeys(("torch", "pt"), "pytorch"),
    **dict.fromkeys(("tensorflow", "tf", "keras-tensorflow", "tf-keras", "tf_keras"), "keras"),
    **dict.fromkeys(("flax", "nnx"), "jax"),
    **dict.fromkeys(("gluon", "mx"), "mxnet"),
    **dict.fromkeys(("numpy", "own"), NATIVE),
}
"""What else a framework, or a generator, is called."""


def reproduced(name: str) -> Reproduced:
    """What the generator of a name reproduces; raises `SchemeError` for one that there is not."""
    if not isinstance(name, str):
        why = "a function of yours is given one: f(rng, shape)"
        raise ArgumentError(
            f"rng is whose random numbers, as in 'pytorch', got {brief(name)}; {why}"
        )
    full = RNG_ALIASES.get(name, name)
    if full not in GENERATORS:
        raise SchemeError(_unknown(name))
    return GENERATORS[full]


def open_generator(name: str, seed: int) -> Generator:
    """The generator of a name with a seed; raises `SchemeError` for one that there is not.

    Each module has a function `open_generator(name, seed)`.
    """
    if not hasattr(seed, "__index__") or isinstance(seed, bool):
        raise ArgumentError(f"the seed must be an integer, got {brief(seed)}")
    module = importlib.import_module(f"paraminspect.init.generators.{reproduced(name).module}")
    generator: Generator = module.open_generator(RNG_ALIASES.get(name, name), operator.index(seed))
    return generator


def _unknown(name: str) -> str:
    known = [*GENERATORS, *RNG_ALIASES]
    framework, _, version = name.partition("-")
    if name.lower() in OTHER_NAMES:
        return f"unknown rng {name!r}, did you mean {OTHER_NAMES[name.lower()]!r}?"
    framework = OTHER_NAMES.get(framework.lower(), framework)
    if framework in RNG_ALIASES and version:
        reproduced = [one for one in GENERATORS if one.startswith(f"{framework}-")]
        return (
            f"the random numbers of {name} are not reproduced: they differ from version to version"
            f" and on GPUs; those of {', '.join(reproduced)} (CPU) are"
        )
    return f"unknown rng {name!r}, expected one of {', '.join(known)}{nearest(name, known)}"
