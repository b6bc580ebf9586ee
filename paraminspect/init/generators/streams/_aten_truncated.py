"""`torch.nn.init.trunc_normal_` of PyTorch 2.12 and later: whole redraws until every value fits.

What a stretch of the values is depends on its own places in each of the redraws alone; how many
redraws there are, and with it where the next draw begins, on all values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from paraminspect.arrays import DType
from paraminspect.init.generators.streams._aten import Cursor, NormalDraw, UniformDraw, cast
from paraminspect.init.generators.streams._mt19937 import Mt19937

Floats = np.ndarray[Any, np.dtype[Any]]

_STRETCH = 1 << 18
"""Values that are looked at together to count the redraws."""

FARTHEST = 9.0
"""No normal number drawn from 53 bits is farther from the mean, in standard deviations: 8.57 is."""


@dataclass(frozen=True)
class TruncatedDraw:
    """`trunc_normal_(mean, std, low, high)`."""

    count: int
    mean: float
    std: float
    low: float
    high: float
    dtype: DType

    @cached_property
    def by_normals(self) -> bool:
        """Whether normal numbers are drawn again, or uniform ones rejected by the density."""
        low, high = (self.low - self.mean) / self.std, (self.high - self.mean) / self.std
        return _cdf(high) - _cdf(low) > 0.3

    @property
    def _normal(self) -> NormalDraw:
        return NormalDraw(self.count, self.mean, self.std, self.dtype)

    def after(self, words: Mt19937, cursor: Cursor) -> Cursor:
        """Behind the redraws; to count them all values are computed, unless none can be outside."""
        reach = FARTHEST * self.std
        never_outside = self.low <= self.mean - reach and self.mean + reach <= self.high
        rounds = 1
        if not never_outside:
            for start in range(0, self.count, _STRETCH):
                stop = min(start + _STRETCH, self.count)
                rounds = max(rounds, self._made(words, cursor, start, stop)[1])
        for _ in range(rounds):
            cursor = self._after_round(words, cursor)
        return cursor

    def _after_round(self, words: Mt19937, cursor: Cursor) -> Cursor:
        if self.by_normals:
            return self._normal.after(words, cursor)
        return self._candidate.after(words, self._acceptance.after(words, cursor))

    def values(self, words: Mt19937, cursor: Cursor, start: int, stop: int) -> Floats:
        """The values, after as many rounds as they need."""
        return self._made(words, cursor, start, stop)[0]

    def _made(self, words: Mt19937, cursor: Cursor, start: int, stop: int) -> tuple[Floats, int]:
        """The values of a stretch, and how many rounds they took."""
        values = np.empty(stop - start, self.dtype.to_numpy())
        waiting, rounds = np.ones(len(values), np.bool_), 0
        while rounds == 0 or waiting.any():
            fresh, again = self._round(words, cursor, start, stop)
            values[waiting] = fresh[waiting]
            waiting &= again
            cursor = self._after_round(words, cursor)
            rounds += 1
        return values, rounds

    def _round(
        self, words: Mt19937, cursor: Cursor, start: int, stop: int
    ) -> tuple[Floats, np.ndarray[Any, np.dtype[np.bool_]]]:
        """New values for a stretch, and which of them have to be drawn again."""
        if self.by_normals:
            fresh = self._normal.values(words, cursor, start, stop)
            low, high = cast(np.array([self.low, self.high]), self.dtype)
            return fresh, (fresh < low) | (fresh > high)
        fresh = self._candidate.values(words, cursor, start, stop)
        after = self._candidate.after(words, cursor)
        accepting = self._acceptance.values(words, after, start, stop)
        with np.errstate(divide="ignore"):
            log = self._rounded(np.log(accepting.astype(np.float64)))
        return fresh, log > self._log_density(fresh)

    @property
    def _candidate(self) -> UniformDraw:
        return UniformDraw(self.count, self.low, self.high, self.dtype)

    @property
    def _acceptance(self) -> UniformDraw:
        return UniformDraw(self.count, 0.0, 1.0, self.dtype)

    def _log_density(self, values: Floats) -> Floats:
        """-((values - mean) / std)**2 / 2, from its peak; each step is rounded to the dtype.

        `sub_` takes its scalar in the dtype, `div_` and `mul_` take it in float32.
        """
        mode = max(self.low, min(self.mean, self.high))
        peak = -0.5 * ((mode - self.mean) / self.std) ** 2
        wide = np.float64 if self.dtype.nbits == 64 else np.float32
        mean, peak = self._rounded(np.array([self.mean, peak]))
        x = self._rounded(values.astype(wide) - mean)
        x = self._rounded(x / wide(self.std))
        x = self._rounded(x * x)
        x = self._rounded(x * wide(-0.5))
        return self._rounded(x - peak)

    def _rounded(self, values: Floats) -> Floats:
        """Rounded to the dtype, in a type to calculate with."""
        wide = np.float64 if self.dtype.nbits == 64 else np.float32
        return cast(values, self.dtype).astype(wide)


def _cdf(x: float) -> float:
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0
