"""Differences are those that exact arithmetic finds: Python's integers, fractions and NumPy's
`isclose` are the oracles, never the formulas of the code."""

import contextlib
import math
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from trees import tree_of

import paraminspect.operations.diff._values as values_module
from paraminspect.arrays import DTYPES
from paraminspect.operations.diff import Change, diff_trees

NAN, INF = math.nan, math.inf

WHOLE = [d.name for d in DTYPES.values() if d.nbits >= 8]
"""Dtypes that files store densely: each element in bytes of its own."""


def diff(left, right, **options):
    return list(diff_trees(tree_of(left), tree_of(right), **options))


def value_difference(left, right, **options):
    """The value record of two arrays, None if there is none; dtypes may differ."""
    found = diff({"x": left}, {"x": right}, ignore={Change.DTYPE}, **options)
    assert all(d.kind is Change.VALUE for d in found)
    return found[0].values if found else None


def exact(value):
    """An element as a Python number that is exactly it: int, Fraction, or a special float."""
    if isinstance(value, np.bool_ | np.integer) or "int" in value.dtype.name:
        return int(value)
    number = float(value)
    return Fraction(number) if math.isfinite(number) else number


def distance(a, b):
    """|a - b| without any rounding; NaN or infinite where it is no number."""
    if isinstance(a, float) or isinstance(b, float):
        return abs(float(a) - float(b))
    return abs(a - b)


def is_nan(a):
    return isinstance(a, float) and math.isnan(a)


def expected(left, right, nan_differs=False):
    """Indices that differ, the largest distance and the first place where it is."""
    at, largest, worst = [], None, None
    for i, (x, y) in enumerate(zip(left.reshape(-1), right.reshape(-1), strict=True)):
        a, b = exact(x), exact(y)
        if a == b or (is_nan(a) and is_nan(b) and not nan_differs):
            continue
        at.append(i)
        d = distance(a, b)
        if largest is None or (not is_nan(largest) and (is_nan(d) or d > largest)):
            largest, worst = d, i
    return at, largest, worst


def close(got, want, rel=1e-12):
    if want is None or got is None:
        return got is want
    if isinstance(want, float) and not math.isfinite(want):
        return got == want or (math.isnan(got) and math.isnan(want))
    return math.isclose(got, want, rel_tol=rel)


# --- values -------------------------------------------------------------------------------------


@contextlib.contextmanager
def blocks_of(nbytes, task_nbytes=1 << 24, task_blocks=256):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(values_module, "BLOCK_NBYTES", nbytes)
        patch.setattr(values_module, "TASK_NBYTES", task_nbytes)
        patch.setattr(values_module, "TASK_BLOCKS", task_blocks)
        yield


def elements(dtype):
    """Elements of a dtype: any bits, and often values that other dtypes hold too."""
    if dtype.kind == "b":
        return st.booleans()
    few = st.sampled_from([0, 1, 2, 3])
    if dtype.kind in "iu":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        near = [2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), -1, 127, low, high]
        return few | st.sampled_from([n for n in near if low <= n <= high])
    special = st.sampled_from([0.0, -0.0, NAN, INF, -INF, 2.0**53, 2.0**63, 2.0**64, 0.5, -1.5])
    return few | special


@st.composite
def array_of(draw, name, shape):
    dtype = DTYPES[name].to_numpy()
    count = math.prod(shape)
    if dtype.kind == "c":
        numbers = draw(st.lists(elements(np.dtype("f8")), min_size=2 * count, max_size=2 * count))
        pairs = np.array(numbers, float).reshape(-1, 2)
        return pairs.astype(f"f{dtype.itemsize // 2}").view(dtype).reshape(shape)
    with np.errstate(all="ignore"):
        if dtype.kind in "biu" or draw(st.booleans()):
            numbers = draw(st.lists(elements(dtype), min_size=count, max_size=count))
            return (
                np.array(numbers, None if dtype.kind in "biu" else float)
                .astype(dtype)
                .reshape(shape)
            )
        return np.frombuffer(
            draw(st.binary(min_size=count * dtype.itemsize, max_size=count * dtype.itemsize)), dtype
        ).reshape(shape)


REAL = [name for name in WHOLE if not name.startswith("complex")]


