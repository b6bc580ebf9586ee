"""ATen's CPU kernels of PyTorch 2.13 as draws: `uniform_`, `normal_`, `trunc_normal_`, `randperm`.

A draw knows how many words it takes from where, and makes any stretch of its values: words are
read by position, so what is skipped is never computed.

Which kernel ATen picks depends on the size and the layout of the tensor, and they draw different
numbers from the same words: `normal_` of 16 or more contiguous values works in groups of 16, all
others go value by value in float64. The second kind makes two numbers at a time, and the generator
keeps the one that is left over for the next such draw, however many other draws come between:
that is the `spare` of a `Cursor`. Source: the kernels in
aten/src/ATen/native/cpu/DistributionTemplates.h and core/DistributionsHelper.h of PyTorch 2.13.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from paraminspect.arrays import DType
from paraminspect.init.generators.streams._box_muller import (
    HALF,
    UNIT32,
    normals32,
    normals64,
    pair,
    scaled64,
    units64,
)
from paraminspect.init.generators.streams._fma import fma32, fma64
from paraminspect.init.generators.streams._mt19937 import Mt19937

Floats = np.ndarray[Any, np.dtype[Any]]

GROUP = 2 * HALF
"""Values that the vectorized normal kernel makes together; fewer are drawn one by one."""

PAIR_WORDS = 4

_CHUNK = 1 << 15
"""Values computed at a time: what is needed for them stays in the processor's cache."""


class Cursor(NamedTuple):
    """The state of a generator: the next word, and where the words of a spare normal begin."""

    position: int = 0
    spare: int | None = None


class Drawing(Protocol):
    """One draw."""

    @property
    def count(self) -> int:
        """How many values it has."""

    def after(self, words: Mt19937, cursor: Cursor) -> Cursor:
        """Where the generator is after it, if it was at `cursor` before."""

    def values(self, words: Mt19937, cursor: Cursor, start: int, stop: int) -> Floats:
        """Values `start` to `stop`, in their dtype."""


def cast(values: Floats, dtype: DType) -> Floats:
    """As `static_cast` does: from float64 to 16 bits by way of float32."""
    if values.dtype == np.float64 and dtype.nbits < 32:
        values = values.astype(np.float32)
    return values.astype(dtype.to_numpy(), copy=False)


@dataclass(frozen=True)
class UniformDraw:
    """`uniform_(low, high)`: a word each, two of float64."""

    count: int
    low: float
    high: float
    dtype: DType

    @property
    def words_each(self) -> int:
        """Words that one value takes."""
        return 2 if self.dtype.nbits == 64 else 1

    def after(self, words: Mt19937, cursor: Cursor) -> Cursor:  # noqa: ARG002 (the protocol's)
        """`words_each` words further."""
        return Cursor(cursor.position + self.words_each * self.count, cursor.spare)

    def values(self, words: Mt19937, cursor: Cursor, start: int, stop: int) -> Floats:
        """Each rounded once from low + x·(high - low); one that reaches high becomes low."""
        each = self.words_each
        taken = words.read(cursor.position + each * start, each * (stop - start))
        values = self._wide(taken) if each == 2 else self._single(taken)
        values = cast(values, self.dtype)
        scalars = np.array([self.low, self.high])
        if each == 1:
            scalars = scalars.astype(np.float32)
        low, high = cast(scalars, self.dtype)
        values[values == high] = low
        return values

    def _single(self, words: np.ndarray[Any, Any]) -> Floats:
        """One fused step; where low is small beside the width, float64 rounds the sum just once."""
        low, high = np.float32(self.low), np.float32(self.high)
        width = high - low
        words &= np.uint32(0xFFFFFF)
        if abs(float(low)) <= 16 * float(width):  # the sum is exact in float64
            out = np.empty(len(words), np.float32)
            for i in range(0, len(words), _CHUNK):
                part = words[i : i + _CHUNK] * (float(width) * UNIT32)
                part += float(low)
                out[i : i + _CHUNK] = part
            return out
        return fma32(words * np.float32(UNIT32), float(width), float(low))

    def _wide(self, words: np.ndarray[Any, Any]) -> Floats:
        units = units64(words)
        if self.low == 0 and self.high == 1:
            return units
        return fma64(units, self.high - self.low, self.low)


