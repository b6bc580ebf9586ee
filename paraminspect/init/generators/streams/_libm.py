"""logf, sinf and cosf of glibc (2.28 on, ARM's optimized routines), bit for bit, in float64.

TensorFlow and MXNet call these for each normal number. They compute in float64 inside, so float64
arithmetic of NumPy repeats them exactly. Sources: sysdeps/ieee754/flt-32/e_logf.c, s_sincosf.h.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float32]]
Doubles = np.ndarray[Any, np.dtype[np.float64]]

_hex = float.fromhex

_LOG_TABLE = (
    ("0x1.661ec79f8f3bep+0", "-0x1.57bf7808caadep-2"),
    ("0x1.571ed4aaf883dp+0", "-0x1.2bef0a7c06ddbp-2"),
    ("0x1.49539f0f010bp+0", "-0x1.01eae7f513a67p-2"),
    ("0x1.3c995b0b80385p+0", "-0x1.b31d8a68224e9p-3"),
    ("0x1.30d190c8864a5p+0", "-0x1.6574f0ac07758p-3"),
    ("0x1.25e227b0b8eap+0", "-0x1.1aa2bc79c81p-3"),
    ("0x1.1bb4a4a1a343fp+0", "-0x1.a4e76ce8c0e5ep-4"),
    ("0x1.12358f08ae5bap+0", "-0x1.1973c5a611cccp-4"),
    ("0x1.0953f419900a7p+0", "-0x1.252f438e10c1ep-5"),
    ("0x1p+0", "0x0p+0"),
    ("0x1.e608cfd9a47acp-1", "0x1.aa5aa5df25984p-5"),
    ("0x1.ca4b31f026aap-1", "0x1.c5e53aa362eb4p-4"),
    ("0x1.b2036576afce6p-1", "0x1.526e57720db08p-3"),
    ("0x1.9c2d163a1aa2dp-1", "0x1.bc2860d22477p-3"),
    ("0x1.886e6037841edp-1", "0x1.1058bc8a07ee1p-2"),
    ("0x1.767dcf5534862p-1", "0x1.4043057b6ee09p-2"),
)
_INVERSE = np.array([_hex(inverse) for inverse, _ in _LOG_TABLE])
_LOG = np.array([_hex(logarithm) for _, logarithm in _LOG_TABLE])
_LN2 = _hex("0x1.62e42fefa39efp-1")
_LOG_TERMS = tuple(
    map(_hex, ("-0x1.00ea348b88334p-2", "0x1.5575b0be00b6ap-2", "-0x1.ffffef20a4123p-2"))
)
_OFFSET = np.uint32(0x3F330000)

_INVERSE_HALF_PI = _hex("0x1.45F306DC9C883p-1") * 2.0**24
_HALF_PI = _hex("0x1.921FB54442D18p0")
_COS_TERMS = (
    1.0,
    *map(
        _hex,
        (
            "-0x1.ffffffd0c621cp-2",
            "0x1.55553e1068f19p-5",
            "-0x1.6c087e89a359dp-10",
            "0x1.99343027bf8c3p-16",
        ),
    ),
)
_SIN_TERMS = tuple(
    map(_hex, ("-0x1.555545995a603p-3", "0x1.1107605230bc4p-7", "-0x1.994eb3774cf24p-13"))
)


def logf(x: Floats) -> Floats:
    """The natural logarithm of normal positive numbers."""
    bits = np.ascontiguousarray(x).view(np.uint32)
    shifted = bits - _OFFSET
    index = (shifted >> np.uint32(19)) & np.uint32(15)
    exponent = shifted.view(np.int32) >> 23
    mantissa = (bits - (shifted & np.uint32(0xFF800000))).view(np.float32).astype(np.float64)
    r = mantissa * _INVERSE[index] - 1.0
    start = _LOG[index] + exponent * _LN2
    square = r * r
    a0, a1, a2 = _LOG_TERMS
    y = a0 * square + (a1 * r + a2)
    result: Floats = (y * square + (start + r)).astype(np.float32)
    return result


def sincosf(x: Floats) -> tuple[Floats, Floats]:
    """Sine and cosine of numbers from 0 to 120."""
    wide = x.astype(np.float64)
    small = np.abs(x) < np.float32(0.78539816339)
    scaled = (wide * _INVERSE_HALF_PI).astype(np.int64).astype(np.int32)
    quadrant = np.where(small, 0, (scaled + np.int32(0x800000)) >> 24)
    reduced = np.where(small, wide, wide - quadrant * _HALF_PI)
    square = reduced * reduced
    sine, cosine = _sine(reduced, square), _cosine(square)
    quadrant &= 3
    odd = quadrant & 1 == 1
    sines = np.where(odd, cosine, sine) * np.where(quadrant >= 2, -1.0, 1.0)
    is_negative = (quadrant == 1) | (quadrant == 2)
    cosines = np.where(odd, sine, cosine) * np.where(is_negative, -1.0, 1.0)
    return sines.astype(np.float32), cosines.astype(np.float32)


def _sine(x: Doubles, square: Doubles) -> Doubles:
    s1, s2, s3 = _SIN_TERMS
    cube = square * x
    return x + cube * s1 + (cube * square) * (s2 + square * s3)


def _cosine(square: Doubles) -> Doubles:
    c0, c1, c2, c3, c4 = _COS_TERMS
    fourth = square * square
    start = c0 + square * c1
    return start + fourth * c2 + (fourth * square) * (c3 + square * c4)
