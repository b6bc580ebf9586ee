"""The saving half of the conformance suite: what every format that is written must do.

What was written is read by the format's own library, never by ours.
"""

import json
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import ml_dtypes
import numpy as np
import pytest
import safetensors
from formats import FORMATS
from safetensors.numpy import load_file
from trees import tree_of

from paraminspect.arrays import DTYPES
from paraminspect.errors import CheckpointError, DTypeError
from paraminspect.formats import FORMATS as OURS
from paraminspect.formats import open_checkpoint, save_checkpoint
from paraminspect.operations.edit import assign, cast_tree
from paraminspect.operations.tying import tie, untie

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Read:
    """What another library reads: arrays by name, each tied one once, ties, and metadata."""

    arrays: dict[str, Any]
    ties: dict[str, str]
    metadata: dict[str, str]


def read_safetensors(path):
    with safetensors.safe_open(path, "np") as file:
        metadata = file.metadata() or {}
    return _with_ties(load_file(path), metadata)


def read_shards(folder):
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    metadata = {k: v for k, v in index["metadata"].items() if k != "total_size"}
    arrays = {}
    for shard in set(index["weight_map"].values()):
        arrays |= load_file(folder / shard)
        with safetensors.safe_open(folder / shard, "np") as file:
            metadata |= file.metadata() or {}
    return _with_ties(arrays, metadata)


def _with_ties(arrays, metadata):
    ties = {k: v for k, v in metadata.items() if v in arrays and k not in arrays}
    return Read(arrays, ties, {k: v for k, v in metadata.items() if k not in ties})


def read_npz(path):
    with np.load(path) as file:
        return Read(dict(file), {}, {})


def read_hdf5(path):
    """Hard links have no direction: the first name in the alphabet counts as the own one."""
    arrays, ties, own = {}, {}, {}
    with h5py.File(path) as file:
        for name in sorted(file):
            dataset = file[name]
            address = h5py.h5o.get_info(dataset.id).addr
            if address in own:
                ties[name] = own[address]
                continue
            own[address] = name
            values = np.asarray(dataset[()])
            values = values.astype(values.dtype.newbyteorder("="))
            dtype = dataset.attrs.get("dtype")
            arrays[name] = values.view(DTYPES[dtype].to_numpy()) if dtype else values
        return Read(arrays, ties, dict(file.attrs))


@dataclass(frozen=True)
class Target:
    """A format to write: what to call the file, how to read it, and what it can keep."""

    name: str
    read: Callable[[Path], Read]
    dtypes: frozenset[str]
    ties: bool = True
    metadata: bool = True
    is_set: bool = False

    def save(self, tree, folder, **options):
        """Into the folder; returns the path and what was said to be lost."""
        path = folder / self.name
        if self.is_set and "overwrite" not in options:
            options["max_shard_nbytes"] = 60
        return path, save_checkpoint(tree, path, **options)


SAFETENSORS_DTYPES = FORMATS["safetensors"].dtypes - {
    # which the library's own reader for NumPy does not know
    *("float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz")
}

TARGETS = {
    "safetensors": Target("out.safetensors", read_safetensors, SAFETENSORS_DTYPES),
    "safetensors-sharded": Target("out", read_shards, SAFETENSORS_DTYPES, is_set=True),
    "npz": Target(
        "out.npz", read_npz, FORMATS["npz"].dtypes - {"bfloat16"}, ties=False, metadata=False
    ),
}

TARGETS["hdf5"] = Target("out.h5", read_hdf5, FORMATS["hdf5"].dtypes)

COPIED = {"keras", "keras-h5", "keras-sharded"}
"""Made from a file of the same kind alone: tests/formats/test_writing_keras.py has such files."""

every_target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


def test_every_format_that_is_written_is_tested():
    assert set(TARGETS) | COPIED == {name for name, format_ in OURS.items() if format_.saver}


def assert_same(arrays, meant):
    assert set(arrays) == set(meant)
    for name, values in meant.items():
        native = values.astype(values.dtype.newbyteorder("="))
        assert arrays[name].dtype == native.dtype
        assert arrays[name].shape == native.shape
        assert arrays[name].tobytes() == native.tobytes(), name


base = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4)
VIEWS = {
    "transposed": base.T,
    "strided": base[:, ::2, 1::2],
    "reversed": base[::-1],
    "broadcast": np.broadcast_to(np.float32(7), (2, 5)),
    "empty": base[:, :0],
    "scalar": np.array(3, np.int64),
    "fortran": np.asfortranarray(base[0]),
    "big-endian": np.arange(5, dtype=">i4"),
    "bool": np.array([True, False, True])[::2],
    "complex": (base * 1j).astype(np.complex64).T,
}


@every_target
def test_views_are_written_as_numpy_shows_them(target, tmp_path):
    path, lost = target.save(tree_of(VIEWS), tmp_path)
    assert_same(target.read(path).arrays, VIEWS)
    assert lost == []


@pytest.mark.parametrize(
    ("target", "dtype"),
    [(t, dtype) for t in TARGETS.values() for dtype in DTYPES.values() if dtype.name in t.dtypes],
    ids=lambda value: getattr(value, "name", value),
)
def test_every_dtype_of_a_format_keeps_its_bits(target, dtype, tmp_path):
    with np.errstate(all="ignore"):
        values = np.arange(20) % (2 if dtype.name == "bool" else 100) - 3 * (dtype.name != "bool")
        values = values.astype(dtype.to_numpy())
    if values.dtype.kind not in "biu":
        values[:2] = np.inf, np.nan
    arrays = {"a": values, "b": values.reshape(4, 5).T}
    path, _ = target.save(tree_of(arrays), tmp_path)
    assert_same(target.read(path).arrays, arrays)


@every_target
def test_a_dtype_that_a_format_lacks_is_refused_by_name(target, tmp_path):
    has_complex128 = "complex128" in target.dtypes
    values = np.array([1, 2]).astype(ml_dtypes.int4) if has_complex128 else np.complex128(1j)
    with pytest.raises(DTypeError, match="w: "):
        target.save(tree_of({"w": values}), tmp_path)
    assert list(tmp_path.iterdir()) == []


ARRAYS = {
    "h.0.weight": np.arange(12, dtype=np.float32).reshape(4, 3),
    "h.0.bias": np.arange(12, 16, dtype=np.float32),
    "h.10.weight": np.arange(16, 46, dtype=np.float64).reshape(2, 3, 5),
    "h.2.weight": np.arange(46, 50, dtype=np.int64),
}


@every_target
@pytest.mark.parametrize("source", FORMATS.values(), ids=FORMATS)
def test_every_format_is_converted_into_every_other(source, target, tmp_path):
    (here := tmp_path / "here").mkdir()
    written = source.write(here, ARRAYS, {}, {})
    path, lost = target.save(open_checkpoint(written.path), tmp_path)
    assert_same(target.read(path).arrays, ARRAYS)
    assert list(open_checkpoint(path)) == list(open_checkpoint(written.path))
    assert lost == []


@every_target
def test_ties_survive_or_are_said_to_be_lost(target, tmp_path):
    tree = tie(tree_of({**ARRAYS, "head": ARRAYS["h.0.weight"]}), "head", "h.0.weight")
    path, lost = target.save(tree, tmp_path)
    read = target.read(path)
    if target.ties:
        assert_same(read.arrays, ARRAYS)
        assert read.ties == {"head": "h.0.weight"}
        again = open_checkpoint(path)
        assert again.own_name("head") == again.own_name("h.0.weight")
        edited = assign(again, "head[0]", "x + 1")
        target.save(edited, tmp_path, overwrite=True)
        expected = ARRAYS["h.0.weight"].copy()
        expected[0] += 1
        assert_same(target.read(path).arrays, {**ARRAYS, "h.0.weight": expected})
        target.save(untie(open_checkpoint(path), "head"), tmp_path, overwrite=True)
        assert target.read(path).ties == {}
        assert_same(target.read(path).arrays, {**ARRAYS, "h.0.weight": expected, "head": expected})
    else:
        assert_same(read.arrays, {**ARRAYS, "head": ARRAYS["h.0.weight"]})
        assert len(lost) == 1
        assert "ties" in lost[0]


@every_target
def test_foreign_metadata_survives_or_is_said_to_be_lost(target, tmp_path):
    metadata = {"format": "pt", "licence": "MIT", "note": "naïve", "h.0.bias": "quantized"}
    path, lost = target.save(tree_of(ARRAYS, metadata=metadata), tmp_path)
    if target.metadata:
        assert target.read(path).metadata == metadata
    else:
        assert any("licence" in line for line in lost)


