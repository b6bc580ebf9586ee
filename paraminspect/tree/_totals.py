"""Totals: how much there is in a tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paraminspect.tree._parameter import Parameter


@dataclass(frozen=True)
class Totals:
    """Sums over a tree in which a tied array counts once."""

    names: int
    arrays: int
    count: int
    trainable: int | None
    nbytes: int
    weights: int
    """Parameters of the model: as many as elements, unless some of these are codes."""


def total(names: int, own: Sequence[Parameter]) -> Totals:
    """The totals of a tree of so many names and these arrays."""
    count = nbytes = trainable = weights = 0
    for p in own:  # one pass, and each count once: there may be a hundred thousand
        elements = p.count
        count += elements
        weights += elements if p.codes is None else p.codes.weights
        nbytes += p.dtype.nbytes(elements)
        trainable += elements if p.trainable else 0
    known = all(p.trainable is not None for p in own) and bool(own)
    return Totals(names, len(own), count, trainable if known else None, nbytes, weights)
