"""A few kilobytes that declare terabytes are not read from end to end; a part of them is."""

import h5py
import numpy as np
import pytest


@pytest.fixture
def sparse(tmp_path):
    path = tmp_path / "sparse.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("huge", (1 << 40,), "f4", chunks=(1 << 10,))
        file.create_dataset("never", (1 << 40,), "f4", fillvalue=2)
        file.create_dataset("zeros", data=np.zeros(1 << 20, "f4"), compression=9, chunks=True)
    return path


@pytest.mark.parametrize("name", ["huge", "never"])
def test_what_was_never_written_is_refused_as_a_whole(run, sparse, name):
    for command in (
        ("slice", sparse, name, "--format", "json"),
        ("slice", sparse, f"{name}[::2]", "--stats"),
        ("diff", sparse, sparse),
        ("list", "--stats", sparse),
    ):
        done = run(*command)
        assert (done.status, done.out) == (2, "")
        assert "most of it was never written" in done.err


def test_a_part_of_it_is_read(run, sparse):
    assert run("slice", sparse, "huge[1000000000:1000000003]").out == "[0. 0. 0.]\n"
    assert run("slice", sparse, "never[-1]").out == "2.0\n"


def test_what_is_well_compressed_is_read(run, sparse):
    done = run("diff", sparse, sparse, "zeros")
    assert (done.status, done.out) == (0, "the same: 1 array\n")
