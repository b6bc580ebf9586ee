"""HDF5 files written: h5py reads what was to be written, whatever the source."""

import time
from dataclasses import replace

import h5py
import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file
from trees import tree_of

from paraminspect.arrays import InMemory
from paraminspect.errors import CheckpointError, DTypeError
from paraminspect.formats import open_checkpoint, save_checkpoint
from paraminspect.formats.hdf5 import _writing as _hdf5_writing
from paraminspect.libhdf5 import starting
from paraminspect.operations.tying import tie

ARRAYS = {
    "h.0/weight": np.arange(12, dtype=np.float32).reshape(4, 3),
    "h.0/bias": np.arange(12, 16, dtype=np.float16),
    "scalar": np.array(7, np.int64),
    "empty": np.zeros((0, 3), np.uint8),
    "ä/flag": np.array([True, False]),
    "z": np.arange(6).reshape(2, 3) + 1j,
    "half": np.arange(5).astype(ml_dtypes.bfloat16),
    "eighth": np.arange(5).astype(ml_dtypes.float8_e4m3fn),
    "large": np.random.default_rng(0).standard_normal((1 << 11, 1 << 10)),
}


def read_by_h5py(path):
    found = {}
    with h5py.File(path) as file:
        for name in ARRAYS:
            values = file[name][()]
            told = file[name].attrs.get("dtype")
            found[name] = values.view(told) if told else values
    return found


@pytest.mark.parametrize("name", ["model.h5", "model.hdf5"])
def test_h5py_reads_what_was_written(name, tmp_path):
    path = tmp_path / name
    assert save_checkpoint(tree_of(ARRAYS), path) == []
    for name, values in read_by_h5py(path).items():
        np.testing.assert_array_equal(values, ARRAYS[name], strict=True)


def test_what_was_written_reads_as_the_same_tree(tmp_path):
    ties = {"tied/weight": "h.0/weight", "alias": "h.0/weight"}
    save_checkpoint(tree_of(ARRAYS, ties), tmp_path / "m.h5")
    tree = open_checkpoint(tmp_path / "m.h5")
    assert set(tree) == {*ARRAYS, *ties}
    assert set(tree.ties.values()) == {"alias"}  # the first in the alphabet
    assert set(tree.ties) == {"tied/weight", "h.0/weight"}
    for name, array in ARRAYS.items():
        assert tree[name].dtype.name == array.dtype.name
        np.testing.assert_array_equal(tree[name].numpy(), array, strict=True)
    with h5py.File(tmp_path / "m.h5") as file:
        assert file["alias"] == file["h.0/weight"] == file["tied/weight"]


def test_two_runs_write_the_same_bytes(tmp_path):
    for name in ("a.h5", "b.h5"):
        save_checkpoint(tree_of(ARRAYS, metadata={"note": "ä"}), tmp_path / name)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_metadata_become_attributes_and_what_cannot_be_one_is_told(tmp_path):
    metadata = {"format": "pt", "note": "naïve", "long": "x" * 70_000, "": "empty", "a": "\0"}
    lost = save_checkpoint(tree_of({"w": ARRAYS["z"]}, metadata=metadata), tmp_path / "m.h5")
    assert lost == [
        "an attribute of HDF5 cannot hold the metadata of ''",
        "an attribute of HDF5 cannot hold the metadata of 'a'",
    ]
    kept = {key: metadata[key] for key in ("format", "note", "long")}
    with h5py.File(tmp_path / "m.h5") as file:
        assert dict(file.attrs) == kept
    assert open_checkpoint(tmp_path / "m.h5").with_metadata().metadata == kept


def test_a_safetensors_file_becomes_hdf5_and_back(tmp_path):
    arrays = {n: a for n, a in ARRAYS.items() if a.dtype.kind != "c"}
    save_file(arrays, tmp_path / "m.safetensors")
    save_checkpoint(open_checkpoint(tmp_path / "m.safetensors"), tmp_path / "m.h5")
    save_checkpoint(open_checkpoint(tmp_path / "m.h5"), tmp_path / "n.safetensors")
    back = open_checkpoint(tmp_path / "n.safetensors")
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name].numpy(), array, strict=True)


def test_packed_and_swapped_values_are_written_plainly_over_their_own_file(tmp_path):
    values = np.arange(300.0).reshape(30, 10)
    with h5py.File(path := tmp_path / "m.h5", "w") as file:
        file.create_dataset("gzip", data=values, chunks=(7, 4), compression="gzip")
        file.create_dataset("lzf", data=values, chunks=(7, 4), compression="lzf")
        file.create_dataset("big", data=values.astype(">f8"))
        file.create_dataset("bytes", data=values.astype("f4").view("V4"), chunks=(7, 4))
        file.create_dataset("unwritten", (3, 2), "i4", fillvalue=5)
    tree = open_checkpoint(path)
    new = replace(tree, source=replace(tree.source, origin=None))
    save_checkpoint(new, path, overwrite=True)
    with h5py.File(path) as file:
        assert {d.chunks for d in file.values()} == {None}
        for name in ("gzip", "lzf", "big"):
            np.testing.assert_array_equal(file[name][()], values, strict=True)
        np.testing.assert_array_equal(file["bytes"][()].view("f4"), values.astype("f4"))
        np.testing.assert_array_equal(file["unwritten"][()], np.full((3, 2), 5, "i4"))


