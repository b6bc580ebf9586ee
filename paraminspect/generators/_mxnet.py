"""MXNet's random numbers: `mx.random.seed(seed)`, then every draw of a construction, on CPU.

1024 generators serve each draw together: value i of n is drawn by generator i // step, in turn, and
all of them stay where they are for the next draw. Normal numbers are drawn by rejection, so where
a later draw begins can only be found by counting. Sources: src/operator/random/sampler.h,
include/mxnet/random_generator.h of MXNet 1.9.1, and the libstdc++ that its wheel carries.
"""

from __future__ import annotations

import bisect
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from paraminspect.arrays import Array, DType, Shape, count_elements
from paraminspect.distributions import Normal, Orthogonal, Uniform
from paraminspect.errors import SchemeError
from paraminspect.generators import Draw
from paraminspect.generators._compose import Random, compose
from paraminspect.generators._libm import logf
from paraminspect.generators._matrices import orthonormal
from paraminspect.generators._mt19937 import Mt19937, Words
from paraminspect.generators._whole import Latest
from paraminspect.recipes import Recipe

Floats = np.ndarray[Any, np.dtype[np.float32]]

STREAMS = 1024
LEAST_STEP = 64
"""Values that a generator draws before another one helps."""

SEED_FACTOR = 127
"""Generator i begins with the seed 127 · seed + i."""

_PIECE = 1 << 14
"""Normal numbers between places that are kept."""


def open_generator(name: str, seed: int) -> MXNet:  # noqa: ARG001 (one version so far)
    """The generators after `mx.random.seed(seed)`; only the low 32 bits of the seed count."""
    return MXNet(seed)


