"""Edits: what is set is what NumPy would set, block by block; the tree given stays as it was."""

import ast
import math

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from trees import tree_of

from paraminspect.arrays import DTYPES, InMemory, Unset, block_ranges
from paraminspect.arrays.indexing import as_index
from paraminspect.arrays.lazy import Recipe
from paraminspect.errors import (
    AddressError,
    CastError,
    DTypeError,
    ExpressionError,
    ShapeError,
    UnsetError,
)
from paraminspect.operations.edit import assign, changes
from paraminspect.operations.tying import tie
from paraminspect.tree import Parameter, ParameterTree
from paraminspect.tree.address import Address


def assert_equal(array, expected):
    """The array as a whole and in blocks of every small size gives the expected values."""
    np.testing.assert_array_equal(array[...], expected, strict=True)
    itemsize = expected.dtype.itemsize
    for count in (1, 2, 3, 5, 7, 100):
        blocks = [array.read(*r) for r in block_ranges(array, count * itemsize)]
        if blocks:
            np.testing.assert_array_equal(np.concatenate(blocks), expected.reshape(-1), strict=True)


W = np.arange(12.0, dtype=np.float32).reshape(4, 3) - 5
B = np.arange(3.0, dtype=np.float32) * 10
CUBE = np.arange(24, dtype=np.int64).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("42", lambda x: np.full_like(x, 42)),
        ("x + 1", lambda x: x + 1),
        ("x * 0.1", lambda x: x * 0.1),
        ("-x", lambda x: -x),
        ("x ** 2 - 3 * x", lambda x: x**2 - 3 * x),
        ("x // 2 + x % 3", lambda x: x // 2 + x % 3),
        ("x > 0", lambda x: (x > 0).astype(x.dtype)),
        ("x * (-2 < x <= 3)", lambda x: x * ((x > -2) & (x <= 3))),
        ("where(x > 0, x, 0)", lambda x: np.where(x > 0, x, 0)),
        ("clip(x, -1, high=2)", lambda x: np.clip(x, -1, 2)),
        ("clip(x, low=mean(x), high=max(x) - 1)", lambda x: np.clip(x, x.mean(), x.max() - 1)),
        ("round(x / 3, decimals=1if 1 else 2)", lambda x: np.round(x / 3, 1)),
        ("sqrt(abs(x))", lambda x: np.sqrt(abs(x))),
        ("minimum(x, 2) + maximum(x, 3)", lambda x: np.minimum(x, 2) + np.maximum(x, 3)),
        ("round(x / 3, 1)", lambda x: np.round(x / 3, 1)),
        ("sign(x) * exp(x / 10)", lambda x: np.sign(x) * np.exp(x / 10)),
        ("x + pi", lambda x: x + math.pi),
        ("'b' * 2", lambda x: np.broadcast_to(B * 2, x.shape)),
        ("x + 'b'", lambda x: x + B),
        ("x * 'column'", lambda x: x * np.float32([[1], [2], [3], [4]])),
        ("x * 'one'", lambda x: x * np.float32(2.5)),
        ("'same' - x", lambda x: W * 2 - x),
        ("x - mean(x)", lambda x: x - x.mean()),
        ("(x - mean(x)) / std(x)", lambda x: (x - x.mean()) / x.std()),
        ("x / sqrt(sum(x * x))", lambda x: x / np.sqrt((x * x).sum())),
        ("x * max('b') + min(abs(x))", lambda x: x * 20 + abs(x).min()),
        ("x * any(x > 6)", lambda x: x * (x > 6).any()),
        ("sum('b' > 5) + 0 * x", lambda x: 2 + 0 * x),
        ("x - mean(x, axis=1, keepdims=True)", lambda x: x - x.mean(axis=1, keepdims=True)),
        ("max(x, axis=0)", lambda x: np.broadcast_to(x.max(axis=0), x.shape)),
        ("transpose(reshape(x, 3, 4))", lambda x: x.reshape(3, 4).T),
        ("flip(x, 0)", lambda x: x[::-1]),
        ("roll(x, 1, axis=1)", lambda x: np.roll(x, 1, axis=1)),
        ("x[0]", lambda x: np.broadcast_to(x[0], x.shape)),
        ("x + [10, 20, 30]", lambda x: x + np.float32([10, 20, 30])),
        (
            "[[1], [2], [3], [4]]",
            lambda x: np.broadcast_to(np.float32([[1], [2], [3], [4]]), x.shape),
        ),
        ("x @ eye(3)", lambda x: (x @ np.eye(3)).astype(np.float32)),
        ("x if 1 > 0 else 0", lambda x: x),
        (
            "sort(x, axis=0) + cumsum(x, 1) + tril(x)",
            lambda x: np.sort(x, 0) + np.cumsum(x, 1) + np.tril(x),
        ),
        ("concatenate([x[2:], x[:2]])", lambda x: np.concatenate([x[2:], x[:2]])),
        ("arange(12)", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_expression_gives_what_numpy_gives(text, expected):
    tree = tree_of(
        {
            "w": W,
            "b": B,
            "same": W * 2,
            "one": np.float32([[2.5]]),
            "column": np.float32([[1], [2], [3], [4]]),
        }
    )
    if expected is None:
        with pytest.raises(ShapeError, match=r"w: the expression gives shape \[12\], which cannot"):
            assign(tree, "w", text)["w"].numpy()
        return
    result = assign(tree, "w", text)
    assert_equal(result["w"].data, np.asarray(expected(W)).astype(np.float32))
    np.testing.assert_array_equal(tree["w"].numpy(), W, strict=True)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_setting_a_part_sets_what_numpy_sets(data):
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
    index = data.draw(hnp.basic_indices(shape, allow_newaxis=False))
    values = np.arange(math.prod(shape), dtype=np.int32).reshape(shape)
    text = data.draw(
        st.sampled_from(["x * 2 + 1", "7", "x - sum(x)", "flip(x)", "transpose(transpose(x))"])
    )
    if not values[index].size:
        with pytest.raises(AddressError, match="selects nothing"):
            assign(tree_of({"w": values}), Address("w", as_index(index)), text)
        return
    expected = values.copy()
    x = expected[index].astype(np.int64)
    expected[index] = {
        "7": lambda: 7,
        "x * 2 + 1": lambda: x * 2 + 1,
        "x - sum(x)": lambda: x - x.sum(),
        "flip(x)": lambda: np.flip(x),
    }.get(text, lambda: x)()
    edited = assign(tree_of({"w": values}), Address("w", as_index(index)), text)["w"].data
    assert_equal(edited, expected)
    low, high = edited.changed
    flat = np.flatnonzero((expected != values).reshape(-1))
    assert all(low <= i < high for i in flat)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_an_array_is_set_in_the_order_of_the_index(data):
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=5))
    index = data.draw(hnp.basic_indices(shape, allow_newaxis=False))
    values = np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    new = -1 - np.arange(values[index].size, dtype=np.float32).reshape(values[index].shape)
    if not new.size:
        return
    expected = values.copy()
    expected[index] = new
    edited = assign(tree_of({"w": values}), Address("w", as_index(index)), new)["w"].data
    assert_equal(edited, expected)
    low, high = edited.changed  # no more is read of the formula, and no less
    flat = np.flatnonzero((expected != values).reshape(-1))
    assert (low, high) == (flat[0], flat[-1] + 1)