@pytest.mark.parametrize(
    "name", ["", "/", "a//b", "/a", "a/", "a/./b", ".", "nul\0", "half \ud800 pair"]
)
def test_a_name_that_is_no_path_of_hdf5_is_refused(name, tmp_path):
    with pytest.raises(CheckpointError, match=r"m.h5: (HDF5 cannot hold|a name holds)"):
        save_checkpoint(tree_of({name: np.ones(2)}), tmp_path / "m.h5")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_a_parameter_and_a_group_is_refused(tmp_path):
    tree = tree_of({"a": np.ones(2), "a/b": np.ones(2)})
    with pytest.raises(CheckpointError, match="cannot hold 'a/b' beside 'a'"):
        save_checkpoint(tree, tmp_path / "m.h5")


def test_a_dtype_of_less_than_a_byte_is_refused(tmp_path):
    tree = tree_of({"w": np.ones(4).astype(ml_dtypes.int4)})
    with pytest.raises(
        DTypeError, match=r"m.h5: w: HDF5 has no elements that share bytes, as int4 has"
    ):
        save_checkpoint(tree, tmp_path / "m.h5")


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import os; os.kill(os.getpid(), 11)", "crashed"),
        ("import os; os.write(1, b'x' * 99)", "no sensible answer"),
        ("pass", "could not do its work"),
    ],
    ids=["crash", "noise", "silence"],
)
def test_a_library_that_fails_leaves_the_file_as_it_was(program, message, tmp_path, monkeypatch):
    save_checkpoint(tree_of(ARRAYS), path := tmp_path / "m.h5")
    before, tree = path.read_bytes(), open_checkpoint(path)
    monkeypatch.setattr(starting, "CODE", program)
    with pytest.raises(CheckpointError, match=f"m.h5: .*{message}"):
        save_checkpoint(tree, path, overwrite=True)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_offsets_that_the_library_invents_are_not_written_to(tmp_path, monkeypatch):
    answer = '{"found": [4096, 4100]}'
    program = (
        "import os, struct, sys\n"
        "sys.stdin.buffer.readline()\n"
        "for line in sys.stdin.buffer:\n"
        f"  a = b'{answer}' if b'create' in line else b'{{\"found\": 9999}}'\n"
        "  os.write(1, struct.pack('<QQ', len(a), 0) + a)"
    )
    monkeypatch.setattr(starting, "CODE", program)
    tree = tree_of({"a": np.ones(4), "b": np.ones(4)})
    with pytest.raises(CheckpointError, match=r"m.h5: two datasets have one place in the file"):
        save_checkpoint(tree, tmp_path / "m.h5")
    assert list(tmp_path.iterdir()) == []


def test_values_put_in_the_place_of_others_are_noticed(tmp_path, monkeypatch):
    in_order = _hdf5_writing._placed

    def swapped(library, arrays, offsets, size):
        return in_order(library, arrays, offsets[::-1], size)

    monkeypatch.setattr(_hdf5_writing, "_placed", swapped)
    tree = tree_of({"a": np.zeros(4), "b": np.ones(4)})
    with pytest.raises(CheckpointError, match=r"m.h5: what was written reads back as something"):
        save_checkpoint(tree, tmp_path / "m.h5")
    assert list(tmp_path.iterdir()) == []


def test_a_plain_file_is_edited_in_a_copy(tmp_path):
    save_checkpoint(tree_of({"w": np.ones(3), "v": np.zeros(2)}), path := tmp_path / "m.h5")
    tree = open_checkpoint(path)
    edited = tree.replace([replace(tree["w"], data=InMemory(np.arange(3.0)))])
    save_checkpoint(edited, path, overwrite=True)
    np.testing.assert_array_equal(open_checkpoint(path)["w"].numpy(), np.arange(3.0), strict=True)


def test_names_keep_their_order_and_two_runs_make_the_same_bytes(tmp_path):
    names = ["z/b", "z/c", "h.10", "h.2", "a/y/x", "a/w"]
    tree = tie(tree_of({name: np.arange(3.0) for name in names}), "z/b", "a/w")
    first, second = tmp_path / "first.h5", tmp_path / "second.h5"
    save_checkpoint(tree, first)
    assert list(open_checkpoint(first)) == list(tree)
    now = int(time.time())
    while int(time.time()) == now:  # what would tell a time tells seconds
        time.sleep(0.01)
    save_checkpoint(tree, second)
    assert first.read_bytes() == second.read_bytes()