@settings(max_examples=150)
@given(data=st.data())
def test_any_two_dtypes_are_compared_without_rounding(data):
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    left = data.draw(array_of(data.draw(st.sampled_from(REAL)), shape))
    right = data.draw(array_of(data.draw(st.sampled_from(REAL)), shape))
    nan_differs = data.draw(st.booleans())
    with blocks_of(
        data.draw(st.sampled_from([8, 24, 1 << 19])), data.draw(st.sampled_from([1, 48]))
    ):
        found = value_difference(left, right, nan_differs=nan_differs)
    at, largest, worst = expected(left, right, nan_differs)
    if not at:
        assert found is None
        return
    assert (found.differing, found.count) == (len(at), left.size)
    assert close(found.max_abs, largest)
    index = np.unravel_index(worst, shape)
    if found.worst_index != index:  # equal after rounding the distance to float64
        again = distance(exact(left[found.worst_index]), exact(right[found.worst_index]))
        assert float(again) == float(largest)


@settings(max_examples=80)
@given(data=st.data())
def test_integers_report_exact_distances(data):
    integers = ["int8", "uint8", "int16", "uint32", "int64", "uint64", "bool"]
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=2, max_side=4))
    left = data.draw(array_of(data.draw(st.sampled_from(integers)), shape))
    right = data.draw(array_of(data.draw(st.sampled_from(integers)), shape))
    found = value_difference(left, right)
    at, largest, _ = expected(left, right)
    assert (found.max_abs if found else None) == (
        largest if largest is None or largest < 2**64 else float(largest)
    )
    assert bool(at) == (found is not None)


@settings(max_examples=100)
@given(data=st.data())
def test_tolerances_mean_what_they_mean_to_numpy_isclose(data):
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=2, max_side=5))
    finite = st.floats(-8, 8, width=32) | st.sampled_from([NAN, INF, -INF, 0.0])
    left, right = (data.draw(hnp.arrays(np.float64, shape, elements=finite)) for _ in range(2))
    rtol, atol = data.draw(st.floats(0, 2)), data.draw(st.floats(0, 4))
    nan_differs = data.draw(st.booleans())
    with np.errstate(all="ignore"):
        same = np.isclose(left, right, rtol, atol, equal_nan=not nan_differs)
    found = value_difference(left, right, rtol=rtol, atol=atol, nan_differs=nan_differs)
    assert (found.differing if found else 0) == int(np.sum(~same))


def test_a_tolerance_is_relative_to_the_right_side():
    assert value_difference([9.05], [10.0], rtol=0.1) is None
    assert value_difference([10.0], [9.05], rtol=0.1).differing == 1


@pytest.mark.parametrize(
    ("left", "right", "atol", "differing"),
    [
        (2**53 + 1, 0, 2.0**53, 1),
        (2**53, 0, 2.0**53, 0),
        (2**64 - 1, 0, 2.0**64, 0),
        (3, 1, 2.5, 0),
        (4, 1, 2.5, 1),
    ],
)
def test_a_tolerance_between_integers_is_exact(left, right, atol, differing):
    arrays = np.array([left], np.uint64), np.array([right], np.uint64)
    found = value_difference(*arrays, atol=atol)
    assert (found.differing if found else 0) == differing


@settings(max_examples=60)
@given(data=st.data())
def test_sums_agree_with_numpy_in_longdouble(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=2, max_side=12))
    names = ["float32", "float64", "float16", "bfloat16", "float8_e4m3fn", "int8", "int64", "bool"]
    seed = data.draw(st.integers(0, 2**32))
    rng = np.random.default_rng(seed)
    numbers = rng.integers(-9, 9, shape) / data.draw(st.sampled_from([1, 3]))
    left = numbers.astype(DTYPES[data.draw(st.sampled_from(names))].to_numpy())
    changed = np.where(
        rng.random(shape) < data.draw(st.sampled_from([0.1, 0.6, 1])), numbers + 1, numbers
    )
    right = changed.astype(DTYPES[data.draw(st.sampled_from(names))].to_numpy())
    with blocks_of(data.draw(st.sampled_from([8, 32, 1 << 19])), 64):
        found = value_difference(left, right)
    a, b = (x.astype(np.float64).astype(np.longdouble).reshape(-1) for x in (left, right))
    if (a == b).all():
        assert found is None
        return
    assert close(found.max_abs, float(np.abs(a - b).max()))
    with np.errstate(all="ignore"):
        relative = np.abs(a - b) / np.abs(b)
    assert close(found.max_rel, float(np.nanmax(relative)))
    assert close(found.rms, float(np.sqrt(np.mean((a - b) ** 2))))
    length = np.sqrt(np.sum(a * a) * np.sum(b * b))
    assert (
        close(found.cosine, float(np.sum(a * b) / length) if length else None, rel=1e-9)
        or abs(found.cosine) < 1e-12
    )