@pytest.mark.parametrize("index", ["::-1", "::-1, ::-1", ":, ::-1", "::-1, 0:1", "...", "3::-1, :"])
def test_an_index_of_every_element_in_another_order_is_no_index_of_all(index):
    new = np.arange(12, dtype=np.float32).reshape(4, 3)
    new = new[:, :1] if "0:1" in index else new
    expected = W.copy()
    exec(f"expected[{index}] = new", {"expected": expected, "new": new})
    assert_equal(assign(tree_of({"w": W}), f"w[{index}]", new)["w"].data, expected)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 2)])
@pytest.mark.parametrize("steps", [(1, 1), (-1, 1), (1, -1), (-1, -1)])
def test_axes_of_any_length_are_set_backwards_too(steps, shape):
    new = -1 - np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    expected = np.zeros(shape, np.float32)
    expected[:: steps[0], :: steps[1]] = new
    index = f"::{steps[0]}, ::{steps[1]}"
    tree = assign(tree_of({"w": np.zeros(shape, np.float32)}), f"w[{index}]", new)
    assert_equal(tree["w"].data, expected)


def test_two_assignments_apply_in_order():
    tree = tree_of({"a": np.arange(3.0), "b": np.arange(3.0) * 10})
    tree = assign(assign(tree, "a", "'b' + 1"), "b", "'a' * 2")
    np.testing.assert_array_equal(tree["a"].numpy(), [1.0, 11, 21], strict=True)
    np.testing.assert_array_equal(tree["b"].numpy(), [2.0, 22, 42], strict=True)
    tree = assign(assign(tree, "a[0]", "5"), "a[1:]", "x + a0".replace("a0", "'a'[0]"))
    np.testing.assert_array_equal(tree["a"].numpy(), [5.0, 16, 26], strict=True)