@every_target
def test_a_file_is_edited_over_itself_with_all_else_kept(target, tmp_path):
    path, _ = target.save(tree_of(ARRAYS, metadata={"licence": "MIT"}), tmp_path)
    files = [path] if path.is_file() else sorted(path.iterdir())
    for number, file in enumerate(files):
        file.chmod(0o600 + number)
    modes = {file: stat.S_IMODE(file.stat().st_mode) for file in files}
    tree = assign(assign(open_checkpoint(path), "h.0.*", "x * 2"), "h.2.weight[::2]", "7")
    target.save(tree, tmp_path, overwrite=True)
    expected = {name: v * 2 if name.startswith("h.0") else v for name, v in ARRAYS.items()}
    expected["h.2.weight"] = np.array([7, 47, 7, 49])
    read = target.read(path)
    assert_same(read.arrays, expected)
    assert read.metadata == ({"licence": "MIT"} if target.metadata else {})
    assert {file: stat.S_IMODE(file.stat().st_mode) for file in files} == modes
    assert list(open_checkpoint(path)) == list(ARRAYS)


@every_target
def test_a_link_stays_a_link(target, tmp_path):
    (blobs := tmp_path / "blobs").mkdir()
    path, _ = target.save(tree_of({"w": ARRAYS["h.0.bias"]}), blobs)
    files = [path] if path.is_file() else list(path.iterdir())
    (here := tmp_path / "here" / target.name if target.is_set else tmp_path / "here").mkdir(
        parents=True
    )
    for file in files:
        (here / file.name).symlink_to(os.path.relpath(file, here))
    edited = assign(open_checkpoint(here if target.is_set else here / target.name), "w", "x + 1")
    target.save(edited, here.parent if target.is_set else here, overwrite=True)
    assert all(file.is_symlink() for file in here.iterdir())
    assert_same(target.read(path).arrays, {"w": ARRAYS["h.0.bias"] + 1})


@every_target
def test_what_is_there_is_overwritten_only_when_asked(target, tmp_path):
    path, _ = target.save(tree_of(ARRAYS), tmp_path)
    with pytest.raises(CheckpointError, match="exists already"):
        target.save(tree_of({"w": ARRAYS["h.0.bias"]}), tmp_path)
    assert_same(target.read(path).arrays, ARRAYS)


@every_target
@pytest.mark.parametrize("name", ["fracast_f32", "fracast_bf16"])
def test_trained_files_survive_a_round_trip(name, target, tmp_path):
    source = DATA / "diff" / f"{name}.safetensors"
    if name == "fracast_bf16" and "bfloat16" not in target.dtypes:
        pytest.skip(f"{target.name} has no bfloat16 that its library reads")
    path, _ = target.save(open_checkpoint(source), tmp_path)
    assert_same(target.read(path).arrays, load_file(source))
    back = tmp_path / "back.safetensors"
    save_checkpoint(open_checkpoint(path), back)
    assert_same(load_file(back), load_file(source))


def test_an_edit_of_hdf5_keeps_all_that_is_no_parameter(tmp_path):
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file.attrs["licence"] = "MIT"
        file["g/w"] = np.arange(4.0)
        file["g/w"].attrs["unit"] = "kg"
        file["g"].attrs["kind"] = "block"
        file["note"] = "a text"
    assert save_checkpoint(assign(open_checkpoint(path), "g/w[0]", "5"), path, overwrite=True) == []
    with h5py.File(path) as file:
        assert dict(file.attrs) == {"licence": "MIT"}
        assert dict(file["g"].attrs) == {"kind": "block"}
        assert dict(file["g/w"].attrs) == {"unit": "kg"}
        assert file["note"][()] == b"a text"
        np.testing.assert_array_equal(file["g/w"][()], [5.0, 1, 2, 3], strict=True)
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match="it would lose what else is in it"):
        save_checkpoint(cast_tree(open_checkpoint(path), DTYPES["float32"]), path, overwrite=True)
    assert path.read_bytes() == before


@every_target
def test_what_is_no_parameter_is_said_to_be_left_out(target, tmp_path):
    with h5py.File(tmp_path / "source.h5", "w") as file:
        file["w"] = np.arange(4.0)
        file["note"] = "a text"
    _, lost = target.save(open_checkpoint(tmp_path / "source.h5"), tmp_path)
    assert lost == (
        [] if target.name.endswith(".h5") else ["left out, for it is no parameter: note"]
    )
