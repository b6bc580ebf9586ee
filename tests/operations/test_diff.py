"""Trees differ in names, shapes, dtypes, ties and values, each told as what it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trees import tree_of

import paraminspect.operations.diff._values as values_module
from paraminspect.arrays import DTYPES, InMemory, Unset
from paraminspect.operations.diff import Change, diff_trees
from paraminspect.tree import Parameter, ParameterTree, Source


def diff(left, right, **options):
    return list(diff_trees(tree_of(left), tree_of(right), **options))


BASE = {"a": np.arange(6.0).reshape(2, 3), "b": np.arange(4.0), "c": np.arange(5)}


def kinds(found):
    return [(d.name, str(d.kind)) for d in found]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"b": None}, [("b", "missing")]),
        ({"z": np.ones(1)}, [("z", "extra")]),
        ({"b": np.arange(4.0).reshape(2, 2)}, [("b", "shape")]),
        ({"b": np.arange(4.0, dtype=np.float32)}, [("b", "dtype")]),
        ({"b": np.arange(4.0, dtype=np.float32) + 0.5}, [("b", "dtype"), ("b", "value")]),
        ({"c": np.arange(5) * 2}, [("c", "value")]),
        ({"b": np.arange(5, dtype=np.float32)}, [("b", "shape"), ("b", "dtype")]),
    ],
    ids=[
        "same",
        "missing",
        "extra",
        "shape",
        "dtype",
        "cast and changed",
        "value",
        "shape and dtype",
    ],
)
def test_each_change_has_its_kind(change, expected):
    right = {name: a for name, a in {**BASE, **change}.items() if a is not None}
    assert kinds(diff(BASE, right)) == expected
    swapped = {"missing": "extra", "extra": "missing"}
    assert kinds(diff(right, BASE)) == [(name, swapped.get(kind, kind)) for name, kind in expected]
    for _, kind in expected:
        assert (kind,) not in [(k,) for _, k in kinds(diff(BASE, right, ignore={Change(kind)}))]


names = st.sampled_from(["a", "b", "c"])
arrays = st.sampled_from(
    [
        np.zeros(2),
        np.ones(2),
        np.zeros(2, np.float32),
        np.zeros((2, 1)),
        np.array([np.nan, 0.0]),
        np.zeros(0),
    ]
)
models = st.dictionaries(names, arrays)


@settings(max_examples=80)
@given(left=models, right=models, tie=st.booleans(), other_tie=st.booleans())
def test_a_comparison_is_empty_exactly_if_the_turned_one_is(left, right, tie, other_tie):
    one = tree_of(left, {"t": "a"} if tie and "a" in left else {})
    two = tree_of(right, {"t": "a"} if other_tie and "a" in right else {})
    found, turned = list(diff_trees(one, two)), list(diff_trees(two, one))
    assert bool(found) == bool(turned)
    assert diff_trees(one, two).differs == bool(found)
    assert list(diff_trees(one, one)) == []


def tied(ties, **arrays):
    return tree_of({name: np.full(2, value) for name, value in arrays.items()}, ties)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (tied({"b": "a"}, a=1.0), tied({"b": "a"}, a=1.0), []),
        (tied({"b": "a"}, a=1.0), tied({"a": "b"}, b=1.0), []),
        (tied({"b": "a"}, a=1.0), tied({}, a=1.0, b=1.0), [("b", "tie", "a", "b")]),
        (tied({"a": "b"}, b=1.0), tied({}, a=1.0, b=1.0), [("a", "tie", "b", "a")]),
        (tied({"b": "a"}, a=1.0), tied({}, a=1.0), [("b", "missing", None, None)]),
        (
            tied({"b": "a", "c": "a"}, a=1.0),
            tied({"b": "a"}, a=1.0, c=1.0),
            [("c", "tie", "a", "c")],
        ),
        (tied({"b": "a"}, a=1.0), tied({"b": "a"}, a=2.0), [("a", "value", None, None)]),
        (
            tied({"b": "a"}, a=1.0),
            tied({}, a=1.0, b=2.0),
            [("b", "tie", "a", "b"), ("b", "value", None, None)],
        ),
    ],
    ids=[
        "same",
        "stored under the other name",
        "untied",
        "untied, alias first",
        "alias gone",
        "one of three",
        "compared once",
        "untied and changed",
    ],
)
def test_ties_are_compared_by_what_is_tied(left, right, expected):
    found = [(d.name, str(d.kind), d.left, d.right) for d in diff_trees(left, right)]
    assert found == expected


def definition(**shapes):
    entries = {n: Parameter(n, Unset(s, DTYPES["float32"])) for n, s in shapes.items()}
    return ParameterTree(entries, source=Source(format="definition"))


def test_a_definition_is_compared_by_names_shapes_and_dtypes():
    wanted = definition(a=(2, 3), b=(4,), c=(5,))
    given_ = tree_of(
        {"a": np.zeros((2, 3), np.float16), "b": np.zeros(5, np.float32), "z": np.zeros(1)}
    )
    comparison = diff_trees(wanted, given_)
    assert kinds(comparison) == [("c", "missing"), ("z", "extra"), ("a", "dtype"), ("b", "shape")]
    assert comparison.skipped == {Change.VALUE}
    turned = [("z", "missing"), ("c", "extra"), ("a", "dtype"), ("b", "shape")]
    assert kinds(diff_trees(given_, wanted)) == turned


def test_two_definitions_are_compared_by_dtype_and_ties_too():
    one, two = definition(a=(2,)), definition(a=(2,))
    two.entries["a"] = Parameter("a", Unset((2,), DTYPES["float16"]))
    assert kinds(diff_trees(one, two)) == [("a", "dtype")]


class Counting(InMemory):
    """Values that count how many of them are read."""

    def __init__(self, values):
        super().__init__(values)
        self.elements_read = 0

    def read(self, start, stop):
        self.elements_read += stop - start
        return super().read(start, stop)


def test_asking_whether_trees_differ_stops_reading_soon(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    data = Counting(np.zeros(10_000, np.float32))
    tree = ParameterTree({"a": Parameter("a", data)})
    changed = tree_of({"a": np.r_[np.float32(1), np.zeros(9_999, np.float32)]})
    monkeypatch.setattr(values_module, "BLOCK_NBYTES", 400)
    monkeypatch.setattr(values_module, "TASK_NBYTES", 400)
    assert diff_trees(tree, changed).differs
    assert data.elements_read < 1000


def test_a_tied_array_is_read_once():
    data = Counting(np.zeros(1000, np.float32))
    tree = ParameterTree({n: Parameter(n, data) for n in "abc"}, {"b": "a", "c": "a"})
    assert not diff_trees(tree, tree).differs
    assert data.elements_read == 2000


def test_structure_that_differs_is_told_without_reading_values():
    data = Counting(np.zeros(10, np.float32))
    tree = ParameterTree({"a": Parameter("a", data)})
    assert diff_trees(tree, tree_of({"a": np.zeros(10, np.float32), "b": np.zeros(1)})).differs
    assert data.elements_read == 0
