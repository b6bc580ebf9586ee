"""PyTorch's three ways to make normal numbers on a CPU with AVX2, to the bit.

The float32 one is `NormalFill16` of ATen: the Box-Muller method over the Cephes polynomials of
avx_mathfun, with the fused multiply-adds that the wheel's compiler makes of them.

How to read it. A fused a·b + c rounds once. The product of two float32 is exact in float64, so
`t *= b; t += c; t.astype(float32)` rounds twice, which differs from once only where the first
rounding lands halfway between two float32. All 2**24 inputs of the logarithm and of the angle were
tried: none does. So every `astype(np.float32)` stands where the CPU rounds, and an operation on
float32 arrays is one that the compiler did not fuse: moving either changes the last bit. Words are
taken as the kernel lays them out: of 16, the first 8 make radii and the last 8 angles, and the 16
values are 8 cosines, then 8 sines.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from paraminspect.init.generators.streams._fma import fma, fma32, fma64

Floats = np.ndarray[Any, np.dtype[Any]]
Words = np.ndarray[Any, np.dtype[np.uint32]]

HALF = 8
"""Half a group of 16 words: the first 8 make radii, the last 8 angles."""

UNIT32 = 2.0**-24
UNIT64 = 2.0**-53


def _single(*values: float) -> list[float]:
    return [float(np.float32(value)) for value in values]


_LOG = _single(
    7.0376836292e-2,
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)
_LOG2_LOW, _LOG2_HIGH = np.float32(-2.12194440e-4), np.float64(0.693359375)
_SQRT_HALF = np.float32(0.707106781186547524)
_QUARTER = _single(-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)
_SIN = _single(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
_COS = _single(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
_FOUR_OVER_PI = np.float32(1.27323954473516)
_TWO_PI = np.float32(2.0 * math.pi)


def normals32(words: Words, mean: float, std: float) -> Floats:
    """Normal float32, one of each word, in groups of 16."""
    fractions = (words & np.uint32(0xFFFFFF)).reshape(-1, 2, HALF)
    radius_of = fractions[:, 0].astype(np.float32)
    radius_of *= np.float32(-UNIT32)
    radius_of += np.float32(1)
    radius = _log(radius_of.reshape(-1))
    radius *= np.float32(-2)
    np.sqrt(radius, out=radius)
    angle = fractions[:, 1].astype(np.float32)
    angle *= np.float32(UNIT32)
    angle *= _TWO_PI
    out = np.empty((len(fractions), 2, HALF), np.float32)
    for part, wave in enumerate(_cos_sin(angle.reshape(-1))):
        wave *= radius
        out[:, part] = _scaled32(wave, mean, std).reshape(-1, HALF)
    return out.reshape(-1)


def _scaled32(values: Floats, mean: float, std: float) -> Floats:
    if np.float32(mean) != 0:
        return fma32(values, std, mean)
    values *= np.float32(std)
    values += np.float32(0)  # a fused -0·std + 0 is +0
    return values


def _log(x: Floats) -> Floats:
    """`log256_ps` of float32 from 2**-24 to 1.

    x = m · 2**e with m in [sqrt(1/2), sqrt(2)); log m is a polynomial in m - 1 (below: `x`), and
    log 2 is added in two parts, of which the high one has few enough bits for e · high to be exact.
    """
    bits = x.view(np.uint32)
    e = ((bits >> np.uint32(23)).astype(np.int32) - np.int32(126)).astype(np.float32)
    x = ((bits & np.uint32(0x807FFFFF)) | np.uint32(0x3F000000)).view(np.float32)
    small = x < _SQRT_HALF
    added = np.where(small, x, np.float32(0))
    e -= small
    x += np.float32(-1)
    x += added
    x64, z = x.astype(np.float64), x * x
    y = _horner(x64, _LOG)
    y *= x
    t = y.astype(np.float64)
    t *= z
    t += e * _LOG2_LOW
    y = t.astype(np.float32)
    t = z.astype(np.float64)
    t *= -0.5
    t += y
    x += t.astype(np.float32)
    t = e.astype(np.float64)
    t *= _LOG2_HIGH
    t += x
    return t.astype(np.float32)


def _horner(x: Floats, coefficients: list[float]) -> Floats:
    """A polynomial by fused steps: each is rounded to float32. `x` is float64, holding float32."""
    t = x * coefficients[0]
    t += coefficients[1]
    for coefficient in coefficients[2:]:
        rounded = t.astype(np.float32)
        np.multiply(rounded, x, out=t)
        t += coefficient
    return t.astype(np.float32)


def _cos_sin(x: Floats) -> tuple[Floats, Floats]:
    """`sincos256_ps` of float32 from 0 to 2·pi.

    The octant, made even, is a number of quarter turns; so much times pi/4 is subtracted in three
    parts (`_QUARTER`, Cody & Waite), one after another, since x less the whole would lose bits.
    What is left lies in ±pi/4, where the two polynomials hold; the quarter turn says which of them
    is the sine and which signs they have.
    """
    octant = (x * _FOUR_OVER_PI).astype(np.int32)
    octant += np.int32(1)
    octant &= np.int32(-2)
    turns = octant.astype(np.float64)
    bits = octant.view(np.uint32)
    sign_sin = (bits & np.uint32(4)) << np.uint32(29)
    sign_cos = (~(bits - np.uint32(2)) & np.uint32(4)) << np.uint32(29)
    swapped = (octant & np.int32(2)) != 0
    for part in _QUARTER:
        t = turns * part
        t += x
        x = t.astype(np.float32)
    z = x * x
    z64 = z.astype(np.float64)
    cos = _horner(z64, _COS)
    cos *= z
    t = cos.astype(np.float64)
    t *= z64
    z *= np.float32(0.5)
    t -= z
    cos = t.astype(np.float32)
    cos += np.float32(1)
    sin = _horner(z64, _SIN)
    sin *= z64.astype(np.float32)
    t = sin.astype(np.float64)
    t *= x
    t += x
    sin = t.astype(np.float32)
    first, second = np.where(swapped, sin, cos), np.where(swapped, cos, sin)
    first.view(np.uint32)[...] ^= sign_cos
    second.view(np.uint32)[...] ^= sign_sin
    return first, second


def units64(words: Words) -> Floats:
    """Numbers in [0, 1) of 53 bits, one of each two words, the high one first."""
    pairs = words.astype(np.uint64)
    joined = (pairs[0::2] << np.uint64(32)) | pairs[1::2]
    units: Floats = (joined & np.uint64((1 << 53) - 1)) * UNIT64
    return units


def normals64(words: Words, mean: float, std: float) -> Floats:
    """Normal float64, one of each two words, in groups of 16; log, cos, sin are the system's."""
    units = units64(words).reshape(-1, 2, HALF)
    radius = np.sqrt(-2.0 * _each(math.log, 1.0 - units[:, 0]))
    angle = (2.0 * math.pi) * units[:, 1]
    out = np.stack([radius * _each(math.cos, angle), radius * _each(math.sin, angle)], axis=1)
    if mean != 0:
        return fma64(out.reshape(-1), std, mean)
    out *= std
    out += 0.0
    return out.reshape(-1)


def _each(function: Any, values: Floats) -> Floats:
    return np.array([function(v) for v in values.ravel().tolist()]).reshape(values.shape)


def pair(words: Words) -> tuple[float, float]:
    """Two standard normal numbers of four words: one now, one for the next that is wanted.

    ATen draws the angle first, unlike the kernels above, and takes log1p(-u), not log(1 - u).
    """
    angle_of, radius_of = units64(words).tolist()
    radius = math.sqrt(-2.0 * math.log1p(-radius_of))
    angle = 2.0 * math.pi * angle_of
    return radius * math.cos(angle), radius * math.sin(angle)


def scaled64(value: float, mean: float, std: float) -> float:
    """A standard normal number with another mean and deviation."""
    return fma(value, std, mean)
