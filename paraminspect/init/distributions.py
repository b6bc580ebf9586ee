"""Distributions: what the values of a parameter are drawn from, with all arithmetic of fans done.

A scheme gives one for a shape, and a generator draws from it. `variance` is kept beside the bounds
because some frameworks scale a standard draw by it in their own precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paraminspect.arrays import Array, Shape, count_elements

if TYPE_CHECKING:
    import numpy as np


TRUNCATED_STD = 0.87962566103423978
"""Standard deviation of a standard normal cut at ±2, as Keras and JAX write it."""


class Moments:
    """What theory says about one value."""

    @property
    def mean_std(self) -> tuple[float, float] | None:
        """Mean and standard deviation of one value; None where theory does not say."""
        return None


@dataclass(frozen=True)
class Constant(Moments):
    """Every value is `value`; nothing is drawn."""

    value: float

    @property
    def mean_std(self) -> tuple[float, float]:
        """Mean and standard deviation of one value."""
        return self.value, 0.0


@dataclass(frozen=True)
class Uniform(Moments):
    """Uniform in [low, high)."""

    low: float
    high: float
    variance: float | None = None

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest value, and the one that all values are below."""
        return self.low, self.high

    @property
    def mean_std(self) -> tuple[float, float]:
        """Mean and standard deviation of one value."""
        return (self.low + self.high) / 2, abs(self.high - self.low) / math.sqrt(12)


@dataclass(frozen=True)
class Normal(Moments):
    """Normal."""

    mean: float
    std: float
    variance: float | None = None

    @property
    def mean_std(self) -> tuple[float, float]:
        """Mean and standard deviation of one value."""
        return self.mean, self.std


@dataclass(frozen=True)
class TruncatedNormal(Moments):
    """Normal, with values outside [low, high] drawn again.

    The bounds are values (`torch.nn.init.trunc_normal_`), or standard deviations from the mean if
    `relative` (Keras, JAX); `std` is that of the normal before it is cut.
    """

    mean: float
    std: float
    low: float
    high: float
    relative: bool
    variance: float | None = None

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        if self.relative:
            return self.mean + self.low * self.std, self.mean + self.high * self.std
        return self.low, self.high

    @property
    def standard_bounds(self) -> tuple[float, float]:
        """The bounds in standard deviations from the mean."""
        if self.relative:
            return self.low, self.high
        return (self.low - self.mean) / self.std, (self.high - self.mean) / self.std

    @property
    def kept(self) -> float:
        """The share of the normal that lies within the bounds."""
        low, high = self.standard_bounds
        return _normal_cdf(high) - _normal_cdf(low)

    @property
    def mean_std(self) -> tuple[float, float] | None:
        """Mean and standard deviation [Johnson, Kotz & Balakrishnan 1994, 13.134 and 13.135]."""
        a, b = self.standard_bounds
        kept = self.kept
        if kept <= 0:
            return None
        shift = (_normal_pdf(a) - _normal_pdf(b)) / kept
        spread = 1 + (a * _normal_pdf(a) - b * _normal_pdf(b)) / kept - shift**2
        return self.mean + self.std * shift, self.std * math.sqrt(max(spread, 0.0))


def _normal_pdf(x: float) -> float:
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _normal_cdf(x: float) -> float:
    return (1 + math.erf(x / math.sqrt(2))) / 2


@dataclass(frozen=True)
class Orthogonal(Moments):
    """A matrix of `rows` and `columns` with orthonormal rows or columns, times `gain`.

    `method` is `qr` (signs fixed by the diagonal of R) or `svd` (MXNet's), of a matrix drawn from
    `source`. The whole matrix is drawn and held in memory. `column_axis` is the axis of the array
    that its columns become (JAX's), None where the array is the matrix in another shape.
    """

    gain: float
    rows: int
    columns: int
    method: str = "qr"
    source: Uniform | Normal = Normal(0.0, 1.0)
    column_axis: int | None = None

    @property
    def mean_std(self) -> tuple[float, float] | None:
        """A row (or column) of length n has the norm `gain`, which its n values share."""
        longer = max(self.rows, self.columns)
        return (0.0, abs(self.gain) / math.sqrt(longer)) if longer else None


@dataclass(frozen=True)
class DeltaOrthogonal(Moments):
    """A convolution that is an orthogonal matrix at its centre and zero elsewhere [Xiao 2018].

    `kernel_first` says where the axes of the kernel are: `(*kernel, in, out)` or
    `(out, in, *kernel)`; out must not be smaller than in.
    """

    gain: float
    kernel_first: bool
    transposed: bool = False
    """Whether the columns of the matrix become the inputs (JAX's `column_axis`)."""


@dataclass(frozen=True)
class Sparse(Moments):
    """A normal matrix in each column of which ceil(sparsity * rows) values are zero."""

    sparsity: float
    std: float

    @property
    def mean_std(self) -> tuple[float, float]:
        """Mean and standard deviation of one value."""
        return 0.0, self.std * math.sqrt(max(1 - self.sparsity, 0.0))


@dataclass(frozen=True)
class Pattern(Moments):
    """Values that depend on their position only; `fill(start, stop)` gives them in float64."""

    fill: Callable[[int, int], np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Stored(Moments):
    """Values that exist already, in `source`."""

    array: Array
    source: str


@dataclass(frozen=True)
class Custom(Moments):
    """Values that a user's function makes all at once, with a NumPy generator."""

    make: Callable[[np.random.Generator], Any]


@dataclass(frozen=True)
class Steps(Moments):
    """Drawn in turn: each step draws anew from a distribution, or changes the values so far."""

    steps: tuple[Distribution | Change, ...]

    @property
    def mean_std(self) -> tuple[float, float] | None:
        """Those of the last step, where it is a distribution."""
        last = self.steps[-1]
        return None if isinstance(last, Change) else last.mean_std


@dataclass(frozen=True)
class Change:
    """A change of the values so far: `apply` gives the new array, of the same shape."""

    apply: Callable[[Array], Array]


@dataclass(frozen=True)
class Padded(Moments):
    """`inner`, drawn for the whole shape, with one row then set to zero (torch's padding_idx)."""

    inner: Distribution
    row: int

    @property
    def mean_std(self) -> tuple[float, float] | None:
        """Those of a value in any other row."""
        return self.inner.mean_std


@dataclass(frozen=True)
class Seeded(Moments):
    """`inner`, drawn with a seed of its own, as Keras's initializers are with `seed=`."""

    inner: Distribution
    seed: int

    @property
    def mean_std(self) -> tuple[float, float] | None:
        """Mean and standard deviation of one value."""
        return self.inner.mean_std


Distribution = (
    Constant
    | Uniform
    | Normal
    | TruncatedNormal
    | Orthogonal
    | DeltaOrthogonal
    | Sparse
    | Pattern
    | Stored
    | Custom
    | Steps
    | Padded
    | Seeded
)


def is_random(distribution: Distribution) -> bool:
    """Whether anything is drawn."""
    if isinstance(distribution, Steps):
        return any(not isinstance(s, Change) and is_random(s) for s in distribution.steps)
    if isinstance(distribution, Padded | Seeded):
        return is_random(distribution.inner)
    return not isinstance(distribution, Constant | Pattern | Stored)


def row_range(shape: Shape, row: int) -> tuple[int, int]:
    """The flat positions, first and last + 1, of a row: one index of the first axis."""
    length = count_elements(shape[1:])
    return row % shape[0] * length, (row % shape[0] + 1) * length
