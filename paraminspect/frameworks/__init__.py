"""Frameworks: whose names, layouts and defaults hold. One folder and one record each."""

from paraminspect.frameworks._declare import declare
from paraminspect.frameworks._finding import (
    FRAMEWORKS,
    GROUP,
    defined,
    foreign,
    framework_of,
    frameworks,
    load_computation,
    load_framework,
    load_modelling,
    load_words,
)
from paraminspect.frameworks._framework import Framework
from paraminspect.frameworks._modelling import Construction, Modelling
from paraminspect.frameworks._naming import Named, name_by_path
from paraminspect.frameworks._random_numbers import (
    find_random_numbers,
    open_generator,
    random_numbers,
    rng_aliases,
)

__all__ = [
    "FRAMEWORKS",
    "GROUP",
    "Construction",
    "Framework",
    "Modelling",
    "Named",
    "declare",
    "defined",
    "find_random_numbers",
    "foreign",
    "framework_of",
    "frameworks",
    "load_computation",
    "load_framework",
    "load_modelling",
    "load_words",
    "name_by_path",
    "open_generator",
    "random_numbers",
    "rng_aliases",
]
