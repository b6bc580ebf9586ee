"""A cast loses no more than rounding does, or says what it would lose."""

import ml_dtypes
import numpy as np
import pytest

from paraminspect.arrays import DTYPES
from paraminspect.arrays.casting import cast
from paraminspect.errors import CastError

INF, NAN = np.inf, np.nan


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (np.array([1.5, -2.25, INF, -INF, NAN]), "float32"),
        (np.array([1 / 3, 1e-50]), "float32"),
        (np.array([1 / 3, 70_000.0, NAN], np.float32), "bfloat16"),
        (np.array([1.1, 448.0, NAN], np.float32), "float8_e4m3fn"),
        (np.array([1.0, 0.0, 1.0]), "bool"),
        (np.array([True, False]), "float16"),
        (np.array([True, False]), "uint8"),
        (np.array([3.0, -128.0, 127.0]), "int8"),
        (np.array([2**53 + 1, -(2**63)]), "int64"),
        (np.array([2**53 + 1]), "float64"),
        (np.array([16_777_217]), "float32"),
        (np.array([0.0, 2.0**63]), "uint64"),
        (np.array([1 + 0j, 2]), "float32"),
        (np.array([1.5, NAN]), "complex64"),
    ],
    ids=str,
)
def test_what_only_rounds_is_cast_as_numpy_casts_it(values, dtype):
    target = DTYPES[dtype].to_numpy()
    real = values.real if values.dtype.kind == "c" and target.kind != "c" else values
    expected = real.astype(target)
    result = cast(values, DTYPES[dtype])
    assert result.dtype == expected.dtype
    assert result.tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("values", "dtype", "position", "message"),
    [
        (np.array([1.0, 1e39]), "float32", 1, "1e+39 does not fit float32"),
        (np.array([70_000.0], np.float32), "float16", 0, "70000.0 does not fit float16"),
        (np.array([1.0, 500.0], np.float32), "float8_e4m3fn", 1, "500.0 does not fit"),
        (np.array([INF], np.float32), "float8_e4m3fn", 0, "inf does not fit float8_e4m3fn"),
        (np.array([1.0, 0.0, -1.0]), "float8_e8m0fnu", 1, "0.0 does not fit float8_e8m0fnu"),
        (np.array([1, 100_000]), "float16", 1, "100000 does not fit float16"),
        (np.array([1.0, 2.0, 0.5, 0.5]), "int64", 2, "0.5 has a fraction, which int64"),
        (np.array([255, 256]), "uint8", 1, "256 is outside 0 to 255, the range of uint8"),
        (np.array([0, -1]), "uint64", 1, "-1 is outside 0 to 18446744073709551615"),
        (np.array([2**64 - 1], np.uint64), "int64", 0, "18446744073709551615 is outside"),
        (np.array([2.0**63]), "int64", 0, "is outside"),
        (np.array([2.0**64]), "uint64", 0, "is outside"),
        (np.array([NAN]), "int32", 0, "nan is outside"),
        (np.array([INF]), "int32", 0, "inf is outside"),
        (np.array([2]), "bool", 0, "2 is neither 0 nor 1"),
        (np.array([NAN]), "bool", 0, "nan is neither 0 nor 1"),
        (np.array([1 + 2j]), "float64", 0, "has an imaginary part"),
        (np.array([1e300 + 0j]), "complex64", 0, "does not fit complex64"),
        (np.array([300.0 + 0j]), "int8", 0, "is outside -128 to 127"),
    ],
    ids=str,
)
def test_what_loses_more_is_refused_at_its_first_element(values, dtype, position, message):
    with pytest.raises(CastError) as caught:
        cast(values, DTYPES[dtype])
    assert message in str(caught.value)
    assert caught.value.position == position


def test_an_unsafe_cast_does_as_numpy_does():
    values = np.array([1e39, 1.5, 300.0])
    np.testing.assert_array_equal(
        cast(values, DTYPES["float32"], unsafe=True), np.float32([INF, 1.5, 300]), strict=True
    )
    np.testing.assert_array_equal(
        cast(values[1:], DTYPES["uint8"], unsafe=True), np.uint8([1, 44]), strict=True
    )
    np.testing.assert_array_equal(
        cast(values[:1], DTYPES["float8_e4m3fn"], unsafe=True).astype(np.float32),
        np.float32([NAN]),
        strict=True,
    )


def test_values_of_the_dtype_are_handed_on():
    values = np.arange(3).astype(ml_dtypes.bfloat16)
    assert cast(values, DTYPES["bfloat16"]) is values
