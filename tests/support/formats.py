"""Every format that is read, as its own library writes it: the oracles of the conformance suite.

A new format is one entry here; it passes tests/formats/test_checkpoint.py or is not a format.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import ml_dtypes  # NumPy learns bfloat16 and float8 from it
import numpy as np
from safetensors.numpy import save_file

Arrays = Mapping[str, np.ndarray[Any, Any]]
MakeDataset = Callable[[h5py.Group, str, np.ndarray[Any, Any]], None]


@dataclass(frozen=True)
class Written:
    """A checkpoint on disk: what a user names, and the files that hold its values."""

    path: Path
    files: list[Path]


@dataclass(frozen=True)
class Format:
    """How a format is written by its own library, and what it can hold."""

    name: str
    """`ParameterTree.format` of what is opened."""
    write: Callable[[Path, Arrays, Mapping[str, str], Mapping[str, str]], Written]
    """Writes arrays, ties (alias to own name) and metadata into a folder."""
    dtypes: frozenset[str]
    ties: bool = True
    metadata: bool = True
    not_truncated: frozenset[int] = field(default_factory=frozenset)
    """Sizes to which the file can be cut and still is whole."""


SAFETENSORS_DTYPES = frozenset(
    [
        "bool",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "uint32",
        "int32",
        "uint64",
        "int64",
        "float16",
        "float32",
        "float64",
        "complex64",
        "bfloat16",
        "float8_e5m2",
        "float8_e4m3fn",
        "float8_e8m0fnu",
        "float8_e4m3fnuz",
        "float8_e5m2fnuz",
    ]
)


def _write_safetensors(
    folder: Path, arrays: Arrays, ties: Mapping[str, str], metadata: Mapping[str, str]
) -> Written:
    path = folder / "model.safetensors"
    save_file(dict(arrays), path, {**metadata, **ties} or None)
    return Written(path, [path])


def _write_sharded(
    folder: Path, arrays: Arrays, ties: Mapping[str, str], metadata: Mapping[str, str]
) -> Written:
    """As huggingface_hub's save_torch_state_dict does: ties are in the index."""
    names = list(arrays)
    half = (len(names) + 1) // 2
    weight_map, files = {}, []
    for number, part in enumerate((names[:half], names[half:]), 1):
        shard = f"model-{number:05}-of-00002.safetensors"
        save_file({name: arrays[name] for name in part}, folder / shard, dict(metadata) or None)
        weight_map.update(dict.fromkeys(part, shard))
        files.append(folder / shard)
    index = {"metadata": {"total_size": 1, **ties}, "weight_map": weight_map}
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps(index))
    return Written(path, files)


NUMPY_DTYPES = frozenset(
    [
        "bool",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "uint32",
        "int32",
        "uint64",
        "int64",
        "float16",
        "float32",
        "float64",
        "complex64",
        "complex128",
    ]
)


def _write_npz(save: Callable[..., None], layout: Callable[..., Any]) -> Callable[..., Written]:
    def write(folder: Path, arrays: Arrays, *_: Mapping[str, str]) -> Written:
        path = folder / "model.npz"
        save(path, **{name: layout(array) for name, array in arrays.items()})
        return Written(path, [path])

    return write


def _swapped(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return array.astype(array.dtype.newbyteorder(">"))


def _fortran(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.asarray(array, order="F")


def _npz(save: Callable[..., None], layout: Callable[..., Any] = np.asarray) -> Format:
    return Format("npz", _write_npz(save, layout), NUMPY_DTYPES, ties=False, metadata=False)


def _plain_dataset(group: h5py.Group, name: str, array: np.ndarray[Any, Any]) -> None:
    group[name] = array
    if array.dtype == ml_dtypes.bfloat16:
        group[name].attrs["dtype"] = "bfloat16"  # as Keras marks what HDF5 has no type for


def _packed_dataset(group: h5py.Group, name: str, array: np.ndarray[Any, Any]) -> None:
    """In chunks that do not divide the shape, through every filter that is undone here."""
    swapped = _swapped(array)
    if not array.size or not array.ndim:
        group[name] = swapped
        return
    chunks = tuple(max(1, length * 2 // 3) for length in array.shape)
    group.create_dataset(
        name, data=swapped, chunks=chunks, compression="gzip", shuffle=True, fletcher32=True
    )


def _hdf5_bytes(make: MakeDataset, arrays: Arrays, ties: Mapping[str, str]) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as group:
        for name, array in arrays.items():
            make(group, name, array)
        for alias, own in ties.items():
            group[alias] = group[own]
    return file.getvalue()


def _write_hdf5(make: MakeDataset) -> Callable[..., Written]:
    def write(folder: Path, arrays: Arrays, ties: Mapping[str, str], *_: object) -> Written:
        path = folder / "model.h5"
        path.write_bytes(_hdf5_bytes(make, arrays, ties))
        return Written(path, [path])

    return write


def _write_keras(method: int) -> Callable[..., Written]:
    """An archive of Keras; its weights need not be laid out as Keras does."""

    def write(folder: Path, arrays: Arrays, ties: Mapping[str, str], *_: object) -> Written:
        path = folder / "model.keras"
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
            archive.writestr("config.json", "{}")
            archive.writestr("model.weights.h5", _hdf5_bytes(_plain_dataset, arrays, ties))
        return Written(path, [path])

    return write


HDF5_DTYPES = NUMPY_DTYPES | {"bfloat16"}
PACKED_DTYPES = frozenset(["bool", "int8", "uint16", "float32", "int64", "complex128"])
"""One of each size."""
KERAS_DTYPES = frozenset(["float32", "bfloat16", "int64"])
"""A few of the same, inside of an archive."""

FORMATS = {
    "hdf5": Format("hdf5", _write_hdf5(_plain_dataset), HDF5_DTYPES, metadata=False),
    "hdf5, packed": Format("hdf5", _write_hdf5(_packed_dataset), PACKED_DTYPES, metadata=False),
    "keras": Format("keras", _write_keras(zipfile.ZIP_STORED), KERAS_DTYPES, metadata=False),
    "keras, deflated": Format(
        "keras", _write_keras(zipfile.ZIP_DEFLATED), KERAS_DTYPES, metadata=False
    ),
    "npz": _npz(np.savez),
    "npz, deflated": _npz(np.savez_compressed),
    "npz, Fortran order": _npz(np.savez, _fortran),
    "npz, deflated, Fortran order": _npz(np.savez_compressed, _fortran),
    "npz, big-endian": _npz(np.savez, _swapped),
    "safetensors": Format("safetensors", _write_safetensors, SAFETENSORS_DTYPES),
    "sharded": Format("safetensors-sharded", _write_sharded, SAFETENSORS_DTYPES),
}
