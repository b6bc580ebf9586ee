"""Checkpoints: any file or folder with values, its format told by its content."""

from __future__ import annotations

from pathlib import Path

from paraminspect.checkpoint._files import open_regular
from paraminspect.errors import CheckpointError
from paraminspect.tree import ParameterTree

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def open_checkpoint(path: Path) -> ParameterTree:
    """The tree of a checkpoint; raises `CheckpointError`. Values are read only when asked for."""
    if path.is_dir():
        from paraminspect.checkpoint._shards import open_folder

        return open_folder(path)
    if path.name.endswith(".index.json"):
        from paraminspect.checkpoint._shards import open_sharded

        return open_sharded(path)
    file = open_regular(path)
    first = file.read(0, min(file.size, 16))
    for signature, what in _REFUSED.items():
        if first.startswith(signature):
            raise CheckpointError(f"{path}: {what}")
    from paraminspect.checkpoint._safetensors import open_safetensors

    return open_safetensors(path)


_REFUSED = {
    HDF5_SIGNATURE: "HDF5 files are not read by this version",
    b"PK\x03\x04": "a zip archive (.pt, .npz, .keras) is not read; convert a .pt to safetensors",
    b"\x80\x02": "a pickle is not read: opening one runs code; convert it to safetensors",
    b"\x80\x04": "a pickle is not read: opening one runs code; convert it to safetensors",
}
