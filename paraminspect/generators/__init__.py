"""Generators: whose random numbers fill an array. One module each, NumPy only, in blocks.

A generator gets every draw in the order in which it happens, and gives arrays that make their
values when they are read, in any order, from any thread, whole or in part: always the same values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from paraminspect.arrays import Array, DType, Shape
from paraminspect.distributions import Distribution


@dataclass(frozen=True)
class Draw:
    """One drawing: of a shape and dtype from a distribution, for the parameters `names`.

    Several names get the same values, as deep copies do; without a name the values are thrown
    away. `contiguous` is False where what is drawn does not lie densely in its parameter.
    """

    names: tuple[str, ...]
    shape: Shape
    dtype: DType
    distribution: Distribution
    contiguous: bool = True


class Generator(Protocol):
    """Whose random numbers: made with a seed, it turns draws into arrays."""

    replays: str | None
    """The framework whose construction it repeats: it must be given all draws, in their order.

    None: values depend on the name alone, and nothing else need be drawn.
    """

    def arrays(self, draws: Sequence[Draw]) -> Mapping[str, Array]:
        """The array of each name after all draws. `SchemeError`: what it cannot draw."""
