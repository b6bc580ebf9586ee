"""The names of `rng`: our own random numbers, and those of every framework."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from types import ModuleType

from paraminspect.errors import ArgumentError, SchemeError, brief, nearest
from paraminspect.init.generators import NATIVE, Generator, RandomNumbers

KNOWN = ("pytorch", "keras", "jax", "mxnet")
"""The frameworks with random numbers, those too of which there are no layers."""


@functools.cache
def random_numbers() -> Mapping[str, RandomNumbers]:
    """What can be reproduced, by name."""
    every = [NATIVE, *(one for name in KNOWN for one in _module(name).RANDOM_NUMBERS)]
    return {one.name: one for one in every}


@functools.cache
def rng_aliases() -> Mapping[str, str]:
    """Shorter names, each of the newest version: alias to name."""
    return {alias: one.name for one in random_numbers().values() for alias in one.aliases}


@functools.cache
def also_called() -> Mapping[str, str]:
    """What else a framework, or our own random numbers, may be called: to the name here."""
    ours = dict.fromkeys(("numpy", "own"), NATIVE.name)
    return {other: name for name in KNOWN for other in _module(name).ALSO_CALLED} | ours


def find_random_numbers(name: str) -> RandomNumbers:
    """The random numbers of a name; raises `SchemeError` for one that there is not."""
    if not isinstance(name, str):
        why = "a function of yours is given one: f(rng, shape)"
        raise ArgumentError(
            f"rng is whose random numbers, as in 'pytorch', got {brief(name)}; {why}"
        )
    found = random_numbers().get(rng_aliases().get(name, name))
    if found is None:
        raise SchemeError(_unknown(name))
    return found


def open_generator(name: str, seed: int) -> Generator:
    """The generator of a name with a seed; raises `SchemeError` for one that there is not."""
    return find_random_numbers(name).generator(seed)


def _module(framework: str) -> ModuleType:
    return importlib.import_module(f"paraminspect.frameworks.{framework}._random_numbers")


def _unknown(name: str) -> str:
    if name.lower() in also_called():
        return f"unknown rng {name!r}, did you mean {also_called()[name.lower()]!r}?"
    framework, _, version = name.partition("-")
    framework = also_called().get(framework.lower(), framework)
    reproduced = [one.name for one in random_numbers().values() if one.framework == framework]
    if reproduced and version:
        return (
            f"the random numbers of {name} are not reproduced: they differ from version to version"
            f" and on GPUs; those of {', '.join(reproduced)} (CPU) are"
        )
    known = [*random_numbers(), *rng_aliases()]
    return f"unknown rng {name!r}, expected one of {', '.join(known)}{nearest(name, known)}"
