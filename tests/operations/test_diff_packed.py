"""Types of less than a byte are compared by value where they can be decoded, else by bytes."""

import numpy as np
import pytest
from trees import Packed, tree_of

from paraminspect.arrays.packed import unpacked
from paraminspect.errors import DTypeError
from paraminspect.operations.diff import Change, diff_trees
from paraminspect.tree import Parameter, ParameterTree


def packed_tree(dtype, shape, packed):
    return ParameterTree({"x": Parameter("x", Packed(dtype, shape, packed))})


def test_four_bit_elements_are_compared_by_value():
    left = packed_tree("float4_e2m1fn", (3, 2), [0x21, 0x43, 0x07])
    right = packed_tree("float4_e2m1fn", (3, 2), [0x21, 0x53, 0x87])
    [found] = diff_trees(left, right)  # codes 4 (2.0) and 5 (3.0); 0 and 8 are +0 and -0
    assert (found.values.differing, found.values.max_abs) == (1, 1.0)
    assert found.values.worst_index == (1, 1)
    numbers = tree_of({"x": np.array([[0.5, 1], [1.5, 2], [6, 0]])})
    assert [d.kind for d in diff_trees(left, numbers)] == [Change.DTYPE]


def test_four_bit_elements_are_read_from_any_place_to_any():
    data = Packed("float4_e2m1fn", (6,), [0x21, 0x43, 0x65])
    for start in range(7):
        for stop in range(start, 7):
            codes = unpacked(data).read(start, stop).view(np.uint8)
            assert codes.tolist() == [1, 2, 3, 4, 5, 6][start:stop]


def test_six_bit_elements_are_compared_as_bytes_alone():
    left = packed_tree("float6_e2m3fn", (4,), [1, 2, 3])
    assert list(diff_trees(left, left)) == []
    [found] = diff_trees(left, packed_tree("float6_e2m3fn", (4,), [1, 2, 4]))
    assert (found.values.count, found.values.differing, found.values.max_abs) == (4, None, None)
    numbers = tree_of({"x": np.ones(4)})
    assert [d.kind for d in diff_trees(left, numbers)] == [Change.DTYPE]
    with pytest.raises(DTypeError, match="float6_e2m3fn and float64 cannot be compared by value"):
        list(diff_trees(left, numbers, ignore={Change.DTYPE}))
