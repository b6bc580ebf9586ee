"""What each of MXNet's 1024 generators draws, in turn, for the draws that they share.

Normal numbers are drawn by rejection, so where a later draw begins can only be found by counting.
Sources: src/operator/random/sampler.h of MXNet 1.9.1, and the libstdc++ that its wheel carries.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from paraminspect.init.generators.streams._libm import logf
from paraminspect.init.generators.streams._mt19937 import Mt19937, Words
from paraminspect.runtime import Lock

Floats = np.ndarray[Any, np.dtype[np.float32]]

STREAMS = 1024

LEAST_STEP = 64
"""Values that a generator draws before another one helps."""

_PIECE = 1 << 14
"""Normal numbers between places that are kept."""

_MOST_MARKS = 8
"""States that a generator keeps: together they take 20 MB."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A draw that the generators share: each has `step` values of it, as far as they go."""

    count: int
    is_normal: bool

    @property
    def step(self) -> int:
        """Values that one generator draws."""
        helpers = min(-(-self.count // LEAST_STEP), STREAMS)
        return -(-self.count // helpers) if helpers else 1

    def share(self, number: int) -> int:
        """How many values generator `number` draws."""
        return min(max(self.count - number * self.step, 0), self.step)


class Stream:
    """What one of the generators draws, in turn; nothing is made before it is asked for.

    Only where each draw begins is kept, because there are 1024 generators; for the draw that was
    read last, also where every `_PIECE` values begin.
    """

    def __init__(self, number: int, seed: int, draws: Sequence[Shared]) -> None:
        self._number = number
        self._seed = seed
        self._draws = draws
        self._words: Mt19937 | None = None
        self._starts = array("q", [0])
        self._latest = -1
        self._pieces = array("q")
        self._lock = Lock()

    def values(self, draw: int, start: int, stop: int) -> Floats:
        """Values of its share of a draw: uniform in [0, 1], 1 included, or standard normal."""
        with self._lock:
            if self._words is None:
                self._words = Mt19937(self._seed, _MOST_MARKS)
            words = self._words
            while len(self._starts) <= draw:
                self._starts.append(self._end(len(self._starts) - 1, words))
            if not self._draws[draw].is_normal:
                return _units(words.read(self._starts[draw] + start, stop - start))
            return self._normals(draw, start, stop, words)

    def _end(self, draw: int, words: Mt19937) -> int:
        """Where the generator is after a draw: normal numbers are counted."""
        count = self._draws[draw].share(self._number)
        if not self._draws[draw].is_normal:
            return self._starts[draw] + count
        self._look_at(draw)
        pieces = -(-count // _PIECE)
        while len(self._pieces) <= pieces:
            self._piece(draw, len(self._pieces) - 1, words)
        return self._pieces[pieces]

    def _normals(self, draw: int, start: int, stop: int, words: Mt19937) -> Floats:
        self._look_at(draw)
        out = np.empty(stop - start, np.float32)
        for i in range(start // _PIECE, -(-stop // _PIECE)):
            values = self._piece(draw, i, words)
            base = i * _PIECE
            first, last = max(base, start), min(base + _PIECE, stop)
            out[first - start : last - start] = values[first - base : last - base]
        return out

    def _look_at(self, draw: int) -> None:
        if self._latest != draw:
            self._latest, self._pieces = draw, array("q", [self._starts[draw]])

    def _piece(self, draw: int, number: int, words: Mt19937) -> Floats:
        """A piece of the normal numbers of a draw; where the next one begins is kept."""
        while len(self._pieces) <= number:
            self._piece(draw, len(self._pieces) - 1, words)
        count = min(_PIECE, self._draws[draw].share(self._number) - number * _PIECE)
        values, end = _polar(words, self._pieces[number], count)
        if len(self._pieces) == number + 1:
            self._pieces.append(end)
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
