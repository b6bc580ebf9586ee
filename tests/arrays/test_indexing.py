"""Indexing through `read` gives what NumPy gives, and reads little more than is asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import paraminspect.arrays.indexing as indexing
from paraminspect.arrays import DType
from paraminspect.arrays.indexing import gather
from paraminspect.errors import AddressError


class Recorded:
    """An array that counts the elements read from it and hands out one reused buffer."""

    def __init__(self, values):
        self.values, self.shape, self.dtype = values, values.shape, DType.of(values.dtype)
        self.read_count = 0

    def read(self, start, stop):
        assert 0 <= start < stop <= self.values.size
        self.read_count += stop - start
        return self.values.reshape(-1)[start:stop]


@pytest.mark.parametrize(("small", "large"), [(1 << 16, 1 << 22), (64, 256), (8, 64)])
@settings(max_examples=300)
@given(data=st.data())
def test_gather_equals_numpy_for_every_basic_index(small, large, data):
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=7))
    index = data.draw(hnp.basic_indices(shape, allow_newaxis=False, allow_ellipsis=True))
    values = np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(indexing, "SMALL_READ_NBYTES", small)
        patch.setattr(indexing, "BLOCK_NBYTES", large)
        result = gather(Recorded(values), index)
    np.testing.assert_array_equal(result, np.asarray(values[index]), strict=True)


@pytest.mark.parametrize(
    ("shape", "index", "most"),
    [
        ((1000, 100_000), (5,), 100_000),
        ((1000, 100_000), (slice(None), 0), 1000),
        ((1000, 100_000), (slice(10, 12), slice(0, 8)), 2 * 8 + 2 * 16384),
        ((100_000_000,), (slice(None, None, 50_000_000),), 2),
        ((1000, 100_000), (-1, -1), 1),
    ],
    ids=["row", "column", "corner", "two far ends", "element"],
)
def test_only_what_is_asked_for_is_read(shape, index, most):
    array = Recorded(np.broadcast_to(np.float32(0), shape))
    array.read = lambda start, stop: (
        setattr(array, "read_count", array.read_count + stop - start)
        or np.zeros(stop - start, np.float32)
    )
    gather(array, index)
    assert array.read_count <= most


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ((0, 0, 0), "3 indices for 2 axes"),
        ((6,), "index 6 is out of bounds for axis 0 with size 6"),
        ((Ellipsis, Ellipsis), "only a single"),
        ((slice(None, None, 0),), "step cannot be zero"),
        ((1.5,), "made of integers"),
        ((True,), "made of integers"),
        ((None,), "made of integers"),
    ],
)
def test_a_bad_index_says_why(index, message):
    with pytest.raises(AddressError, match=message):
        gather(Recorded(np.zeros((6, 2), np.float32)), index)
