"""JAX 0.10: its initializers and random numbers. It has no layers: no definition is of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paraminspect.frameworks._framework import Framework
from paraminspect.frameworks.jax._random_numbers import RANDOM_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paraminspect.init.schemes import SchemeFunction


def _words() -> Mapping[str, SchemeFunction]:
    from paraminspect.frameworks.jax._words import WORDS

    return WORDS


FRAMEWORK = Framework(
    name="jax",
    aliases=("flax", "nnx"),
    words=_words,
    random_numbers=RANDOM_NUMBERS,
)
