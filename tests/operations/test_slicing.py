"""Slices are what NumPy makes of the same index, however they are read, printed and measured."""

import io
import json
import math

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from trees import Packed

from paraminspect.arrays import DTYPES, InMemory, Unset
from paraminspect.arrays.indexing import as_index
from paraminspect.arrays.selection import Selection
from paraminspect.errors import AddressError, DTypeError, ShapeError, UnsetError
from paraminspect.operations.histogram import array_stats, histogram
from paraminspect.operations.slicing import Slice, slice_tree
from paraminspect.report import Screen
from paraminspect.report import slice as reports
from paraminspect.tree import Parameter, ParameterTree, Source
from paraminspect.tree.address import format_index, parse_index

BF16 = np.dtype(ml_dtypes.bfloat16)


class Reading(InMemory):
    """Values that count how many of them are read."""

    def __init__(self, values):
        super().__init__(values)
        self.elements_read = 0

    def read(self, start, stop):
        self.elements_read += stop - start
        return super().read(start, stop)


def tree_of(**arrays):
    return ParameterTree(
        {name: Parameter(name, data) for name, data in arrays.items()}, source=Source("f")
    )


def slice_of(values, name="x"):
    values = np.asarray(values)
    return Slice(name, None, InMemory(values), InMemory(values).dtype)


@settings(max_examples=200)
@given(data=st.data())
def test_any_stretch_of_a_selection_is_what_numpy_has_there(data):
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6))
    index = as_index(data.draw(hnp.basic_indices(shape, allow_newaxis=False)))
    values = np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    expected = np.asarray(values[index])
    selection = Selection(InMemory(values), index)
    assert selection.shape == expected.shape
    stop = data.draw(st.integers(0, expected.size))
    start = data.draw(st.integers(0, stop))
    flat = expected.reshape(-1)[start:stop]
    np.testing.assert_array_equal(selection.read(start, stop), flat, strict=True)
    np.testing.assert_array_equal(selection[...], expected, strict=True)


@pytest.mark.parametrize(
    "index",
    [
        np.s_[::2],
        np.s_[::-1],
        np.s_[5:0:-2, ::3],
        np.s_[1::3, 0],
        np.s_[:, ::-2, 1:],
        np.s_[2, ::2, -1],
    ],
    ids=str,
)
def test_every_stretch_of_a_stepped_selection_is_what_numpy_has_there(index):
    values = np.arange(7 * 6 * 4).reshape(7, 6, 4)
    expected = values[index].reshape(-1)
    selection = Selection(InMemory(values), as_index(index))
    for start in range(expected.size):
        for stop in (start, start + 1, start + 5, expected.size):
            stop = min(stop, expected.size)
            np.testing.assert_array_equal(selection.read(start, stop), expected[start:stop])


@given(index=hnp.basic_indices((9, 9, 9), allow_newaxis=False))
def test_an_index_is_typed_as_it_is_read(index):
    index = as_index(index)
    assert parse_index(format_index(index)) == index


def test_a_row_costs_a_row():
    data = Reading(np.zeros((1000, 5000), np.float32))
    [row] = slice_tree(tree_of(w=data), ["w[7]"])
    assert list(reports.TEXT_STYLES["csv"]("f", [row], None))
    assert data.elements_read == 5000


def test_addresses_keep_their_order_and_patterns_that_of_the_tree():
    tree = tree_of(a=InMemory(np.arange(3)), b=InMemory(np.arange(4)), c=InMemory(np.arange(5)))
    slices = slice_tree(tree, ["c[1:]", "?[0]", "a"])
    assert [s.title for s in slices] == ["c[1:]", "a[0]", "b[0]", "c[0]", "a"]
    assert [s.data.shape for s in slices] == [(4,), (), (), (), (3,)]


