"""`diff` of files of a gigabyte, against `cmp` and against what people write in NumPy."""

import shutil
import sys

import h5py
import ml_dtypes
import numpy as np
import pytest
from measuring import PARAMINSPECT, race, times_as_slow, use
from safetensors.numpy import save_file

pytestmark = pytest.mark.bench

ARRAYS = 16
GIB = 1 << 30
MOST_MIB = 150

NUMPY = """
import os, sys
import numpy as np
dtype, count = sys.argv[1], int(sys.argv[2])
left, right = (
    np.memmap(path, dtype, "r", offset=os.path.getsize(path) - count * np.dtype(dtype).itemsize)
    for path in sys.argv[3:]
)
if dtype == "uint16":
    import ml_dtypes
    left, right = (a.view(ml_dtypes.bfloat16).astype(np.float32) for a in (left, right))
print(np.abs(left - right).max())
"""


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def files(request, tmp_path_factory):
    """Three files of a GiB: one, its copy, and one in which 1 % of the elements are changed."""
    folder = tmp_path_factory.mktemp(request.param)
    dtype = np.dtype(getattr(ml_dtypes, request.param, request.param))
    count = GIB // dtype.itemsize // ARRAYS
    rng = np.random.default_rng(0)
    arrays = {}
    for i in range(ARRAYS):
        values = rng.standard_normal(count, dtype=np.float32).astype(dtype)
        arrays[f"h.{i}.weight"] = values.reshape(1024, -1)
    save_file(arrays, folder / "one")
    shutil.copy(folder / "one", folder / "copy")
    for array in arrays.values():
        flat = array.reshape(-1)
        flat[rng.integers(0, count, count // 100)] += dtype.type(1)
    save_file(arrays, folder / "changed")
    yield request.param, [str(folder / name) for name in ("one", "copy", "changed")]
    shutil.rmtree(folder)


def test_identical_files_are_found_at_0_7_of_the_speed_of_cmp(files):
    dtype, (one, copy, _) = files
    ours, rival = race(
        f"diff of 2 x 1 GiB {dtype}, identical, against cmp",
        [*PARAMINSPECT, "diff", one, copy],
        ["cmp", one, copy],
    )
    assert times_as_slow(ours, rival) <= 1 / 0.7
    assert ours.mib < MOST_MIB


def test_changed_files_are_compared_as_fast_as_the_simplest_numpy(files):
    dtype, (one, _, changed) = files
    stored = "uint16" if dtype == "bfloat16" else dtype
    count = str(GIB // np.dtype(stored).itemsize)
    ours, rival = race(
        f"diff of 2 x 1 GiB {dtype}, 1 % changed, against np.abs(a - b).max()",
        [*PARAMINSPECT, "diff", one, changed],
        [sys.executable, "-c", NUMPY, stored, count, one, changed],
        statuses=(0, 1),
        rounds=3,
    )
    assert times_as_slow(ours, rival) <= 1
    assert ours.mib < MOST_MIB


@pytest.fixture(scope="module", params=["contiguous", "deflated"])
def hdf5_files(request, tmp_path_factory):
    """HDF5 files of 512 MiB of values: one, its copy, and one with 1 % of the elements changed."""
    folder = tmp_path_factory.mktemp(request.param)
    options = {"compression": 1, "chunks": (64, 1024)} if request.param == "deflated" else {}
    rng = np.random.default_rng(0)
    with h5py.File(folder / "one", "w") as one, h5py.File(folder / "changed", "w") as changed:
        for i in range(4):
            values = rng.standard_normal((32768, 1024), dtype=np.float32)
            one.create_dataset(f"h/{i}/w", data=values, **options)
            flat = values.reshape(-1)
            flat[rng.integers(0, flat.size, flat.size // 100)] += 1
            changed.create_dataset(f"h/{i}/w", data=values, **options)
    shutil.copy(folder / "one", folder / "copy")
    yield request.param, [str(folder / name) for name in ("one", "copy", "changed")]
    shutil.rmtree(folder)


@pytest.mark.skipif(shutil.which("h5diff") is None, reason="h5diff is not installed")
@pytest.mark.parametrize("second", ["copy", "changed"])
def test_hdf5_files_are_compared_as_fast_as_by_h5diff_in_a_third_of_its_memory(hdf5_files, second):
    layout, (one, copy, changed) = hdf5_files
    other = copy if second == "copy" else changed
    ours, rival = race(
        f"diff of {layout} HDF5 files, {second}, against h5diff",
        [*PARAMINSPECT, "diff", one, other],
        ["h5diff", "-q", one, other],
        statuses=(0, 1),
        rounds=3,
    )
    assert times_as_slow(ours, rival) <= 1
    assert ours.mib < min(MOST_MIB, rival.mib / 3)  # it holds two arrays of 128 MiB


def test_the_first_difference_ends_a_quiet_diff(files):
    _, (one, copy, changed) = files
    whole = use([*PARAMINSPECT, "diff", one, copy])
    first = use([*PARAMINSPECT, "diff", "--quiet", one, changed], statuses=(1,))
    print(f"\nquiet diff\n  ours  {first}\n  whole {whole}")
    assert first.cpu < 0.9 * whole.cpu


def test_a_hundred_thousand_small_arrays_stay_in_bounds(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        f"experts.{i // 3}.w{i % 3}": rng.standard_normal(16, dtype=np.float32)
        for i in range(100_000)
    }
    save_file(arrays, tmp_path / "one")
    for array in arrays.values():
        array += 1
    save_file(arrays, tmp_path / "changed")
    one, changed = str(tmp_path / "one"), str(tmp_path / "changed")
    same = use([*PARAMINSPECT, "diff", one, one])
    all_differ = use([*PARAMINSPECT, "diff", one, changed, "--format", "json"], statuses=(1,))
    print(f"\n100,000 arrays\n  same   {same}\n  differ {all_differ}")
    assert same.mib < 2 * MOST_MIB  # two trees of that many names take most of it
    assert all_differ.mib < 3 * MOST_MIB