def test_a_patterned_address_sets_every_match_once():
    values = {"0.weight": np.arange(4.0), "0.bias": np.arange(2.0), "1.weight": np.arange(6.0)}
    tree = tie(tree_of({**values, "tied": np.arange(4.0)}), "tied", "0.weight")
    edited = assign(tree, "*", "x + 1")
    for name, before in values.items():
        np.testing.assert_array_equal(edited[name].numpy(), before + 1, strict=True)
    assert [c.parameter.name for c in changes(tree, "*weight")] == ["0.weight", "1.weight"]
    assert changes(tree, "0.weight[::2]")[0].count == 2
    assert changes(tree, "0.weight")[0].aliases == ("tied",)


def test_setting_one_name_of_a_tie_sets_the_other():
    tree = tie(tree_of({"wte": np.arange(3.0), "head": np.arange(3.0)}), "head", "wte")
    edited = assign(tree, "head[1]", "9")
    assert edited.ties == {"head": "wte"}
    for name in ("wte", "head"):
        np.testing.assert_array_equal(edited[name].numpy(), [0.0, 9, 2], strict=True)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float8_e4m3fn"])
def test_small_floats_are_computed_in_float32_and_rounded_once(dtype):
    values = np.linspace(-2, 2, 50).astype(DTYPES[dtype].to_numpy())
    edited = assign(tree_of({"w": values}), "w", "x * 0.3 + 1 / 3 - x / 7")["w"].data
    wide = values.astype(np.float32)
    expected = (wide * 0.3 + 1 / 3 - wide / 7).astype(values.dtype)
    np.testing.assert_array_equal(edited[...], expected, strict=True)


@pytest.mark.parametrize(
    ("values", "text", "message"),
    [
        (np.float32([1, 2, 3e38]), "x * 10", r"w\[2\]: the result is NaN or infinite"),
        (np.float32([[1, 2], [3, 200]]), "exp(x)", r"w\[1, 1\]: the result is NaN or inf"),
        (
            np.float32([1, 2]),
            "1e39",
            r"w\[0\]: 1e\+39 does not fit float32 \(2 of 2 values are lost\); use unsafe=True",
        ),
        (np.array([1, 2]), "x / 2", r"w\[0\]: 0.5 has a fraction"),
        (np.uint8([[0, 5], [6, 7]]), "x - 6", r"w\[0, 0\]: -6 is outside 0 to 255"),
        (np.int8([1, 100]), "x * 2", r"w\[1\]: 200 is outside"),
        (np.array([1, 2**62]), "x * 2", r"w\[1\]: the result overflows int64"),
        (np.array([1, 2**62]), "x ** 3", r"w\[1\]: the result overflows int64"),
        (np.array([0, 1], np.uint64), "x - 1", r"w\[0\]: the result overflows uint64"),
        (np.array([1], np.uint64), "-x", r"w\[0\]: the result overflows uint64"),
        (np.array([1, 2]), "2**100", r"w\[0\]: 1.26.*e\+30 is outside"),
        (np.array([True, False]), "x + 1", r"w\[0\]: 2 is neither"),
        (np.array(5, np.int32), "0.5", r"w: 0.5 has a fraction"),
    ],
    ids=lambda v: v if isinstance(v, str) else str(v.dtype),
)
def test_an_assignment_that_loses_values_names_the_first(values, text, message):
    with pytest.raises(CastError, match=message):
        assign(tree_of({"w": values}), "w", text)["w"].numpy()


