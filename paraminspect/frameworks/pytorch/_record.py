"""PyTorch 2.13."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paraminspect.frameworks._framework import Framework
from paraminspect.frameworks.pytorch._random_numbers import RANDOM_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paraminspect.compute import Computation
    from paraminspect.frameworks._modelling import Modelling
    from paraminspect.init.schemes import SchemeFunction


def _modelling() -> Modelling:
    from paraminspect.frameworks.pytorch._modelling import MODELLING

    return MODELLING


def _computation() -> Computation:
    from paraminspect.frameworks.pytorch.compute._computation import COMPUTATION

    return COMPUTATION


def _words() -> Mapping[str, SchemeFunction]:
    from paraminspect.frameworks.pytorch._words import WORDS

    return WORDS


FRAMEWORK = Framework(
    name="pytorch",
    aliases=("torch", "pt"),
    modelling=_modelling,
    computation=_computation,
    words=_words,
    random_numbers=RANDOM_NUMBERS,
    metadata={"format": "pt"},
    has_post_init=True,
)
