"""Every format that is read, as its own library writes it: the oracles of the conformance suite.

A new format is one entry here; it passes tests/test_checkpoint.py or is not a format.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ml_dtypes  # noqa: F401 (NumPy learns bfloat16 and float8 from it)
import numpy as np
from safetensors.numpy import save_file

Arrays = Mapping[str, np.ndarray[Any, Any]]


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


FORMATS = {
    "npz": _npz(np.savez),
    "npz, deflated": _npz(np.savez_compressed),
    "npz, Fortran order": _npz(np.savez, _fortran),
    "npz, deflated, Fortran order": _npz(np.savez_compressed, _fortran),
    "npz, big-endian": _npz(np.savez, _swapped),
    "safetensors": Format("safetensors", _write_safetensors, SAFETENSORS_DTYPES),
    "sharded": Format("safetensors-sharded", _write_sharded, SAFETENSORS_DTYPES),
}