def test_an_unsafe_assignment_loses_them():
    tree = tree_of({"w": np.float32([3e38]), "i": np.int8([100])})
    assert assign(tree, "w", "x * 10", unsafe=True)["w"].numpy() == [np.inf]
    assert assign(tree, "i", "x * 2.1", unsafe=True)["i"].numpy() == [-46]


def test_the_first_of_many_lost_elements_is_named_whatever_block_is_read_first():
    values = np.zeros(3_000_000, np.int8)
    values[[1_000, 2_500_000]] = 100
    array = assign(tree_of({"w": values}), "w[1:]", "x * 2")["w"].data
    with pytest.raises(CastError, match=r"w\[1000\]: 200 .*\(2 of 2999999 values are lost\)"):
        array.read(2_400_000, 2_600_000)


def test_infinities_and_nan_that_are_there_already_are_no_loss():
    values = np.float32([np.inf, np.nan, 3])
    np.testing.assert_array_equal(
        assign(tree_of({"w": values}), "w", "x + 1")["w"].numpy(), values + 1, strict=True
    )


INF, NAN = np.inf, np.nan


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("log(x)", [[1, 2], [-1, 0]], ("[1, 0]", 2)),
        ("log(-1)", [1, 2, 3], ("[0]", 3)),
        ("log(x)", 0, ("", 1)),
        ("1 / x", [1, 0, INF], ("[1]", 1)),
        ("x / x", [0, 1, 0], ("[0]", 2)),
        ("x * 1e300 * 1e300", [1, 0, INF, NAN], ("[0]", 1)),
        ("x - 'b'", [INF, 1], None),  # inf - inf, of which both are there
        ("x + 1", [INF, NAN, -INF], None),
        ("sqrt(x)", [-INF, NAN, -1], ("[2]", 1)),
        ("x * 0 + inf", [1, 2], None),
        ("nan", [1, 2], None),
        ("-inf * x", [1, 0], None),  # inf * 0 is NaN, and inf is written
        ("where(x > 0, log(x), 0)", [-1, 0, 1], None),
        ("where(x > 0, nan, log(x))", [1, -1, 2], ("[1]", 1)),
        ("where(x > 0, x, nan)", [1, -1, 2], None),
        ("log(x) * 0", [1, -1], ("[1]", 1)),
        ("minimum(log(x), 5)", [-1, 1e9], ("[0]", 1)),
        ("clip(1 / x, -9, 9)", [0, 1], None),
        ("where(isnan(log(x)), 7, x)", [-1, 1], None),
        ("round(1 / x)", [0, 1], ("[0]", 1)),
        ("flip(log(x))", [1, 2, -1], ("[0]", 1)),
        ("transpose(log(x))", [[1, -1], [1, 1]], ("[1, 0]", 1)),
        ("transpose(log(x)) * 1", [[1, INF], [1, 1]], None),
        ("log(x)[::-1]", [1, 2, -1], ("[0]", 1)),
        ("concatenate([log(x[:1]), x[1:]])", [0, INF], ("[0]", 1)),
        ("x @ x", [[1e200, 1], [1, INF]], ("[0, 0]", 1)),
        ("cumsum(1 / x)", [1, 0, 1], ("[1]", 2)),
        ("sum(1 / x, axis=0)", [[1, 0], [1, 1]], ("[0, 1]", 2)),
        ("sum(x, axis=0) + x", [[1, INF], [1, 1]], None),
        ("sort(1 / x)", [1, 0, 1], ("[2]", 1)),
        ("x * 'b'", [1e200, 1], ("[0]", 1)),
        ("x - mean(x)", [1, NAN], None),
    ],
)
def test_what_is_not_finite_though_its_operands_are_is_lost_and_nothing_else(
    text, values, expected
):
    arrays = {"w": np.array(values, np.float64), "b": np.array([INF if "-" in text else 1e200, 1])}
    edited = assign(tree_of(arrays), "w", text)["w"].data
    # NumPy's own evaluation of the same text.
    names = {"x": arrays["w"], "inf": INF, "nan": NAN, "b": arrays["b"], "mean": np.mean}
    with np.errstate(all="ignore"):
        plain = eval(text.replace("'b'", "b"), {**vars(np), "max": np.max}, names)
    plain = np.broadcast_to(plain, arrays["w"].shape)
    if expected is None:
        np.testing.assert_array_equal(edited[...], plain)
        return
    with pytest.raises(CastError, match="is NaN or infinite, and what it is") as caught:
        edited.read(0, math.prod(edited.shape))
    index = str(caught.value).partition(":")[0].removeprefix("w")
    assert (index, caught.value.count) == expected
    assert not np.isfinite(plain[tuple(ast.literal_eval(index or "[]"))])
    assert (caught.value.count > 1) == ("values are lost" in str(caught.value))


