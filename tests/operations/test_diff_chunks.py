"""HDF5 files in chunks: chunks that are stored alike are the same, and others are compared."""

import h5py
import numpy as np
import pytest

from paraminspect.formats import open_checkpoint
from paraminspect.operations.diff import Change, diff_trees

SHAPE, CHUNK = (300, 70), (64, 32)
VALUES = np.random.default_rng(5).standard_normal(SHAPE).astype("<f4")
PACKED = {"compression": "gzip", "shuffle": True, "fletcher32": True}


def written(path, dtype="<f4", data=VALUES, **options):
    with h5py.File(path, "w") as file:
        file.create_dataset("w", SHAPE, dtype, chunks=CHUNK, data=data, **options)
    return path


def stored_as(path, raw, filter_mask=0, **options):
    """A dataset in one chunk, whose stored bytes are `raw`."""
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("w", (4,), chunks=(4,), **options)
        dataset.id.write_direct_chunk((0,), raw, filter_mask)
    return path


def found(left, right, **options):
    return list(diff_trees(open_checkpoint(left), open_checkpoint(right), **options))


@pytest.fixture
def one(tmp_path):
    return written(tmp_path / "one.h5", **PACKED)


def test_what_is_stored_alike_is_the_same_whatever_it_decodes_to(tmp_path):
    garbage = [stored_as(tmp_path / n, b"no zlib", dtype="<f4", compression=1) for n in "ab"]
    assert found(*garbage) == []


@pytest.mark.parametrize("place", [(0, 0), (63, 31), (64, 32), (299, 69)])
def test_one_element_in_one_chunk_is_found(place, one, tmp_path):
    changed = VALUES.copy()
    changed[place] += 1
    (difference,) = found(one, written(tmp_path / "two.h5", data=changed, **PACKED))
    assert (difference.values.differing, difference.values.worst_index) == (1, place)
    a, b = VALUES.astype(np.float64), changed.astype(np.float64)
    assert difference.values.rms == pytest.approx(np.sqrt(np.mean((a - b) ** 2)), rel=1e-12)


def test_values_stored_in_other_ways_are_the_same(one, tmp_path):
    assert found(one, written(tmp_path / "bare.h5")) == []
    assert found(one, written(tmp_path / "lzf.h5", compression="lzf")) == []


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"dtype": "<f4"}, {"dtype": "<i4"}),
        ({"dtype": "<i4"}, {"dtype": ">i4"}),
        ({"dtype": "<i4"}, {"dtype": "<i4", "shuffle": True}),
        ({"dtype": "<i4", "shuffle": True}, {"dtype": "<i4", "shuffle": True, "filter_mask": 1}),
    ],
    ids=["dtype", "byte order", "filters", "a filter that was skipped"],
)
def test_the_same_bytes_are_other_values_for(left, right, tmp_path):
    raw = np.arange(1, 5, dtype="<i4").tobytes()
    files = [stored_as(tmp_path / n, raw, **o) for n, o in (("a", left), ("b", right))]
    with h5py.File(files[0]) as a, h5py.File(files[1]) as b:
        assert (a["w"][:] != b["w"][:]).all()
    (difference,) = found(*files, ignore={Change.DTYPE})
    assert difference.values.differing == 4


@pytest.mark.parametrize(("fill", "same"), [(1, True), (2, False)])
def test_chunks_that_were_never_written_are_what_fills_them(fill, same, tmp_path):
    one = written(tmp_path / "one.h5", data=None, fillvalue=1)
    two = written(tmp_path / "two.h5", data=None, fillvalue=fill)
    assert (found(one, two) == []) is same
    full = written(tmp_path / "full.h5", data=np.full(SHAPE, fill, "<f4"))
    assert (found(one, full) == []) is same


def test_nan_differs_on_demand_in_chunks_that_are_stored_alike(tmp_path):
    values = VALUES.copy()
    values[70, 40] = np.nan
    one, two = (written(tmp_path / name, data=values, **PACKED) for name in ("a.h5", "b.h5"))
    assert found(one, two) == []
    (difference,) = found(one, two, nan_differs=True)
    assert difference.values.worst_index == (70, 40)