@pytest.mark.parametrize(
    ("address", "error", "message"),
    [
        ("nope", AddressError, "no parameter matches 'nope'"),
        ("w[0, 0, 0]", AddressError, "w: 3 indices for 2 axes"),
        ("w[9]", AddressError, "w: index 9 is out of bounds for axis 0 with size 2"),
        ("w[2:]", AddressError, r"w: the index \[2:\] selects nothing of axis 0, .* 0 to 1"),
        ("w[:, 2:1]", AddressError, r"w: the index \[:, 2:1\] selects nothing of axis 1"),
        ("none[...]", AddressError, "none: the index .* selects nothing of axis 1, .* length 0"),
        ("?[1]", AddressError, "n, o: index 1 is out of bounds for axis 0 .*1 other match has it"),
        ("w[1.5]", AddressError, "integers, slices and '...'"),
        ("w[None]", AddressError, "integers, slices and '...'"),
        ("w[0", AddressError, "ends the address with ']'"),
        ("unset[0]", UnsetError, "f: 'unset' has no values.*`init`"),
        ("six[0]", DTypeError, "slice it without an index"),
    ],
)
def test_a_bad_address_says_why(address, error, message):
    tree = tree_of(
        w=InMemory(np.zeros((2, 3))),
        n=InMemory(np.zeros(1)),
        o=InMemory(np.zeros((1, 2))),
        none=InMemory(np.zeros((2, 0))),
        unset=Unset((2,), DTYPES["float32"]),
        six=Packed("float6_e2m3fn", (4,), [1, 2, 3]),
    )
    with pytest.raises(error, match=message):
        slice_tree(tree, [address])


def test_four_bit_elements_are_numbers_with_a_note():
    tree = tree_of(x=Packed("float4_e2m1fn", (3, 2), [0x21, 0x43, 0x07]))
    [whole, part] = slice_tree(tree, ["x", "x[1:, ::-1]"])
    assert whole.data[...].astype(float).tolist() == [[0.5, 1], [1.5, 2], [6, 0]]
    assert part.data[...].astype(float).tolist() == [[2, 1.5], [0, 6]]
    assert "low half first" in part.note


def test_six_bit_elements_are_bytes_with_a_note():
    [found] = slice_tree(tree_of(x=Packed("float6_e2m3fn", (4,), [1, 2, 255])), ["x"])
    assert found.data[...].tolist() == [1, 2, 255]
    assert found.dtype.name == "float6_e2m3fn"
    assert "not decoded" in found.note
    with pytest.raises(DTypeError, match="'x': values of float6_e2m3fn are not decoded"):
        reports.measure([found], with_histogram=False)


# --- text ---------------------------------------------------------------------------------------


def text(*slices, precision=None, screen=None):
    return "".join(reports.as_text(slices, precision, screen))


PRINTED = [
    np.float32(0.1),
    np.arange(5),
    np.array([True, False]),
    np.linspace(-1, 1e6, 12).reshape(3, 4),
    np.array([1 + 2j, -3.5j], np.complex64),
    np.array([np.nan, np.inf, -0.0, 1e-30], np.float32),
    np.zeros((0, 3)),
    np.full((2, 2), 2**63, np.uint64),
    np.array([0.1, 65504], np.float16),
]


@pytest.mark.parametrize("values", PRINTED, ids=lambda v: f"{v.dtype}{v.shape}")
@pytest.mark.parametrize("precision", [None, 2])
def test_values_print_as_numpy_prints_them(values, precision):
    with np.printoptions(precision=precision or 8):
        expected = str(np.asarray(values))
    if precision and not np.shape(values):
        expected = np.array2string(values, precision=precision)
    assert text(slice_of(values), precision=precision) == expected + "\n"


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu"])
def test_small_floats_print_as_numbers(dtype):
    values = np.array([0.5, 1, 2, np.nan]).astype(DTYPES[dtype].to_numpy())
    assert text(slice_of(values)) == "[0.5 1.  2.  nan]\n"


@pytest.mark.parametrize(
    "shape", [(1001,), (7, 200), (200, 7), (6, 200), (13, 11, 9), (2, 600), (1500, 1), (8, 8, 8, 8)]
)
def test_a_terminal_gets_the_summary_that_numpy_prints(shape):
    values = np.random.default_rng(3).standard_normal(shape).astype(np.float32)
    data = Reading(values)
    printed = text(Slice("x", None, data, data.dtype), screen=Screen(60))
    assert printed == np.array2string(values, threshold=1000, max_line_width=60) + "\n"


