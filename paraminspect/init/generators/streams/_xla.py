"""erf_inv and log1p as XLA's CPU compiler emits them on machines with FMA, bit for bit in float32.

The polynomials are those of XLA's math library (`xla/hlo/builder/lib/math.cc`, ErfInv32 [Giles
2012]; the cephes logf of its LLVM runtime); which products and sums are fused is how LLVM 19
contracts them. Every operation rounds once: fused ones in float64, whose error does not show.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float32]]
Doubles = np.ndarray[Any, np.dtype[np.float64]]


def _floats(*words: int) -> list[float]:
    return [float(x) for x in np.array(words, np.uint32).view(np.float32)]


_LOG_A = _floats(0x3D9021BB, 0xBDEBD1B8, 0x3DEF251A)
_LOG_B = _floats(0xBDFE5D4F, 0x3E11E9BF, 0xBE2AAE50)
_LOG_C = _floats(0x3E4CCEAC, 0xBE7FFFFC, 0x3EAAAAAA)
_LN2_LOW, _LN2_HIGH = _floats(0xB95E8083, 0x3F318000)
(_SQRT_HALF,) = _floats(0x3F3504F3)
_LOG1P_TOP = _floats(0x383DE04B, 0x3EFF40C5, 0x40D284FA, 0x41EF4B9C, 0x4273CC76, 0x426473AD,
                     0x41A05101)  # fmt: skip
_LOG1P_BOTTOM = _floats(0x417101AD, 0x42A6185B, 0x435DC32D, 0x439A8CA3, 0x43586D8A, 0x42707982)
(_LOG1P_REACH,) = _floats(0x3ED413CD)
_ERF_INV_SMALL = _floats(0x32F16588, 0x34B84B36, 0xB66C7357, 0xB6935AC1, 0x396532DB, 0xBAA45408,
                         0xBB88E4EF, 0x3E7C8F63, 0x3FC02E2F)  # fmt: skip
_ERF_INV_LARGE = _floats(0xB951F09B, 0x38D3B56B, 0x3AB0DC72, 0xBB70BDE7, 0x3BBC127B, 0xBBF9C5D7,
                         0x3C1AA57E, 0x3F8036DB, 0x40354F7E)  # fmt: skip


def _fused(a: Any, b: Any, c: Any) -> Doubles:
    """`a * b + c` in float32, rounded once; all in float64 that holds float32."""
    result: Doubles = (a * b + c).astype(np.float32).astype(np.float64)
    return result


def _polynomial(x: Doubles, coefficients: Sequence[float]) -> Doubles:
    y = _fused(coefficients[0], x, coefficients[1])
    for coefficient in coefficients[2:]:
        y = _fused(y, x, coefficient)
    return y


def _log(x: Floats) -> Floats:
    """The Cephes logarithm, its polynomial in three parts, as LLVM evaluates it."""
    x = np.maximum(x, np.float32(2.0**-126))
    bits = x.view(np.uint32)
    exponent = ((bits >> np.uint32(23)).astype(np.int32) - 127).astype(np.float32) + np.float32(1)
    mantissa = ((bits & np.uint32(0x807FFFFF)) | np.uint32(0x3F000000)).view(np.float32)
    low = mantissa < np.float32(_SQRT_HALF)
    x = (mantissa - np.float32(1)) + np.where(low, mantissa, np.float32(0))
    exponent = np.where(low, exponent - np.float32(1), exponent)
    square = x * x
    cube = (square * x).astype(np.float64)
    wide = x.astype(np.float64)
    y = _fused(cube, _polynomial(wide, _LOG_A), _polynomial(wide, _LOG_B))
    y = _fused(y, cube, _polynomial(wide, _LOG_C))
    y = _fused(cube, y, (exponent * np.float32(_LN2_LOW)).astype(np.float64))
    half = _fused(square.astype(np.float64), -0.5, wide)
    total = (half.astype(np.float32) + y.astype(np.float32)).astype(np.float64)
    return _fused(exponent.astype(np.float64), _LN2_HIGH, total).astype(np.float32)


def log1p(x: Floats) -> Floats:
    """log(1 + x)."""
    wide = x.astype(np.float64)
    top = _polynomial(wide, _LOG1P_TOP).astype(np.float32)
    bottom = _fused(1.0, wide, _LOG1P_BOTTOM[0])
    for coefficient in _LOG1P_BOTTOM[1:]:
        bottom = _fused(bottom, wide, coefficient)
    square = x * x
    term = ((x * square) * (top / bottom.astype(np.float32))).astype(np.float64)
    near = x + _fused(square.astype(np.float64), -0.5, term).astype(np.float32)
    with np.errstate(all="ignore"):
        far = _log(x + np.float32(1))
    return np.where(np.abs(x) < np.float32(_LOG1P_REACH), near, far)


def erf_inv(x: Floats) -> Floats:
    """The inverse error function."""
    logarithm = log1p(x * -x)
    small = logarithm > np.float32(-5)
    root = np.sqrt(np.where(small, np.float32(0), -logarithm)) + np.float32(-3)
    w = np.where(small, np.float32(-2.5) - logarithm, root).astype(np.float64)
    pairs = list(zip(_ERF_INV_SMALL, _ERF_INV_LARGE, strict=True))
    p = np.where(small, *pairs[0])
    for near, far in pairs[1:]:
        p = _fused(p, w, np.where(small, near, far))
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(x) == 1, x * np.float32(np.inf), x * p.astype(np.float32))
