"""Frameworks: whose names, layouts and default initializers hold. One module each."""

from paraminspect.frameworks._framework import (
    FRAMEWORKS,
    Construction,
    Framework,
    draw_in_order,
    foreign,
    load_framework,
    load_words,
    walk,
)
from paraminspect.frameworks._random_numbers import (
    find_random_numbers,
    open_generator,
    random_numbers,
    rng_aliases,
)

__all__ = [
    "FRAMEWORKS",
    "Construction",
    "Framework",
    "draw_in_order",
    "find_random_numbers",
    "foreign",
    "load_framework",
    "load_words",
    "open_generator",
    "random_numbers",
    "rng_aliases",
    "walk",
]