def test_a_summary_reads_the_ends_alone():
    data = Reading(np.broadcast_to(np.float32(0), (5000, 30_000)))
    text(Slice("x", None, data, data.dtype), screen=Screen(80))
    assert data.elements_read < 6 * 2 * 20_000


def test_a_pipe_gets_every_value_or_none():
    thousands = slice_of(np.arange(5000))
    assert "..." not in text(thousands)
    assert text(thousands).split()[-1] == "4999]"
    with pytest.raises(ShapeError, match="'x' has 100,001 values, and text shows at most 100,000"):
        text(slice_of(np.zeros(100_001, np.int8)))


def test_several_slices_stand_under_their_names():
    one = Slice("a", "0", InMemory(np.arange(2)), DTYPES["int64"])
    assert text(one, slice_of(np.float32(0.5), "b\x1b")) == (
        "a[0]  int64 [2]\n[0 1]\n\nb\\x1b  float32 []\n0.5\n"
    )


# --- machine formats ----------------------------------------------------------------------------


def as_json(*slices):
    def refuse(constant):
        raise AssertionError(constant)

    out = "".join(reports.TEXT_STYLES["json"]("f", slices, None))
    assert out.isascii()
    return json.loads(out, parse_constant=refuse)["slices"]


@settings(max_examples=100)
@given(data=st.data())
def test_json_holds_the_very_values(data):
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
    dtype = data.draw(st.sampled_from([np.float32, np.int64, np.bool_, np.float64, np.uint64]))
    values = data.draw(
        hnp.arrays(
            dtype,
            shape,
            elements={"allow_nan": False, "allow_infinity": False}
            if dtype in (np.float32, np.float64)
            else None,
        )
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "paraminspect.report._slice_rows.ROW_NBYTES",
            data.draw(st.sampled_from([8, 24, 1 << 16])),
        )
        [record] = as_json(slice_of(values))
    assert record["values"] == values.tolist()
    assert record["shape"] == list(shape)
    assert record["dtype"] == np.dtype(dtype).name


def test_json_writes_what_it_cannot_hold_as_strings_and_lists():
    [record] = as_json(slice_of(np.array([np.nan, np.inf, -np.inf, 0.5], np.float32)))
    assert record["values"] == ["nan", "inf", "-inf", 0.5]
    [record] = as_json(slice_of(np.array([[1 + 2j], [np.inf - 1j]])))
    assert record["values"] == [[[1.0, 2.0]], [["inf", -1.0]]]
    [record] = as_json(slice_of(np.array([1.5, 2]).astype(BF16)))
    assert (record["dtype"], record["values"]) == ("bfloat16", [1.5, 2.0])


@pytest.mark.parametrize(("style", "delimiter"), [("csv", ","), ("tsv", "\t")])
@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (2, 3, 4), (1, 1)])
@pytest.mark.parametrize("row_nbytes", [8, 1 << 16])
def test_numpy_reads_separated_values_back(style, delimiter, shape, row_nbytes, monkeypatch):
    monkeypatch.setattr("paraminspect.report._slice_rows.ROW_NBYTES", row_nbytes)
    values = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    out = "".join(reports.TEXT_STYLES[style]("f", [slice_of(values)], None))
    read = np.loadtxt(io.StringIO(out), delimiter=delimiter)
    np.testing.assert_array_equal(read.reshape(shape), values.astype(np.float64), strict=True)
    if len(shape) > 1:
        assert out.count("\n") == math.prod(shape[:-1])


def test_separated_values_of_several_slices_have_comments_between():
    slices = [slice_of([[1, 2]], "a"), slice_of([[3, 4]], "b")]
    out = "".join(reports.TEXT_STYLES["csv"]("f", slices, None))
    assert out == "# a int64 [1, 2]\n1,2\n# b int64 [1, 2]\n3,4\n"
    np.testing.assert_array_equal(np.loadtxt(io.StringIO(out), delimiter=","), [[1, 2], [3, 4]])