@dataclass(frozen=True)
class NormalDraw:
    """`normal_(mean, std)`: in groups of 16, or one by one where there are fewer or gaps."""

    count: int
    mean: float
    std: float
    dtype: DType
    contiguous: bool = True

    @property
    def is_grouped(self) -> bool:
        """Whether the vectorized kernel draws it."""
        return self.count >= GROUP and self.contiguous

    @property
    def words_each(self) -> int:
        """Words that one value of a group takes."""
        return 2 if self.dtype.nbits == 64 else 1

    @property
    def _last_group(self) -> int:
        """Words before those of the last, overlapping group, where the groups do not come out.

        A count that is no multiple of 16 has its last 16 values drawn anew, over some that were
        made already. float32 and float64 fill the whole tensor with uniform numbers first, so the
        new words begin behind `count`; 16-bit dtypes go group by group, and begin behind the last
        whole group.
        """
        whole = self.count if self.dtype.nbits >= 32 else self.count // GROUP * GROUP
        return self.words_each * whole

    def after(self, words: Mt19937, cursor: Cursor) -> Cursor:  # noqa: ARG002 (the protocol's)
        """Behind the groups; or behind the pairs, with a spare one if their number is odd."""
        if self.is_grouped:
            rest = self.words_each * GROUP if self.count % GROUP else 0
            return Cursor(cursor.position + self._last_group + rest, cursor.spare)
        fresh = self.count - (cursor.spare is not None)
        if fresh < 0:
            return cursor
        pairs = (fresh + 1) // 2
        position = cursor.position + PAIR_WORDS * pairs
        return Cursor(position, position - PAIR_WORDS if fresh % 2 else None)

    def values(self, words: Mt19937, cursor: Cursor, start: int, stop: int) -> Floats:
        """Only the groups or pairs that hold them are made."""
        if stop <= start:
            return np.empty(0, self.dtype.to_numpy())
        if not self.is_grouped:
            return self._one_by_one(words, cursor, start, stop)
        out = np.empty(stop - start, self.dtype.to_numpy())
        full = self.count // GROUP * GROUP
        for i in range(start // GROUP * GROUP, min(stop, full), _CHUNK):
            length = min(_CHUNK, full - i, -(-(stop - i) // GROUP) * GROUP)
            made = self._groups(words, cursor.position + self.words_each * i, length)
            first, last = max(i, start), min(i + length, stop)
            out[first - start : last - start] = made[first - i : last - i]
        overlap = self.count - GROUP
        if self.count % GROUP and stop > overlap:
            made = self._groups(words, cursor.position + self._last_group, GROUP)
            first = max(overlap, start)
            out[first - start :] = made[first - overlap : stop - overlap]
        return out

    def _groups(self, words: Mt19937, position: int, count: int) -> Floats:
        kernel = normals64 if self.words_each == 2 else normals32
        taken = words.read(position, self.words_each * count)
        return cast(kernel(taken, self.mean, self.std), self.dtype)

    def _one_by_one(self, words: Mt19937, cursor: Cursor, start: int, stop: int) -> Floats:
        """Values of pairs: a spare number, if there is one, is value 0, and pairs begin behind it.

        So value i is number i - spare of the pairs: only the pairs that hold some of the stretch
        are made, and the first number of the first of them is dropped where the stretch begins
        with the second.
        """
        drawn: list[float] = []
        spare = 0 if cursor.spare is None else 1
        if spare and start == 0:
            assert cursor.spare is not None
            drawn.append(pair(words.read(cursor.spare, PAIR_WORDS))[1])
        first = max(start - spare, 0)
        for i in range(first // 2, (stop - spare + 1) // 2):
            drawn += pair(words.read(cursor.position + PAIR_WORDS * i, PAIR_WORDS))
        skipped = first % 2 if not (spare and start == 0) else 0
        standard = drawn[skipped : skipped + stop - start]
        return cast(np.array([scaled64(v, self.mean, self.std) for v in standard]), self.dtype)


@dataclass(frozen=True)
class Permutation:
    """`randperm(count)`: a word for each swap."""

    count: int

    def after(self, words: Mt19937, cursor: Cursor) -> Cursor:  # noqa: ARG002 (the protocol's)
        """A word for each but the last."""
        return Cursor(cursor.position + max(self.count - 1, 0), cursor.spare)

    def values(self, words: Mt19937, cursor: Cursor, start: int, stop: int) -> Floats:
        """A stretch of 0 to `count` - 1, shuffled; the first of them need only the first swaps."""
        swaps = words.read(cursor.position, min(stop, max(self.count - 1, 0))).astype(np.int64)
        places = np.arange(len(swaps))
        order = list(range(self.count))
        for i, j in enumerate((swaps % (self.count - places) + places).tolist()):
            order[i], order[j] = order[j], order[i]
        return np.array(order[start:stop], np.int64)
