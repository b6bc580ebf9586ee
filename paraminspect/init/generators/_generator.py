"""What draws: the record of random numbers that can be reproduced, and a generator of them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from paraminspect.arrays import Array, DType, Shape
from paraminspect.errors import ArgumentError, brief
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
    """Made with a seed, it turns draws into arrays."""

    repeats_construction: bool
    """Whether it must be given all that its framework draws to construct a model, in that order.

    Otherwise values depend on the name (native) or the place (JAX) of a parameter alone.
    """

    def arrays(self, draws: Sequence[Draw]) -> Mapping[str, Array]:
        """The array of each name after all draws. `SchemeError`: what it cannot draw."""


@dataclass(frozen=True)
class RandomNumbers:
    """Random numbers that can be reproduced: what `rng` names.

    `name` has the version that they are exact for; `aliases` are the names whose newest version
    they are; `how` is the program that draws the same. `framework` is the one whose words a scheme
    is in, None for the common ones. `open` imports the generator only when it is called: the names
    are known without NumPy.
    """

    name: str
    aliases: tuple[str, ...]
    how: str
    open: Callable[[int], Generator]
    framework: str | None = None

    def generator(self, seed: int) -> Generator:
        """The generator of a seed; raises `SchemeError` for a seed that it does not take."""
        if not hasattr(seed, "__index__") or isinstance(seed, bool):
            raise ArgumentError(f"the seed must be an integer, got {brief(seed)}")
        return self.open(operator.index(seed))
