"""MXNet's random numbers: `mx.random.seed(seed)`, then every draw of a construction, on CPU.

1024 generators serve each draw together: value i of n is drawn by generator i // step, in turn, and
all of them stay where they are for the next draw. Sources: src/operator/random/sampler.h and
include/mxnet/random_generator.h of MXNet 1.9.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from paraminspect.arrays import Array, DType, Shape, count_elements
from paraminspect.arrays.lazy import Recipe
from paraminspect.errors import SchemeError
from paraminspect.init.distributions import Normal, Orthogonal, Uniform
from paraminspect.init.generators._compose import Random, drawn
from paraminspect.init.generators._generator import Draw
from paraminspect.init.generators._matrices import made_orthonormal
from paraminspect.init.generators._whole import Latest
from paraminspect.init.generators.streams._mxnet_streams import STREAMS, Shared, Stream

Floats = np.ndarray[Any, np.dtype[np.float32]]

SEED_FACTOR = 127
"""Generator i begins with the seed 127 · seed + i."""


class MXNet:
    """Draws in turn from the generators after `mx.random.seed(seed)`.

    Only the low 32 bits of the seed count.
    """

    repeats_construction = True

    def __init__(self, seed: int) -> None:
        self._draws: list[Shared] = []
        self._streams = [Stream(i, SEED_FACTOR * seed + i, self._draws) for i in range(STREAMS)]
        self._latest = Latest()

    def arrays(self, draws: Sequence[Draw]) -> Mapping[str, Array]:
        """The array of each name after all draws."""
        made: dict[str, Array] = {}
        for draw in draws:
            made.update(dict.fromkeys(draw.names, drawn(draw, self._draw)))
        return made

    def _draw(self, distribution: Random, shape: Shape, dtype: DType) -> Array:
        """Only what `mxnet.init` draws; the rest is refused with what it does draw."""
        if dtype.name != "float32":
            raise SchemeError(f"of MXNet's random numbers only float32 is reproduced, not {dtype}")
        match distribution:
            case Uniform() | Normal():
                return Recipe(shape, dtype, self._placed(distribution, count_elements(shape)))
            case Orthogonal() if distribution.method == "svd":
                rows, columns = distribution.rows, distribution.columns
                read = self._placed(distribution.source, rows * columns)
                make = partial(made_orthonormal, read, distribution)
                return self._latest.whole(shape, dtype, make)
        raise SchemeError(
            f"MXNet has no {type(distribution).__name__} initializer: it draws uniform, normal"
            " and orthogonal_svd"
        ).unless(rng="native")

    def _placed(self, distribution: Uniform | Normal, count: int) -> Callable[[int, int], Floats]:
        """A draw behind all others: what gives its values from `start` to `stop`."""
        self._draws.append(Shared(count, isinstance(distribution, Normal)))
        return partial(self._values, len(self._draws) - 1, distribution)

    def _values(self, number: int, distribution: Uniform | Normal, start: int, stop: int) -> Floats:
        out = np.empty(stop - start, np.float32)
        step = self._draws[number].step
        for i in range(start // step, -(-stop // step)):
            first, last = max(i * step, start), min((i + 1) * step, stop)
            out[first - start : last - start] = self._streams[i].values(
                number, first - i * step, last - i * step
            )
        return _scaled(out, distribution)


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
