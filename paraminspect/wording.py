"""Wording: a number of things, as a sentence says it."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 name`, `2,048 names`, `3 axes` for `counted(3, "axis", "axes")`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