def test_a_reduction_that_overflows_is_refused_and_one_of_what_is_infinite_is_not():
    for text in ("sum(x)", "x - sum(x * 2)", "var(x)", "mean(log(-x))"):
        with pytest.raises(
            ExpressionError, match=r"w: (sum|var)\(\) overflows|w: within (mean|sum)\(\), the"
        ):
            assign(tree_of({"w": np.float64([1e308, 1.5e308])}), "w", text)["w"].numpy()
    assert assign(tree_of({"w": np.float64([1, INF])}), "w", "sum(x)")["w"].numpy()[0] == INF


def test_all_that_is_lost_is_counted_over_all_blocks():
    values = np.ones(3_000_000, np.float32)
    values[[5, 1_500_000, 2_999_999]] = -1
    data = assign(tree_of({"w": values}), "w", "log(x)")["w"].data
    with pytest.raises(CastError, match=r"w\[5\]: .*3 of 3000000 values are lost"):
        data.read(2_900_000, 3_000_000)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("y + 1", ExpressionError, "w: unknown name 'y': x is the present value"),
        ("sqrtt(x)", ExpressionError, "w: unknown function 'sqrtt', did you mean 'sqrt'"),
        ("'nosuch'", AddressError, "no parameter matches 'nosuch'"),
        ("'b*'", AddressError, r"no parameter matches 'b\*'"),
        ("'big'", ShapeError, r"w: big has shape \[7\], which cannot be broadcast to \[4, 3\]"),
        ("x + 'big'", ShapeError, r"w: big has shape \[7\]"),
        ("mean(x + 'big')", ShapeError, r"\[4, 3\], \[7\] within mean\(\) do not fit"),
        ("x.T", ExpressionError, "attribute access is not part"),
        ("__import__(1)", ExpressionError, "unknown function '__import__'"),
        ("x & 1", ExpressionError, "w: cannot be computed: ufunc 'bitwise_and'|w: ufunc 'bitwise"),
        ("sum(x[4:])", ExpressionError, r"w: x: the index \[4:\] selects nothing of axis 0"),
        ("x + 'b'[3:9]", ExpressionError, r"w: b: the index \[3:9\] selects nothing of axis 0"),
        ("pi[0]", ExpressionError, "w: cannot be computed|w: 'float' object"),
        ("reshape(x, 5)", ExpressionError, "w: cannot be computed: cannot reshape"),
        ("max(x, 0)", ExpressionError, r"w: max\(\) is wrong: too many positional"),
        ("eye(1000000)", ExpressionError, "has to be held in memory as a whole"),
        ("arange(10**12)", ExpressionError, "has to be held in memory as a whole"),
        ("None", ExpressionError, "w: cannot be computed"),
        ("x and 1", ExpressionError, "truth value of an array"),
        ("[1, [2, 3]]", ExpressionError, "w: cannot be computed"),
    ],
)
def test_what_cannot_be_computed_says_why(text, error, message):
    tree = tree_of({"w": W, "b": B, "big": np.arange(7.0)})
    with pytest.raises(error, match=message):
        assign(tree, "w", text)["w"].numpy()


