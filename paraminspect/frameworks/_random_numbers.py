"""The names of `rng`: our own random numbers, and those of every framework."""

from __future__ import annotations

from paraminspect.errors import ArgumentError, SchemeError, brief, nearest
from paraminspect.frameworks._finding import frameworks, meant_by
from paraminspect.init.generators import NATIVE, Generator, RandomNumbers

OURS = ("numpy", "own")
"""What else our own may be called."""


def random_numbers() -> dict[str, RandomNumbers]:
    """What can be reproduced, by name: our own first."""
    every = [NATIVE, *(one for framework in frameworks() for one in framework.random_numbers)]
    return {one.name: one for one in every}


def rng_aliases() -> dict[str, str]:
    """Shorter names, each of the newest version: alias to name."""
    return {alias: one.name for one in random_numbers().values() for alias in one.aliases}


def find_random_numbers(name: str) -> RandomNumbers:
    """The random numbers of a name; raises `SchemeError` for one that there is not."""
    if not isinstance(name, str):
        why = "a function of yours is given one: f(rng, shape)"
        raise ArgumentError(
            f"rng is whose random numbers, as in 'pytorch', got {brief(name)}; {why}"
        )
    if name == NATIVE.name:  # which needs no framework
        return NATIVE
    found = random_numbers().get(rng_aliases().get(name, name))
    if found is None:
        raise SchemeError(_unknown(name))
    return found


def open_generator(name: str, seed: int) -> Generator:
    """The generator of a name with a seed; raises `SchemeError` for one that there is not."""
    return find_random_numbers(name).generator(seed)


def _unknown(name: str) -> str:
    meant = NATIVE.name if name.lower() in OURS else meant_by(name)
    if meant:
        return f"unknown rng {name!r}, did you mean {meant!r}?"
    first, _, version = name.partition("-")
    framework = meant_by(first) or first
    reproduced = [one.name for one in random_numbers().values() if one.framework == framework]
    if reproduced and version:
        return (
            f"the random numbers of {name} are not reproduced: they differ from version to version"
            f" and on GPUs; those of {', '.join(reproduced)} (CPU) are"
        )
    known = [*random_numbers(), *rng_aliases()]
    return f"unknown rng {name!r}, expected one of {', '.join(known)}{nearest(name, known)}"
