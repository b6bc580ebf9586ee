"""The stream of MT19937 [Matsumoto & Nishimura 1998], read at any position, from any thread.

There is no quick way to a far position: the stream is walked once, 3 ns a word, and its state is
kept every so often, the more rarely the longer the walk. What comes later begins at the nearest
state before it.
"""

from __future__ import annotations

import bisect
from typing import Any

import numpy as np

from paraminspect.runtime import Lock

Words = np.ndarray[Any, np.dtype[np.uint32]]

MARK_DISTANCE = 1 << 20
"""Words between kept states, of 2.5 KB each, until there are too many of them."""

MOST_MARKS = 4096
"""States that are kept."""

_WALK = 1 << 18
"""Words of one step of a walk: 1 MB that is used again at once."""


class Mt19937:
    """The 32-bit words of `init_genrand(seed)`, which is NumPy's old and PyTorch's seeding."""

    def __init__(self, seed: int, most_marks: int = MOST_MARKS) -> None:
        self._most_marks = most_marks
        self._distance = MARK_DISTANCE
        self._lock = Lock()
        self._bits = np.random.MT19937(0)
        self._rng = np.random.Generator(self._bits)
        seeded = np.random.RandomState(seed & 0xFFFFFFFF).get_state(legacy=False)
        self._at = 0
        self._marks = [0]
        self._states: list[Any] = [{"bit_generator": "MT19937", "state": seeded["state"]}]
        self._bits.state = self._states[0]

    @property
    def kept(self) -> int:
        """How many states are kept."""
        return len(self._states)

    def read(self, position: int, count: int) -> Words:
        """Words `position` to `position + count`."""
        with self._lock:
            self._seek(position)
            self._at += count
            words = self._draw(count)
            self._mark()
            return words

    def _draw(self, count: int) -> Words:
        return self._rng.integers(0, 1 << 32, size=count, dtype=np.uint32)

    def _seek(self, position: int) -> None:
        nearest = bisect.bisect_right(self._marks, position) - 1
        if not self._marks[nearest] <= self._at <= position:
            self._bits.state = self._states[nearest]
            self._at = self._marks[nearest]
        while self._at < position:
            step = min(_WALK, position - self._at)
            self._draw(step)
            self._at += step
            self._mark()

    def _mark(self) -> None:
        """Keep the state here, unless there is one not far before."""
        where = bisect.bisect_right(self._marks, self._at)
        if self._at - self._marks[where - 1] >= self._distance:
            self._marks.insert(where, self._at)
            self._states.insert(where, self._bits.state)
        if len(self._marks) > self._most_marks:
            self._distance *= 2
            del self._marks[1::2], self._states[1::2]
