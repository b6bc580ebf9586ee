"""Standard normal numbers within bounds, keyed by position: each draws alone until one fits."""

from __future__ import annotations

import numpy as np

from paraminspect.init.generators.streams._ziggurat import (
    Floats,
    Places,
    log,
    mixed,
    normal_of,
    unit,
)

SMALL_SHARE = 0.3
"""Where less of the normal lies within the bounds, `within` is faster than `redrawn`."""

REACH = 10.0
"""How far from the mode a value may be: what lies further has a share below 2**-70."""

_APART = np.uint64(1 << 63)
"""Added to an index, so that it is none of those that the ziggurat uses with the same key."""


def redrawn(places: Places, low: float, high: float) -> Floats:
    """Normals, drawn again until they are within the bounds."""
    values, waiting = np.empty(len(places.keys)), np.arange(len(places.keys))
    while len(waiting):
        places = _next_attempt(places)
        fresh = normal_of(mixed(places.keys, places.positions + _APART), places)
        values[waiting] = fresh
        left = np.flatnonzero((fresh < low) | (fresh > high))
        waiting, places = waiting[left], places[left]
    return values


def within(places: Places, low: float, high: float) -> Floats:
    """Normals, from uniform candidates that are kept in proportion to the density."""
    mode = min(max(0.0, low), high)
    low, high = max(low, mode - REACH), min(high, mode + REACH)
    values, waiting = np.empty(len(places.keys)), np.arange(len(places.keys))
    while len(waiting):
        places = _next_attempt(places)
        fresh = low + unit(places.keys, places.positions) * (high - low)
        values[waiting] = fresh
        height = log(unit(places.keys, places.positions + _APART))
        left = np.flatnonzero(2.0 * height > mode * mode - fresh * fresh)
        waiting, places = waiting[left], places[left]
    return values


def _next_attempt(places: Places) -> Places:
    return Places(mixed(places.keys, np.full(1, 1 << 62, np.uint64)), places.positions)
