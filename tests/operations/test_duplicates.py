"""Equal arrays are found by their bits, whatever their names, and tied ones are left out."""

import ml_dtypes
import numpy as np
import pytest
from trees import tree_of

from paraminspect.arrays import InMemory
from paraminspect.operations.duplicates import (
    FIRST_NBYTES,
    Duplicates,
    find_duplicates,
    same_values,
)
from paraminspect.operations.tying import tie
from paraminspect.tree import Parameter, ParameterTree


def names(tree):
    return [duplicates.names for duplicates in find_duplicates(tree)]


LONG = np.arange(FIRST_NBYTES, dtype=np.int32)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"a": [1.0, 2], "b": [1.0, 2], "c": [1.0, 3]}, [("a", "b")]),
        ({"a": [1.0, 2], "b": [[1.0, 2]]}, []),
        ({"a": np.float32([1]), "b": np.int32([1065353216])}, []),
        ({"a": [np.nan], "b": [np.nan]}, [("a", "b")]),
        ({"a": [0.0], "b": [-0.0]}, []),
        ({"a": [], "b": []}, []),
        ({"a": 5, "b": 5, "c": 5}, [("a", "b", "c")]),
        ({"a": [1.0], "b": [1.0, 2], "c": [1.0], "d": [1.0, 2]}, [("b", "d"), ("a", "c")]),
        ({"a": LONG, "b": np.append(LONG[:-1], 0)}, []),
        ({"a": LONG, "b": LONG.copy(), "c": LONG + 1}, [("a", "b")]),
        ({"a": LONG[::-1], "b": LONG[::-1].copy()}, [("a", "b")]),
        (
            {"a": np.arange(4).astype(ml_dtypes.bfloat16), "b": np.arange(4.0, dtype=np.float16)},
            [],
        ),
    ],
)  # fmt: skip
def test_equal_arrays_are_found(values, expected):
    assert names(tree_of(values)) == expected


def test_tied_arrays_are_no_duplicates_and_what_is_saved_is_counted():
    tree = tree_of({"a": [1.0, 2], "b": [1.0, 2], "c": [1.0, 2]})
    (found,) = find_duplicates(tree)
    assert found == Duplicates(("a", "b", "c"), (2,), found.dtype, 16)
    assert found.saved_nbytes == 32
    assert names(tie(tree, "b", "a")) == [("a", "c")]
    assert names(tie(tie(tree, "b", "a"), "c", "a")) == []


class Counting(InMemory):
    count = 0

    def read(self, start, stop):
        Counting.count += stop - start
        return super().read(start, stop)


def test_arrays_that_begin_differently_are_not_read_on():
    big = np.zeros(10_000_000, np.uint8)
    tree = ParameterTree({str(i): Parameter(str(i), Counting(big + np.uint8(i))) for i in range(4)})
    assert find_duplicates(tree) == []
    assert Counting.count <= 4 * FIRST_NBYTES


def test_same_values_compares_bits():
    assert same_values(InMemory(np.float32([np.nan, 1])), InMemory(np.float32([np.nan, 1])))
    assert not same_values(InMemory(LONG), InMemory(LONG[::-1]))
