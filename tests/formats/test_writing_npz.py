"""NPZ files written: byte for byte those of numpy.savez, from any source, whole or not at all."""

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file
from trees import tree_of

from paraminspect.errors import CheckpointError, DTypeError
from paraminspect.formats import open_checkpoint, save_checkpoint
from paraminspect.formats.npz._writing import save_npz

ARRAYS = {
    "h.0.weight": np.arange(12, dtype=np.float32).reshape(4, 3),
    "h.0.bias": np.arange(12, 16, dtype=np.float16),
    "scalar": np.array(7, np.int64),
    "empty": np.zeros((0, 3), np.uint8),
    "ä/flag": np.array([True, False]),
    "z": np.arange(6).reshape(2, 3) + 1j,
}


def same_bytes(path, arrays, tmp_path):
    np.savez(tmp_path / "expected.npz", **arrays)
    return path.read_bytes() == (tmp_path / "expected.npz").read_bytes()


def test_a_file_is_byte_for_byte_the_one_of_numpy(tmp_path):
    path = tmp_path / "a.npz"
    assert save_npz(tree_of(ARRAYS), path, overwrite=False) == []
    assert same_bytes(path, ARRAYS, tmp_path)


@pytest.mark.parametrize(
    "save",
    [
        np.savez,
        np.savez_compressed,
        lambda path, **arrays: np.savez(path, **{n: a.T.copy().T for n, a in arrays.items()}),
        lambda path, **arrays: np.savez(
            path, **{n: a.astype(a.dtype.newbyteorder(">")) for n, a in arrays.items()}
        ),
    ],
    ids=["stored", "deflated", "Fortran order", "big-endian"],
)
def test_every_npz_becomes_the_plain_one(save, tmp_path):
    path = tmp_path / "a.npz"
    save(path, **ARRAYS)
    save_npz(open_checkpoint(path), path, overwrite=True)  # the source is the target
    assert same_bytes(path, ARRAYS, tmp_path)


def test_values_of_other_formats_are_copied(tmp_path):
    arrays = {name: a for name, a in ARRAYS.items() if a.dtype.kind != "c"}
    save_file(arrays, tmp_path / "a.safetensors", {"format": "pt"})
    tree = open_checkpoint(tmp_path / "a.safetensors")
    path = tmp_path / "a.npz"
    assert save_npz(tree, path, overwrite=False) == []
    assert same_bytes(path, {name: arrays[name] for name in tree}, tmp_path)


def test_a_tied_array_is_written_under_each_name(tmp_path):
    ties, metadata = {"head": "h.0.weight"}, {"head": "h.0.weight", "licence": "MIT"}
    path = tmp_path / "a.npz"
    lost = save_checkpoint(tree_of(ARRAYS, ties, metadata=metadata), path)
    assert lost == [
        "npz cannot store ties; 1 tied parameter was written as a copy",
        "npz cannot store metadata; left out: licence",
    ]
    assert same_bytes(path, {**ARRAYS, "head": ARRAYS["h.0.weight"]}, tmp_path)


def test_what_is_no_number_is_carried_through(tmp_path):
    arrays = {
        "names": np.array(["ab", "cde"]),
        "when": np.array([1, 2], "M8[25s]"),
        "raw": np.array([1, 2], ml_dtypes.bfloat16).view("V2"),
        "long": np.array([1, 2], np.longdouble),
        "w": ARRAYS["h.0.weight"],
    }
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    save_npz(open_checkpoint(tmp_path / "a.npz"), tmp_path / "b.npz", overwrite=False)
    assert same_bytes(tmp_path / "b.npz", arrays, tmp_path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"w": np.zeros(2, ml_dtypes.bfloat16)}, "w: an npz file cannot hold bfloat16"),
        ({"w": np.zeros(2, ml_dtypes.float8_e5m2)}, "cannot hold float8_e5m2.* write safetensors"),
        ({"a\0b": np.zeros(2)}, "cannot hold a member named"),
    ],
)
def test_what_the_format_cannot_hold_is_refused_before_writing(arrays, message, tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(b"before")
    with pytest.raises((DTypeError, CheckpointError), match=rf"a\.npz: .*{message}"):
        save_npz(tree_of(arrays), path, overwrite=True)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_source_is_not_copied(tmp_path):
    np.savez(tmp_path / "a.npz", w=np.arange(100_000.0))
    data = bytearray((tmp_path / "a.npz").read_bytes())
    data[400_000] ^= 1
    (tmp_path / "a.npz").write_bytes(data)
    tree = open_checkpoint(tmp_path / "a.npz")
    with pytest.raises(CheckpointError, match=r"member 'w\.npy' is damaged"):
        save_npz(tree, tmp_path / "b.npz", overwrite=False)
    assert not (tmp_path / "b.npz").exists()


def test_the_suffix_chooses_the_format(tmp_path):
    save_checkpoint(tree_of(ARRAYS), tmp_path / "a.npz")
    assert same_bytes(tmp_path / "a.npz", ARRAYS, tmp_path)
    save_checkpoint(open_checkpoint(tmp_path / "a.npz"), tmp_path / "a.npz", overwrite=True)
    assert same_bytes(tmp_path / "a.npz", ARRAYS, tmp_path)


def test_large_arrays_and_many_are_written_as_numpy_does(tmp_path):
    arrays = {f"a{i}": np.full(i % 7, i, np.int32) for i in range(2000)}
    arrays["large"] = np.random.default_rng(0).normal(size=(1000, 1500))
    save_npz(tree_of(arrays), tmp_path / "a.npz", overwrite=False)
    assert same_bytes(tmp_path / "a.npz", arrays, tmp_path)
