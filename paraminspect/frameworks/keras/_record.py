"""Keras 3.15."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paraminspect.frameworks._framework import Framework
from paraminspect.frameworks.keras._random_numbers import RANDOM_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paraminspect.compute import Computation
    from paraminspect.frameworks._modelling import Modelling
    from paraminspect.init.schemes import SchemeFunction


def _modelling() -> Modelling:
    from paraminspect.frameworks.keras._modelling import MODELLING

    return MODELLING


def _computation() -> Computation:
    from paraminspect.frameworks.keras.compute._computation import COMPUTATION

    return COMPUTATION


def _words() -> Mapping[str, SchemeFunction]:
    from paraminspect.frameworks.keras._words import WORDS

    return WORDS


FRAMEWORK = Framework(
    name="keras",
    aliases=("tensorflow", "tf", "keras-tensorflow", "tf-keras", "tf_keras"),
    modelling=_modelling,
    computation=_computation,
    words=_words,
    random_numbers=RANDOM_NUMBERS,
)