def test_integers_are_not_divided_by_zero():
    with pytest.raises(ExpressionError, match="i: division by zero"):
        assign(tree_of({"i": CUBE}), "i", "1 // x")["i"].numpy()


@pytest.mark.parametrize(
    ("address", "error", "message"),
    [
        ("w[9]", AddressError, r"w: index 9 is out of bounds for axis 0 with size 4"),
        ("w[0, 0, 0]", AddressError, "w: 3 indices for 2 axes"),
        ("w[4:9]", AddressError, r"w: the index \[4:9\] selects nothing of axis 0, .* 0 to 3"),
        ("?[1, 1]", AddressError, r"p: 2 indices .* \(1 other match has it\)"),
        ("nope", AddressError, "no parameter matches 'nope'"),
        ("p", DTypeError, "p: values of the packed type float4_e2m1fn cannot be set"),
    ],
)
def test_a_bad_address_is_told_before_anything_is_read(address, error, message):
    tree = tree_of({"w": W})
    tree = ParameterTree(
        {**tree.entries, "p": Parameter("p", Unset((2,), DTYPES["float4_e2m1fn"]))}
    )
    with pytest.raises(error, match=message):
        assign(tree, address, "0")
    with pytest.raises(error, match=message):
        changes(tree, address)


class Huge:
    """An array far larger than memory, of ones; it counts what is read."""

    def __init__(self, count):
        self.shape, self.dtype, self.count = (count,), DTYPES["float32"], 0

    def read(self, start, stop):
        self.count += stop - start
        assert stop - start <= 1 << 20
        return np.ones(stop - start, np.float32)

    def __getitem__(self, index):
        raise AssertionError("read as a whole")


def test_an_array_larger_than_memory_is_set_block_by_block():
    huge = Huge(10**12)
    tree = ParameterTree({"w": Parameter("w", huge)})
    edited = assign(tree, "w", "where(x > 0, x * 2, 'w')")["w"].data
    np.testing.assert_array_equal(edited.read(10**11, 10**11 + 4), np.float32([2] * 4), strict=True)
    assert huge.count == 8
    with pytest.raises(ExpressionError, match="w: x has to be held in memory as a whole"):
        assign(tree, "w", "flip(x)")


def test_a_reduction_within_a_keyword_is_of_the_whole_array():
    x = np.arange(300_000, dtype=np.float64)
    tree = tree_of({"w": x})
    edited = assign(tree, "w", "clip(x, low=mean(x), high=max(x) - mean(clip(x, 0, high=max(x))))")
    blocks = [edited["w"].data.read(*r) for r in block_ranges(edited["w"].data, 1 << 16)]
    expected = np.clip(x, x.mean(), x.max() - x.mean())
    np.testing.assert_array_equal(np.concatenate(blocks), expected, strict=True)


def test_what_an_index_leaves_out_is_not_computed_and_what_is_not_used_is_not_read():
    huge = Huge(10**9)
    tree = ParameterTree({"w": Parameter("w", huge)})
    edited = assign(tree, "w[5]", "7")["w"].data
    assert edited.changed == (5, 6)
    edited.read(0, 10)
    assert huge.count == 10
    constant = assign(tree, "w", "7")["w"].data
    constant.read(0, 10)
    assert huge.count == 10