@settings(max_examples=60)
@given(data=st.data())
def test_complex_numbers_are_compared_by_both_parts(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=2, max_side=4))
    names = ["complex64", "complex128"]
    left = data.draw(array_of(data.draw(st.sampled_from(names)), shape))
    right = data.draw(array_of(data.draw(st.sampled_from([*names, "float32", "int16"])), shape))
    if data.draw(st.booleans()):
        left, right = right, left
    with np.errstate(all="ignore"):
        wide = left.astype(complex), right.astype(complex)
        same = np.isclose(*wide, 0, 0, equal_nan=True)
        largest = np.abs(wide[0] - wide[1])[~same]
    found = value_difference(left, right)
    assert (found.differing if found else 0) == int(np.sum(~same))
    if found:
        assert close(found.max_abs, float(largest.max()))


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_a_complex_number_is_compared_exactly_with_an_integer(dtype):
    integers = np.array([2**53 + 1, 3], dtype)
    found = value_difference(integers, np.array([2.0**53, 3 + 4j]))
    assert (found.differing, found.max_abs, found.worst_index) == (2, 4.0, (1,))


@pytest.mark.parametrize(
    ("left", "right", "differing"),
    [
        (np.array([2**53], "i8"), np.array([2**53 + 1], "i8"), 1),
        (np.array([2**53 + 1], "i8"), np.array([2.0**53]), 1),
        (np.array([2**53], "i8"), np.array([2.0**53]), 0),
        (np.array([2**63 - 1], "i8"), np.array([2.0**63]), 1),
        (np.array([2**64 - 1], "u8"), np.array([-1], "i8"), 1),
        (np.array([2**64 - 1], "u8"), np.array([-1], "i1"), 1),
        (np.array([2**64 - 1], "u8"), np.array([2.0**64]), 1),
        (np.array([-0.0]), np.array([0.0]), 0),
        (np.array([True, False]), np.array([1, 0], "u1"), 0),
        (np.array([0.1], "f4"), np.array([0.1]), 1),
        (np.array([0.5], "f4"), np.array([0.5]), 0),
        (
            np.array([1.0]).astype(ml_dtypes.bfloat16),
            np.array([1.0078125]).astype(ml_dtypes.bfloat16),
            1,
        ),
        (np.array([448.0]).astype(ml_dtypes.float8_e4m3fn), np.array([448], "i4"), 0),
        (np.array([NAN]), np.array([NAN], "f4"), 0),
        (np.array([INF]), np.array([INF], "f2"), 0),
        (np.array([INF]), np.array([-INF]), 1),
        (np.array([5e-324]), np.array([0.0]), 1),
    ],
    ids=str,
)
def test_numbers_count_not_the_types_that_hold_them(left, right, differing):
    found = value_difference(left, right)
    assert (found.differing if found else 0) == differing
    turned = value_difference(right, left)
    assert (turned.differing if turned else 0) == differing


@pytest.mark.parametrize(
    ("integer", "number", "distance"),
    [
        (np.int64(2**63 - 1), 2.0**63, 1),
        (np.int64(-(2**63)), -(2.0**63) - 2048, 2048),
        (np.uint64(2**64 - 1), 2.0**64, 1),
        (np.uint64(0), -0.25, 0.25),
        (np.int64(2**53 + 1), 2.0**53 + 2, 1),
        (np.int64(-3), 2.5, 5.5),
        (np.int64(7), INF, INF),
    ],
)
def test_an_integer_is_as_far_from_a_float_as_in_exact_arithmetic(integer, number, distance):
    integers, numbers = np.array([integer]), np.array([number])
    assert value_difference(integers, numbers).max_abs == distance
    assert value_difference(numbers, integers).max_abs == distance


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_one_part_of_one_complex_number_is_found(dtype):
    left = np.arange(30).astype(dtype)
    right = left.copy()
    right[23] += 4j
    found = value_difference(left, right)
    assert (found.differing, found.worst_index, found.max_abs) == (1, (23,), 4.0)
    assert found.rms == pytest.approx(4 / math.sqrt(30))


