"""Files that others hold: HDF5's lock is heeded as HDF5 heeds it, and other names are told of."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

HOLDER = """
import sys, h5py, numpy as np
with h5py.File("m.h5", sys.argv[1]) as file:
    print("open", flush=True)
    sys.stdin.readline()
    if sys.argv[1] != "r":
        file["a"][...] = 7
"""
EDITS = [
    ("set", "-i", "m.h5", "a=1"),
    ("tie", "-i", "m.h5", "b", "a"),
    ("init", "-i", "m.h5", "--rule", "a=zeros"),
    ("convert", "other.npz", "m.h5", "--force"),
    ("slice", "other.npz", "a", "-o", "m.h5", "--force"),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HDF5_USE_FILE_LOCKING", raising=False)
    with h5py.File("m.h5", "w") as file:
        file["a"] = np.arange(3.0)
        file["b"] = np.arange(3.0)
    np.savez("other.npz", a=np.zeros(3))
    return tmp_path


@pytest.fixture
def hold(folder):
    """Another process that has m.h5 open with h5py until the answer is called."""
    started = []

    def hold(mode):
        child = subprocess.Popen(
            [sys.executable, "-c", HOLDER, mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(child)
        assert child.stdout.readline() == "open\n"
        return lambda: child.communicate("\n")

    yield hold
    for child in started:
        child.communicate()


@pytest.mark.parametrize("mode", ["r+", "r"])
def test_no_writer_replaces_a_file_that_another_process_has_open_with_hdf5(mode, run, hold):
    end = hold(mode)
    with pytest.raises(BlockingIOError) as refused:  # what HDF5 does
        h5py.File("m.h5", "r+")
    assert refused.value.errno == errno.EAGAIN
    for command in EDITS if mode == "r+" else EDITS[:1]:
        done = run(*command)
        assert (done.status, done.out) == (2, "" if command[0] != "init" else done.out), command
        assert "m.h5: another program has it open, and has locked it as HDF5 does" in done.err
    end()
    with h5py.File("m.h5") as file:
        assert file["a"][()].tolist() == ([7, 7, 7] if mode == "r+" else [0, 1, 2])
    assert run("set", "-i", "m.h5", "a=1").status == 0


def test_a_file_that_is_not_there_yet_or_of_another_format_is_not_locked(run, folder):
    save_file({"w": np.zeros(2)}, "m.safetensors")
    with Path("m.safetensors").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert run("set", "-i", "m.safetensors", "w=1").status == 0
    assert run("set", "m.h5", "a=1", "-o", "new.h5").status == 0


@pytest.mark.parametrize("value", ["FALSE", "0", "false"])
def test_whoever_turns_the_locks_of_hdf5_off_turns_ours_off(value, run, hold, monkeypatch):
    end = hold("r+")
    monkeypatch.setenv("HDF5_USE_FILE_LOCKING", value)
    assert run("set", "-i", "m.h5", "a=1").status == 0
    end()
    with h5py.File("m.h5") as file:
        assert file["a"][()].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("value", "status"), [(None, 0), ("BEST_EFFORT", 0), ("TRUE", 2), ("1", 2)]
)
def test_a_file_system_without_locks_is_written_to_unless_they_are_demanded(
    value, status, run, folder, monkeypatch
):
    def lack(descriptor, operation):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", lack)
    if value:
        monkeypatch.setenv("HDF5_USE_FILE_LOCKING", value)
    done = run("set", "-i", "m.h5", "a=1")
    assert done.status == status
    assert ("as HDF5_USE_FILE_LOCKING demands" in done.err) == bool(status)


def test_the_lock_is_held_while_the_new_file_is_written(folder, monkeypatch):
    from paraminspect.formats import open_checkpoint, save_checkpoint
    from paraminspect.operations.edit import assign

    refused = []

    def watch(nbytes):
        with pytest.raises(BlockingIOError), Path("m.h5").open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
        refused.append(nbytes)

    tree = assign(open_checkpoint(folder / "m.h5"), "a", "1")
    save_checkpoint(tree, folder / "m.h5", overwrite=True, progress=watch)
    assert refused
    with Path("m.h5").open("rb") as free:
        fcntl.flock(free, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_other_names_of_a_file_that_is_replaced_keep_the_old_values_and_that_is_said(run, folder):
    save_file({"w": np.zeros(2)}, "m.safetensors")
    os.link("m.safetensors", "same.safetensors")
    Path("link.safetensors").symlink_to("m.safetensors")
    done = run("set", "-i", "link.safetensors", "w=1")
    told = "link.safetensors: 1 other name keeps the old values (hard links)\n"
    assert (done.status, done.err) == (0, f"paraminspect: {told}")
    assert load_file("m.safetensors")["w"].tolist() == [1, 1]
    assert load_file("same.safetensors")["w"].tolist() == [0, 0]
    assert run("set", "-i", "m.safetensors", "w=2").err == ""
    os.link("other.npz", "again.npz")
    os.link("other.npz", "more.npz")
    done = run("slice", "m.safetensors", "w", "-o", "other.npz", "--force")
    assert done.err == ("paraminspect: other.npz: 2 other names keep the old values (hard links)\n")
    np.save("w.npy", np.zeros(2))
    os.link("w.npy", "v.npy")
    done = run("slice", "m.safetensors", "w", "-o", "w.npy", "--force")
    assert "w.npy: 1 other name keeps" in done.err


def test_of_shards_only_those_that_are_replaced_are_told(run, folder):
    save_file({"a": np.zeros(2), "b": np.zeros(2)}, "m.safetensors")
    run("convert", "m.safetensors", "shards/", "--max-shard-size", "16")
    first, second = sorted((folder / "shards").glob("*.safetensors"))
    for shard in (first, second):
        os.link(shard, f"{shard}.kept")
    done = run("set", "-i", "shards", "b=1")
    assert done.err == f"paraminspect: shards/{second.name}: 1 other name keeps the old values" + (
        " (hard links)\n"
    )
