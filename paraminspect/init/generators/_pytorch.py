"""PyTorch's random numbers: `torch.manual_seed(seed)`, then every draw of a construction, on CPU.

One generator serves all draws in turn, so where a draw begins depends on those before it. Where
that is is computed from how many words they take; their values are not, unless `trunc_normal_` has
to count its redraws. Exact on every machine in float32, float16 and bfloat16; in float64, and for
fewer than 16 normal numbers, log, sin and cos of the C library are used, as PyTorch does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from paraminspect.arrays import Array, DType, Shape, count_elements
from paraminspect.errors import SchemeError
from paraminspect.init.distributions import (
    Custom,
    DeltaOrthogonal,
    Normal,
    Orthogonal,
    Seeded,
    Sparse,
    TruncatedNormal,
    Uniform,
)
from paraminspect.init.generators._compose import Random, drawn
from paraminspect.init.generators._generator import Draw
from paraminspect.init.generators._matrices import orthonormal, zeros_per_column
from paraminspect.init.generators._whole import Latest
from paraminspect.init.generators.streams._aten import Drawing, NormalDraw, Permutation, UniformDraw
from paraminspect.init.generators.streams._aten_truncated import TruncatedDraw
from paraminspect.init.generators.streams._mt19937 import Mt19937
from paraminspect.init.generators.streams._program import Placed, Program

Floats = np.ndarray[Any, np.dtype[Any]]

LOWEST_SEED, HIGHEST_SEED = -(1 << 63), (1 << 64) - 1
"""What `torch.manual_seed` takes; only the low 32 bits count."""


class PyTorch:
    """Draws in turn from one stream, that of `torch.manual_seed(seed)`."""

    repeats_construction = True

    def __init__(self, seed: int) -> None:
        if not LOWEST_SEED <= seed <= HIGHEST_SEED:
            raise SchemeError(f"torch.manual_seed takes seeds from -2**63 to 2**64 - 1, got {seed}")
        self.program = Program(Mt19937(seed))
        self._latest = Latest()

    def arrays(self, draws: Sequence[Draw]) -> Mapping[str, Array]:
        """The array of each name after all draws."""
        made: dict[str, Array] = {}
        for draw in draws:
            array = drawn(draw, partial(self._draw, draw.contiguous))
            made.update(dict.fromkeys(draw.names, array))
        return made

    def _draw(self, contiguous: bool, distribution: Random, shape: Shape, dtype: DType) -> Array:
        """Each draw is appended to the program, so the next one begins where it ends."""
        if dtype.name not in DTYPES:
            raise SchemeError(f"PyTorch draws no {dtype}, only {', '.join(DTYPES)}")
        if not contiguous and not isinstance(distribution, Uniform | Normal):
            raise SchemeError("PyTorch's generator fills only whole rows with this scheme")
        count = count_elements(shape)
        match distribution:
            case Uniform():
                _check_width(distribution.low, distribution.high, dtype)
                drawing: Drawing = UniformDraw(count, distribution.low, distribution.high, dtype)
            case Normal():
                drawing = NormalDraw(count, distribution.mean, distribution.std, dtype, contiguous)
            case TruncatedNormal():
                mean, std = distribution.mean, distribution.std
                truncated = TruncatedDraw(count, mean, std, *distribution.bounds, dtype)
                if not truncated.by_normals:  # uniform numbers are rejected by the density
                    _check_width(*distribution.bounds, dtype)
                drawing = truncated
            case Orthogonal() if distribution.method == "qr":
                return self._orthogonal(distribution, shape, dtype)
            case Sparse():
                return self._sparse(distribution, shape, dtype)
            case _:
                what = _NAMES[type(distribution)]
                raise SchemeError(f"PyTorch has no {what}").unless(rng="native")
        return self.program.append(drawing).array(shape, dtype)

    def _orthogonal(self, distribution: Orthogonal, shape: Shape, dtype: DType) -> Array:
        """`orthogonal_`; LAPACK's last bits differ from build to build."""
        if dtype.nbits < 32:
            raise SchemeError(f"PyTorch makes no orthogonal matrices of {dtype} on CPU")
        count = distribution.rows * distribution.columns
        drawn = self.program.append(NormalDraw(count, 0.0, 1.0, dtype))
        return self._latest.whole(shape, dtype, partial(_orthogonal, drawn, distribution))

    def _sparse(self, distribution: Sparse, shape: Shape, dtype: DType) -> Array:
        """`sparse_`: the rows of the zeros of each column are the first of a permutation."""
        rows, columns = shape
        drawn = self.program.append(NormalDraw(rows * columns, 0.0, distribution.std, dtype))
        orders = [self.program.append(Permutation(rows)) for _ in range(columns)]
        zeros = zeros_per_column(distribution, rows)
        return self._latest.whole(shape, dtype, partial(_sparse, drawn, orders, zeros, shape))


def _orthogonal(drawn: Placed, distribution: Orthogonal) -> Floats:
    rows, columns = distribution.rows, distribution.columns
    matrix = drawn.whole((rows, columns))
    return orthonormal(matrix if rows >= columns else matrix.T, distribution)


def _sparse(drawn: Placed, orders: Sequence[Placed], zeros: int, shape: Shape) -> Floats:
    values = drawn.whole(shape)
    for column, order in enumerate(orders):
        values[order.values(0, zeros), column] = 0
    return values


def _check_width(low: float, high: float, dtype: DType) -> None:
    """Refuse what `uniform_` refuses: bounds whose difference the dtype does not hold."""
    with np.errstate(over="ignore"):
        width = np.array(high - low).astype(dtype.to_numpy())
    if not np.isfinite(width):
        raise SchemeError(
            f"PyTorch draws {dtype} from no width that it cannot hold: {low} to {high}"
        )


DTYPES = ("float16", "bfloat16", "float32", "float64")

_NAMES: dict[type, str] = {
    Custom: "functions of yours in its generator",
    DeltaOrthogonal: "delta_orthogonal",
    Orthogonal: "orthogonal_svd",
    Seeded: "initializers with a seed of their own",
}