def test_nan_against_a_number_is_the_worst_difference():
    left = np.array([0.0, 5.0, 1.0, NAN, 2.0])
    found = value_difference(left, np.array([9.0, NAN, 1.0, NAN, 2.0]))
    assert found.differing == 2
    assert math.isnan(found.max_abs)
    assert math.isnan(found.max_rel)
    assert found.worst_index == (1,)
    assert math.isnan(found.rms)
    assert math.isnan(found.cosine)
    assert math.isnan(found.worst_right)


def test_nan_and_infinity_on_both_sides_are_left_out_of_the_sums():
    left = np.array([3.0, NAN, 4.0, INF, -INF])
    found = value_difference(left, np.array([4.0, NAN, 3.0, INF, -INF]))
    assert (found.differing, found.max_abs, found.rms, found.cosine) == (2, 1.0, 1.0, 24 / 25)


def test_infinity_on_one_side_passes_into_the_sums():
    found = value_difference(np.array([1.0, INF]), np.array([2.0, 3.0]))
    assert (found.max_abs, found.max_rel, found.rms, found.worst_index) == (INF, INF, INF, (1,))
    assert math.isnan(found.cosine)


def test_a_whole_array_turned_to_nan_differs():
    found = value_difference(np.ones(5), np.full(5, NAN))
    assert (found.differing, found.worst_index) == (5, (0,))
    assert math.isnan(found.rms)


def test_nan_differs_on_demand_even_in_equal_bytes():
    values = np.array([1.0, NAN])
    assert value_difference(values, values) is None
    assert value_difference(values, values, nan_differs=True).differing == 1


def test_what_does_not_fit_float64_has_no_rms_and_no_cosine():
    found = value_difference(np.array([1e300, 1.0]), np.array([-1e300, 1.0]))
    assert (found.max_abs, found.rms, found.cosine) == (2e300, None, None)


def test_the_relative_difference_from_zero_is_infinite():
    assert value_difference([1.0, 0.0], [0.0, 0.0]).max_rel == INF


@pytest.mark.parametrize("block", [4, 12, 16, 1 << 19])
@pytest.mark.parametrize("task", [4, 24, 1 << 24])
@pytest.mark.parametrize("place", [0, 1, 2, 3, 6, 22, 23])
def test_a_difference_is_found_wherever_blocks_begin_and_end(block, task, place):
    left = np.arange(24, dtype=np.float32).reshape(4, 6)
    right = left.copy()
    right.reshape(-1)[place] += 0.5
    with blocks_of(block, task):
        found = value_difference(left, right)
    assert (found.differing, found.max_abs) == (1, 0.5)
    assert found.worst_index == np.unravel_index(place, left.shape)
    a, b = left.reshape(-1).astype(float), right.reshape(-1).astype(float)
    assert found.cosine == pytest.approx(a @ b / np.sqrt(a @ a * (b @ b)), rel=1e-14)


def test_the_first_of_equally_bad_elements_is_named():
    with blocks_of(16, 16):
        found = value_difference(np.zeros(64, np.float32), np.ones(64, np.float32))
    assert found.worst_index == (0,)


def test_results_are_the_same_for_any_number_of_threads(monkeypatch):
    rng = np.random.default_rng(5)
    left = {f"w{i}": rng.standard_normal(5000 + i).astype(np.float32) for i in range(5)}
    right = {name: a * np.float32(1.001) for name, a in left.items()}
    with blocks_of(1 << 12, 1 << 13):
        results = []
        for threads in (1, 2, 7):
            monkeypatch.setattr("os.cpu_count", lambda n=threads: n)
            results.append(diff(left, right))
    assert results[0] == results[1] == results[2]


def test_order_of_the_arrays_changes_nothing_but_the_order():
    rng = np.random.default_rng(6)
    left = {f"w{i}": rng.standard_normal(3000).astype(np.float32) for i in range(4)}
    right = {name: a + np.float32(0.5) for name, a in left.items()}
    turned = {name: right[name] for name in reversed(right)}
    with blocks_of(1 << 12, 1 << 13):
        assert diff(left, right) == diff(left, turned)


def test_arrays_without_elements_are_the_same():
    arrays = {"a": np.empty((0, 3)), "b": np.ones(2), "c": np.empty(0), "d": np.empty((2, 0))}
    changed = {**arrays, "b": np.zeros(2)}
    assert [d.name for d in diff(arrays, changed)] == ["b"]
    assert diff(arrays, arrays) == []