def test_precision_keeps_digits_of_small_numbers():
    out = "".join(reports.TEXT_STYLES["csv"]("f", [slice_of([1.23456e-12, 5, 1 - 2j])], 2))
    assert out.splitlines() == ["1.23e-12+0.00e+00j", "5.00e+00+0.00e+00j", "1.00e+00-2.00e+00j"]


@pytest.mark.parametrize("row_nbytes", [8])
def test_a_long_row_comes_in_pieces(row_nbytes, monkeypatch):
    monkeypatch.setattr("paraminspect.report._slice_rows.ROW_NBYTES", 80)
    for style in reports.TEXT_STYLES:
        pieces = list(reports.TEXT_STYLES[style]("f", [slice_of(np.arange(10_000.0))], None))
        assert max(map(len, pieces)) < 200


@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (3, 4)])
@pytest.mark.parametrize("dtype", ["float32", "int8", "bool", "complex64", "uint64", "float16"])
def test_numpy_loads_npy(dtype, shape):
    values = np.arange(math.prod(shape)).astype(dtype).reshape(shape)
    out = b"".join(reports.BINARY_STYLES["npy"](slice_of(values)))
    np.testing.assert_array_equal(np.load(io.BytesIO(out)), values, strict=True)
    saved = io.BytesIO()
    np.save(saved, values)
    assert out == saved.getvalue()


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_npy_keeps_the_bits_of_what_numpy_lacks(dtype):
    values = np.array([[0.5, -2], [np.nan, 0]]).astype(DTYPES[dtype].to_numpy())
    slice_ = slice_of(values)
    out = b"".join(reports.BINARY_STYLES["npy"](slice_))
    loaded = np.load(io.BytesIO(out))
    assert loaded.view(values.dtype).tobytes() == values.tobytes()
    [note] = reports.notes(slice_, "npy", None)
    assert f".view(ml_dtypes.{dtype})" in note


def test_raw_is_the_bytes_in_c_order():
    values = np.arange(12, dtype=np.int16).reshape(3, 4)
    [part] = slice_tree(tree_of(x=InMemory(values)), ["x[::-1, 1:3]"])
    out = b"".join(reports.BINARY_STYLES["raw"](part))
    assert out == values[::-1, 1:3].astype("<i2").tobytes()


# --- measures -----------------------------------------------------------------------------------


@settings(max_examples=60)
@given(data=st.data())
def test_a_histogram_counts_as_numpy_does(data):
    dtype = data.draw(st.sampled_from([np.float32, np.float64, np.int32, np.bool_]))
    limits = {"min_value": -1000, "max_value": 1000} if dtype != np.bool_ else None
    values = data.draw(hnp.arrays(dtype, st.integers(1, 60), elements=limits))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("paraminspect.operations.histogram.BLOCK_NBYTES", 64)
        found = histogram(InMemory(values), array_stats(InMemory(values)))
    assert sum(found.counts) == values.size
    if found.single_values:
        numbers, counts = np.unique(values.astype(int), return_counts=True)
        shown = {int(e + 0.5): n for e, n in zip(found.edges, found.counts, strict=False) if n}
        assert shown == dict(zip(numbers.tolist(), counts.tolist(), strict=True))
    else:
        wide = values.astype(np.float64)
        counts, edges = np.histogram(wide, len(found.counts))
        np.testing.assert_array_equal(found.counts, counts)
        np.testing.assert_array_equal(found.edges, edges)


def test_a_histogram_leaves_out_what_is_no_number():
    values = InMemory(np.array([np.nan, np.inf, -np.inf, 0, 1], np.float32))
    found = histogram(values, array_stats(values))
    assert (sum(found.counts), found.nan, found.inf) == (2, 1, 2)
    nothing = InMemory(np.array([np.nan], np.float32))
    assert histogram(nothing, array_stats(nothing)).counts == ()


def test_values_too_far_apart_have_no_histogram():
    values = InMemory(np.array([-1.7e308, 1.7e308]))
    with pytest.raises(ShapeError, match="too far apart"):
        histogram(values, array_stats(values))
