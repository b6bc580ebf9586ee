"""The walk over a file: what it finds does not depend on how long it takes."""

import errno

import h5py
import numpy as np
import pytest

from paraminspect.errors import CheckpointError
from paraminspect.formats import open_checkpoint
from paraminspect.libhdf5 import process
from paraminspect.libhdf5.process import Library

A_QUESTION_SECONDS = 0.15
"""Less than the whole of these walks takes, more than a few hundred links do."""


@pytest.fixture
def hurried(monkeypatch):
    """Each question may take a fraction of the time that is usual."""
    monkeypatch.setattr(Library.ask, "__defaults__", (A_QUESTION_SECONDS, b""))


def with_groups_between():
    """Make the groups above a new object, as h5py does, but faster."""
    made = h5py.h5p.create(h5py.h5p.LINK_CREATE)
    made.set_create_intermediate_group(True)
    return made


def test_many_datasets_in_nested_groups_are_no_damage(tmp_path, hurried):
    names, space = [f"blocks/b{i}/more/0" for i in range(800)], h5py.h5s.create_simple((2,))
    with h5py.File(tmp_path / "m.h5", "w", libver="latest") as file:
        place = {"space": space, "tid": h5py.h5t.IEEE_F32LE, "lcpl": with_groups_between()}
        for name in names:
            h5py.h5d.create(file.id, name.encode(), **place)
    assert sorted(open_checkpoint(tmp_path / "m.h5").entries) == sorted(names)


def test_many_groups_of_variables_are_no_damage(tmp_path, hurried):
    with h5py.File(tmp_path / "m.weights.h5", "w", libver="latest") as file:
        for i in range(2_000):
            place = {"lcpl": with_groups_between()}
            h5py.h5g.create(file.id, f"layers/dense_{i}/vars".encode(), **place)
        file["layers/dense_7/vars/0"] = np.zeros(2, np.float32)
    assert list(open_checkpoint(tmp_path / "m.weights.h5").entries) == ["layers/dense_7/vars/0"]


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("tracked", [False, True])
@pytest.mark.parametrize("count", [3, 30])
def test_links_are_found_in_the_order_that_h5py_finds(libver, tracked, count, tmp_path):
    names = [f"w{i}" for i in np.random.default_rng(0).permutation(count)]
    with h5py.File(tmp_path / "m.h5", "w", libver=libver, track_order=tracked) as file:
        for name in names:
            file[name] = np.zeros(2, np.float32)
    with h5py.File(tmp_path / "m.h5") as file:
        expected = list(file)
    assert list(open_checkpoint(tmp_path / "m.h5").entries) == expected
    assert (expected == names) == tracked


def test_a_process_that_the_system_does_not_start_is_told_as_that(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["w"] = np.zeros(2, np.float32)

    def refuse(_):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(process, "start", refuse)
    with pytest.raises(
        CheckpointError, match=r"m\.h5: no process can be started .*: Too many open"
    ):
        open_checkpoint(tmp_path / "m.h5")
