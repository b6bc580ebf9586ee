"""safetensors written: the header made here, values copied by the kernel or made block by block.

The order of the tree is kept, in the header and in the data, unless a tensor would not be aligned
to its elements; then wider dtypes come first, as in the library. Ties are recorded as
`safetensors.torch.save_model` does: one copy, and `{alias: own name}` in the metadata.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from paraminspect.arrays import Array, DType, count_elements
from paraminspect.errors import CheckpointError, DTypeError, ParamInspectError, TieError
from paraminspect.formats._json import shown
from paraminspect.formats.files._new_file import NewFile
from paraminspect.formats.files._reading import open_regular
from paraminspect.formats.files._replacing import replacing
from paraminspect.formats.files._transfer import Placed, transfer
from paraminspect.formats.safetensors._format import FRAMEWORK_KEY, MAXIMUM_HEADER_NBYTES
from paraminspect.formats.safetensors._reading import (
    CODES_BY_DTYPE,
    METADATA,
    is_tie,
    read_header,
)
from paraminspect.runtime import Progress, unwatched
from paraminspect.tree import ParameterTree

HEADER_ALIGNMENT = 8
"""The header is padded with spaces, so that the data begins at a multiple of this."""


def save_safetensors(
    tree: ParameterTree, path: Path, *, overwrite: bool, progress: Progress = unwatched
) -> list[str]:
    """Write all parameters of a tree into one file; nothing is lost."""
    try:
        layout = lay_out({p.name: p.data for p in tree.parameters()}, stored_metadata(tree))
    except ParamInspectError as error:
        raise error.at(path) from None
    with replacing(
        path, layout.nbytes, inputs=tree.source.files, overwrite=overwrite, progress=progress
    ) as new:
        fill(new, layout)
    return []


def stored_metadata(tree: ParameterTree) -> dict[str, str]:
    """The metadata that the file is to have: what the tree carries, and its ties."""
    own = {p.name for p in tree.parameters()}
    for alias in tree.ties:
        if alias == FRAMEWORK_KEY or tree.metadata.get(alias, alias) not in tree.entries:
            raise TieError(f"cannot record the tie of {alias!r}: the metadata has that key already")
    kept = {k: v for k, v in tree.metadata.items() if not is_tie(k, v, own) or k in tree.ties}
    return {**kept, **tree.ties}


@dataclass(frozen=True)
class Layout:
    """What a new file will consist of."""

    header: bytes
    tensors: Mapping[str, Placed]
    metadata: Mapping[str, str]
    nbytes: int


def lay_out(arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> Layout:
    """Where everything is to be; raises `CheckpointError` or `DTypeError` for what cannot be."""
    begins, end = _begins(arrays)
    entries: dict[str, object] = {METADATA: metadata} if metadata else {}
    for name, array in arrays.items():
        if name == METADATA:
            raise CheckpointError(f"a safetensors file cannot hold a parameter named {name!r}")
        begin = begins[name]
        entries[name] = {
            "dtype": _code(name, array.dtype),
            "shape": array.shape,
            "data_offsets": (begin, begin + _nbytes(array)),
        }
    header = _encode(entries)
    start = len(header)
    tensors = {name: Placed(array, start + begins[name]) for name, array in arrays.items()}
    return Layout(header, tensors, metadata, len(header) + end)


def _begins(arrays: Mapping[str, Array]) -> tuple[dict[str, int], int]:
    """Where each array begins in the data, and where the last one ends."""
    begins, end = _one_after_another(arrays)
    if any(begins[name] % _alignment(array) for name, array in arrays.items()):
        wide_first = sorted(arrays, key=lambda name: -_alignment(arrays[name]))
        begins, end = _one_after_another({name: arrays[name] for name in wide_first})
    return begins, end


def _one_after_another(arrays: Mapping[str, Array]) -> tuple[dict[str, int], int]:
    begins: dict[str, int] = {}
    end = 0
    for name, array in arrays.items():
        begins[name] = end
        end += _nbytes(array)
    return begins, end


def _nbytes(array: Array) -> int:
    return array.dtype.nbytes(count_elements(array.shape))


def _alignment(array: Array) -> int:
    return max(array.dtype.nbits // 8, 1)


def _code(name: str, dtype: DType) -> str:
    code = CODES_BY_DTYPE.get(dtype)
    if code is None:
        refusal = DTypeError(f"a safetensors file cannot hold {dtype}").at(name)
        if dtype.name.startswith("void"):
            raise refusal.unless(void_dtype=...)
        raise refusal.unless(dtype=...) if dtype.name.startswith("float") else refusal
    return code


def _encode(entries: Mapping[str, object]) -> bytes:
    try:
        text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise CheckpointError(
            f"a name or metadata holds a lone surrogate: {shown(error.object[error.start :])}"
        ) from None
    text += b" " * (-len(text) % HEADER_ALIGNMENT)
    if len(text) > MAXIMUM_HEADER_NBYTES:
        raise CheckpointError(
            f"the header would have {len(text)} bytes, the format allows {MAXIMUM_HEADER_NBYTES}"
        )
    return len(text).to_bytes(8, "little") + text


def fill(new: NewFile, layout: Layout) -> None:
    """Write header and values into a new file of the right length, and check how it reads."""
    new.write(layout.header, 0)
    transfer(layout.tensors.values(), new)
    _check(new, layout)


def _check(new: NewFile, layout: Layout) -> None:
    """Raise `CheckpointError` unless our reader, and the library, read what was to be written."""
    try:
        file = open_regular(new.path)
        header = read_header(file)
    except CheckpointError as error:
        raise new.unreadable(error) from None
    file.release()
    read = {n: (a.shape, a.dtype, a.offset) for n, a in header.arrays.items()}
    meant = {n: (tuple(t.array.shape), t.array.dtype, t.at) for n, t in layout.tensors.items()}
    if list(read.items()) != list(meant.items()) or dict(header.metadata) != dict(layout.metadata):
        raise new.misread()
