"""Normal numbers by the ziggurat [Marsaglia & Tsang 2000, 256 layers], with NumPy.

The area below exp(-x**2 / 2) is cut into 256 horizontal layers of equal area. A candidate is a
layer, all being equally likely, and an x anywhere in its width. Where |x| is below the width of the
layer above (`inner`), the layer lies below the curve in its whole height, so x is taken at once:
98.5 % are. Else `settle` draws a height within the layer and takes x if that point lies below the
curve. The lowest layer has no end: what exceeds EDGE there is drawn from the tail.

Two choices make the bits a promise. Only + - * / sqrt, integer operations and table look-ups are
used, which every machine and NumPy rounds alike; a library's log or exp differs from one to the
next. And what the first word does not settle draws further words keyed by its position, not the
next ones of the stream: so no value depends on how many others were drawn again before it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[Any]]
Words = np.ndarray[Any, np.dtype[np.uint64]]

LAYERS = 256

EDGE = 3.654152885361009
"""Where the tail begins: the solution for 256 layers of equal area, computed with 50 digits."""

AREA = 0.004928673233974655
"""The area of each layer."""

DENSITY_AT_EDGE = 0.0012602859304985975
"""exp(-EDGE**2 / 2)."""


@dataclass(frozen=True)
class Tables:
    """Per layer: its width, the width of the part wholly below the curve, and its lower density."""

    width: Floats
    inner: Floats
    density: Floats
    width32: Floats
    inner32: Floats


@functools.cache
def tables() -> Tables:
    """The layers, from the lowest, whose width beyond EDGE has the area of the tail.

    Each is a rectangle of AREA: its height is AREA / width, and its top is where the next begins,
    as wide as the curve is there: x = sqrt(-2 log(density)).
    """
    widths, densities = [AREA / DENSITY_AT_EDGE, EDGE], [0.0, DENSITY_AT_EDGE]
    while len(widths) < LAYERS:
        densities.append(densities[-1] + AREA / widths[-1])
        widths.append(float(np.sqrt(-2.0 * log(np.array(densities[-1])))))
    width, density = np.array(widths), np.array([*densities, 1.0])
    inner = np.array([*widths[1:], 0.0])
    return Tables(
        width,
        inner,
        density,
        (width * 2.0**-23).astype(np.float32),
        inner.astype(np.float32),
    )


def log(x: Floats) -> Floats:
    """Natural logarithm of positive float64, within 1 ulp (fdlibm's `e_log.c`)."""
    bits = x.view(np.int64) - 0x3FE6A09E667F3BCD  # sqrt(1/2)
    k = bits >> 52
    f = ((bits & 0xFFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD).view(np.float64) - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (0.3999999999940941908 + w * (0.2222219843214978396 + w * 0.1531383769920937332))
    odd = z * (
        0.6666666666666735130
        + w * (0.2857142874366239149 + w * (0.1818357216161805012 + w * 0.1479819860511658591))
    )
    half = 0.5 * f * f
    low = s * (half + (even + odd)) + k * 1.90821492927058770002e-10
    result: Floats = k * 6.93147180369123816490e-01 - ((half - low) - f)
    return result


def mixed(keys: Words, index: Words) -> Words:
    """Words keyed by key and index: the function of SplitMix64 [Steele, Lea & Flood 2014]."""
    z = (index + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + keys
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


def unit(keys: Words, index: Words) -> Floats:
    """Numbers in (0, 1), keyed by key and index, each a multiple of 2**-53."""
    units: Floats = ((mixed(keys, index) >> np.uint64(12)) + 0.5) * 2.0**-52
    return units


@dataclass(frozen=True)
class Places:
    """Where values are, for the words that they draw alone: keys of their blocks, and positions."""

    keys: Words
    positions: Words

    def __getitem__(self, chosen: np.ndarray[Any, Any]) -> Places:
        return Places(self.keys[chosen], self.positions[chosen])


class Scratch:
    """Buffers for the candidates of one block, used again by the next: one set per thread."""

    def __init__(self, length: int) -> None:
        self.layer = np.empty(length, np.intp)
        self.signed = np.empty(length, np.int32)
        self.scale = np.empty(length, np.float32)
        self.inner = np.empty(length, np.float32)
        self.outside = np.empty(length, np.bool_)


def candidates32(
    words: np.ndarray[Any, Any], out: Floats, scratch: Scratch
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Put candidates of float32 into `out`; give where they are to be settled, and their layers.

    Bits 0 to 7 of a uint32 word choose the layer, 8 to 31 are a signed fraction of its width.
    """
    n, t = len(words), tables()
    layer, signed = scratch.layer[:n], scratch.signed[:n]
    scale, inner, outside = scratch.scale[:n], scratch.inner[:n], scratch.outside[:n]
    np.bitwise_and(words, np.uint32(LAYERS - 1), out=layer, casting="unsafe")
    t.width32.take(layer, out=scale, mode="clip")
    t.inner32.take(layer, out=inner, mode="clip")
    np.right_shift(words.view(np.int32), 8, out=signed)
    np.multiply(signed, scale, out=out, dtype=np.float32, casting="unsafe")
    np.abs(out, out=scale)
    np.greater_equal(scale, inner, out=outside)
    at = np.flatnonzero(outside)
    return at, layer[at]


def candidates64(words: Words) -> tuple[Floats, np.ndarray[Any, Any]]:
    """Candidates of float64 and their layers, one of each uint64 word, of 53 bits."""
    layer = (words & np.uint64(LAYERS - 1)).astype(np.intp)
    return (words.view(np.int64) >> 11) * (tables().width[layer] * 2.0**-52), layer


def settle(values: Floats, layer: np.ndarray[Any, Any], places: Places) -> Floats:
    """Candidates outside the inner part of their layers, accepted or drawn again until they are.

    A candidate outside the inner part of the lowest layer is in the tail, and stays there
    until a distance is accepted. Each round takes three words of a place, keyed by
    index 0 to 2: the height (in the tail the distance), the height in the tail, and the next
    candidate. A place has 2**32 of them, far more than any number of rounds takes.

    `height < exp(-x**2 / 2)` is tested as `-2 log(height) > x**2`: log is the one function here.
    """
    done, waiting = values.astype(np.float64), np.arange(len(values))
    values, keys, index = done.copy(), places.keys, places.positions << np.uint64(32)
    density, inner = tables().density, tables().inner
    while len(waiting):
        height = density[layer] + unit(keys, index) * (density[layer + 1] - density[layer])
        accepted = -2.0 * log(height) > values * values
        tail = np.flatnonzero(layer == 0)
        values[tail], accepted[tail] = _tail(values[tail], keys[tail], index[tail])
        done[waiting] = values
        left = np.flatnonzero(~accepted)
        waiting, keys, index, layer = waiting[left], keys[left], index[left], layer[left]
        in_tail = layer == 0
        fresh, fresh_layer = candidates64(mixed(keys, index + np.uint64(2)))
        values, layer = np.where(in_tail, values[left], fresh), np.where(in_tail, 0, fresh_layer)
        done[waiting] = values
        left = np.flatnonzero(in_tail | (np.abs(values) >= inner[layer]))
        waiting, keys, index = waiting[left], keys[left], index[left] + np.uint64(3)
        values, layer = values[left], layer[left]
    return done


def _tail(values: Floats, keys: Words, index: Words) -> tuple[Floats, np.ndarray[Any, Any]]:
    """New values beyond the edge, with their signs, and which are accepted [Marsaglia 1964].

    The distance is exponential with rate EDGE, which lies above the curve, and kept in proportion
    to exp(-distance**2 / 2), by which the curve is lower.
    """
    beyond = -log(unit(keys, index)) / EDGE
    accepted = -2.0 * log(unit(keys, index + np.uint64(1))) > beyond * beyond
    return np.copysign(EDGE + beyond, values), accepted


def normal_of(words: Words, places: Places) -> Floats:
    """Standard normal float64, one of each uint64 word."""
    values, layer = candidates64(words)
    at = np.flatnonzero(np.abs(values) >= tables().inner[layer])
    values[at] = settle(values[at], layer[at], places[at])
    return values
