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

__all__ = [
    "FRAMEWORKS",
    "Construction",
    "Framework",
    "draw_in_order",
    "foreign",
    "load_framework",
    "load_words",
    "walk",
]