@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 3)])
def test_an_array_without_elements_has_no_stretch_that_changes(shape):
    data = assign(tree_of({"w": np.zeros(shape, np.float32)}), "w", "x + 1")["w"].data
    assert data.changed == (0, 0)
    np.testing.assert_array_equal(data[...], np.zeros(shape, np.float32), strict=True)


def test_parameters_without_values_can_be_set_as_a_whole_and_no_other_way():
    tree = ParameterTree({"w": Parameter("w", Unset((2,), DTYPES["float32"]))})
    np.testing.assert_array_equal(
        assign(tree, "w", "3")["w"].numpy(), np.float32([3, 3]), strict=True
    )
    for address, text in (("w", "x + 1"), ("w[0]", "3")):
        with pytest.raises(UnsetError, match="no values yet"):
            assign(tree, address, text)["w"].numpy()


def test_an_array_can_be_set_in_place_of_an_expression():
    tree = tree_of({"w": W})
    new = InMemory(np.arange(4.0)[:, None])
    np.testing.assert_array_equal(
        assign(tree, "w", new)["w"].numpy(),
        np.broadcast_to(np.float32([[0], [1], [2], [3]]), (4, 3)),
        strict=True,
    )
    with pytest.raises(ShapeError, match=r"w: the new array has shape \[2\], which cannot be"):
        assign(tree, "w", InMemory(np.arange(2.0)))


def test_an_expression_has_a_limited_depth():
    tree = tree_of({"w": np.arange(3.0)})
    deep = assign(tree, "w", "x" + " + 1" * 150)["w"].numpy()
    np.testing.assert_array_equal(deep, np.arange(3.0) + 150, strict=True)
    with pytest.raises(ExpressionError, match="more than 200 levels"):
        assign(tree, "w", "x" + " + 1" * 900)


def test_bfloat16_special_values_survive_an_edit_elsewhere():
    values = np.array([1, np.nan, np.inf, 3]).astype(ml_dtypes.bfloat16)
    edited = assign(tree_of({"w": values}), "w[3]", "x + 1")["w"].numpy()
    assert edited.tobytes()[:6] == values.tobytes()[:6]
    assert edited[3] == 4


@pytest.mark.parametrize("text", ["x + 1", "x - mean(x)", "flip(x) * 1", "x * 'b'"])
@pytest.mark.parametrize("ndim", [33, 64])
def test_arrays_of_many_axes_are_set(text, ndim):
    values = np.arange(4.0).reshape((2,) + (1,) * (ndim - 2) + (2,))
    tree = tree_of({"w": values.reshape(-1), "b": np.array([2.0, 3])})
    array = Recipe(
        values.shape, DTYPES["float64"], lambda start, stop: np.arange(start, stop) * 1.0
    )
    tree = tree.replace([Parameter("w", array)])
    expected = {
        "x + 1": [1.0, 2, 3, 4],
        "x - mean(x)": [-1.5, -0.5, 0.5, 1.5],
        "flip(x) * 1": [3.0, 2, 1, 0],
        "x * 'b'": [0.0, 3, 4, 9],
    }[text]
    np.testing.assert_array_equal(assign(tree, "w", text)["w"].data.read(0, 4), expected)


def test_more_axes_than_numpy_has_are_an_error():
    array = Recipe((1,) * 65, DTYPES["float64"], lambda start, stop: np.zeros(stop - start))
    tree = ParameterTree({"w": Parameter("w", array)})
    with pytest.raises(AddressError, match="w: there are 65 axes; NumPy has at most 64"):
        assign(tree, "w", "0")


@pytest.mark.parametrize("value", [np.ones((2, 2)), np.float64(1), 1, 1.0, np.ones(2, np.int8)])
def test_arrays_and_numbers_of_numpy_are_assigned_as_they_are(value):
    tree = tree_of({"w": np.zeros((2, 2), np.float32)})
    values = assign(tree, "w", value)["w"].numpy()
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, np.ones((2, 2)))