class MXNet:
    """Draws in turn from the same generators."""

    replays = "mxnet"

    def __init__(self, seed: int) -> None:
        self._streams = [_Stream(SEED_FACTOR * seed + i) for i in range(STREAMS)]
        self._latest = Latest()

    def arrays(self, draws: Sequence[Draw]) -> Mapping[str, Array]:
        """The array of each name after all draws."""
        made: dict[str, Array] = {}
        for draw in draws:
            array = compose(draw.distribution, draw.shape, draw.dtype, self._draw)
            made.update(dict.fromkeys(draw.names, array))
        return made

    def _draw(self, distribution: Random, shape: Shape, dtype: DType) -> Array:
        if dtype.name != "float32":
            raise SchemeError(f"of MXNet's random numbers only float32 is reproduced, not {dtype}")
        match distribution:
            case Uniform() | Normal():
                return Recipe(shape, dtype, self._placed(distribution, count_elements(shape)))
            case Orthogonal() if distribution.method == "svd":
                rows, columns = distribution.rows, distribution.columns
                read = self._placed(distribution.source, rows * columns)

                def make() -> Floats:
                    matrix = read(0, rows * columns).reshape(rows, columns)
                    return orthonormal(matrix, distribution)

                return self._latest.whole(shape, dtype, make)
        raise SchemeError(
            f"MXNet has no {type(distribution).__name__} initializer: it draws uniform, normal"
            " and orthogonal_svd; use --rng native"
        )

    def _placed(self, distribution: Uniform | Normal, count: int) -> Callable[[int, int], Floats]:
        """A draw behind all others: what gives its values from `start` to `stop`."""
        helpers = min(-(-count // LEAST_STEP), STREAMS)
        step = -(-count // helpers) if helpers else 1
        is_normal = isinstance(distribution, Normal)
        parts = [
            self._streams[i].append(min(step, count - i * step), is_normal)
            for i in range(-(-count // step))
        ]

        def read(start: int, stop: int) -> Floats:
            out = np.empty(stop - start, np.float32)
            for i in range(start // step, -(-stop // step)):
                first, last = max(i * step, start), min((i + 1) * step, stop)
                out[first - start : last - start] = self._streams[i].values(
                    parts[i], first - i * step, last - i * step
                )
            return _scaled(out, distribution)

        return read


def _scaled(values: Floats, distribution: Uniform | Normal) -> Floats:
    """Scaled in place by two roundings; the operator gets its numbers as text."""
    if isinstance(distribution, Uniform):
        offset = parse_float32(repr(distribution.low))
        factor = parse_float32(repr(distribution.high)) - offset
    else:
        offset, factor = (
            parse_float32(repr(distribution.mean)),
            parse_float32(repr(distribution.std)),
        )
    values *= factor
    values += offset
    return values


@dataclass(slots=True)
class _Part:
    """What one generator draws for one draw; `marks` are positions after every `_PIECE` values."""

    count: int
    is_normal: bool
    marks: list[int] = field(default_factory=list)


class _Stream:
    """What one of the generators draws, in turn; nothing is made before it is asked for."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._parts: list[_Part] = []
        self._words: Mt19937 | None = None
        self._lock = threading.Lock()

    def append(self, count: int, is_normal: bool) -> int:
        """A part behind all others: its number."""
        self._parts.append(_Part(count, is_normal))
        return len(self._parts) - 1

    def values(self, number: int, start: int, stop: int) -> Floats:
        """Standard values of a part; they are uniform in [0, 1], 1 included, or normal."""
        with self._lock:
            if self._words is None:
                self._words = Mt19937(self._seed)
            self._place(number, self._words)
            part = self._parts[number]
            if not part.is_normal:
                return _units(self._words.read(part.marks[0] + start, stop - start))
            return self._normals(part, start, stop, self._words)

    def _place(self, number: int, words: Mt19937) -> None:
        """Find where a part begins: behind the one before, whose values are counted."""
        placed = bisect.bisect(self._parts, False, key=lambda part: not part.marks)
        for i in range(placed, number + 1):
            if i == 0:
                self._parts[0].marks.append(0)
            else:
                self._parts[i].marks.append(_end(self._parts[i - 1], words))

    @staticmethod
    def _normals(part: _Part, start: int, stop: int, words: Mt19937) -> Floats:
        out = np.empty(stop - start, np.float32)
        for i in range(start // _PIECE, -(-stop // _PIECE)):
            values = _piece(part, i, words)
            base = i * _PIECE
            first, last = max(base, start), min(base + _PIECE, stop)
            out[first - start : last - start] = values[first - base : last - base]
        return out


def _end(part: _Part, words: Mt19937) -> int:
    """Where the generator is after a part."""
    if not part.is_normal:
        return part.marks[0] + part.count
    pieces = -(-part.count // _PIECE)
    while len(part.marks) <= pieces:
        _piece(part, len(part.marks) - 1, words)
    return part.marks[pieces]


def _piece(part: _Part, number: int, words: Mt19937) -> Floats:
    """A piece of the normal numbers of a part; where the next one begins is kept."""
    while len(part.marks) <= number:
        _piece(part, len(part.marks) - 1, words)
    count = min(_PIECE, part.count - number * _PIECE)
    values, end = _polar(words, part.marks[number], count)
    if len(part.marks) == number + 1:
        part.marks.append(end)
    return values


def _polar(words: Mt19937, position: int, count: int) -> tuple[Floats, int]:
    """Standard normal numbers by the polar method [Marsaglia & Bray 1964], and where they end.

    The second number of each pair is thrown away. As many pairs are tried as numbers are missing,
    so never one too many.
    """
    out = np.empty(count, np.float32)
    missing = count
    while missing:
        units = _units(words.read(position, 2 * missing))
        position += 2 * missing
        x, y = (
            units[0::2] * np.float32(2) - np.float32(1),
            units[1::2] * np.float32(2) - np.float32(1),
        )
        square = x * x + y * y
        kept = (square <= 1) & (square != 0)
        square = square[kept]
        done = count - missing
        out[done : done + len(square)] = y[kept] * np.sqrt(np.float32(-2) * logf(square) / square)
        missing -= len(square)
    return out, position


def _units(words: Words) -> Floats:
    """In [0, 1]: a word may round up to 1."""
    return words.astype(np.float32) * np.float32(2.0**-32)


FRACTION_DIGITS = 19
"""More digits of a fraction are not read."""


def parse_float32(text: str) -> np.float32:
    """A number as `dmlc::stof` reads it, which does not round to the nearest (strtonum.h)."""
    sign = -1 if text.startswith("-") else 1
    mantissa, _, exponent = text.lstrip("+-").lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    value = np.float32(int(whole or 0))
    fraction = fraction[:FRACTION_DIGITS]
    if fraction:
        value = value + np.float32(int(fraction) / 10.0 ** len(fraction))
    if exponent:
        eights, ones = divmod(min(abs(int(exponent)), 38), 8)
        scale = np.float32(1)
        for factor in [np.float32(1e8)] * eights + [np.float32(10)] * ones:
            scale *= factor
        value = value / scale if int(exponent) < 0 else value * scale
    return np.float32(sign) * value
