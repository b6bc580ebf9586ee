"""safetensors: the header read strictly, tensors as lazy arrays.

The safetensors library decides what is a valid file; our reading of the same header is stricter
where the library is lenient (duplicate names, array-form entries, leading space), so that nothing
we accept reads otherwise elsewhere. Format: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import safetensors

from paraminspect.arrays import DTYPES, DType, Shape
from paraminspect.checkpoint._files import RegularFile, StoredArray, open_regular
from paraminspect.checkpoint._json import read_json
from paraminspect.errors import CheckpointError
from paraminspect.tree import Parameter, ParameterTree

MAXIMUM_HEADER_NBYTES = 100_000_000

DTYPES_BY_CODE: dict[str, DType] = {
    code: DTYPES[name]
    for code, name in {
        "BOOL": "bool",
        "F4": "float4_e2m1fn",
        "F6_E2M3": "float6_e2m3fn",
        "F6_E3M2": "float6_e3m2fn",
        "U8": "uint8",
        "I8": "int8",
        "F8_E5M2": "float8_e5m2",
        "F8_E4M3": "float8_e4m3fn",
        "F8_E8M0": "float8_e8m0fnu",
        "F8_E4M3FNUZ": "float8_e4m3fnuz",
        "F8_E5M2FNUZ": "float8_e5m2fnuz",
        "I16": "int16",
        "U16": "uint16",
        "F16": "float16",
        "BF16": "bfloat16",
        "I32": "int32",
        "U32": "uint32",
        "F32": "float32",
        "C64": "complex64",
        "F64": "float64",
        "I64": "int64",
        "U64": "uint64",
    }.items()
}
"""The dtypes of the format by the code that the header writes."""


def open_safetensors(path: Path) -> ParameterTree:
    """The tree of one file: headers are read, values are not."""
    file = open_regular(path)
    try:
        entries, metadata = _read_header(file)
    except CheckpointError as error:
        message = str(error)
        raise CheckpointError(
            message if message.startswith(str(path)) else f"{path}: {message}"
        ) from None
    _check_with_library(path)
    parameters = {name: Parameter(name, array) for name, array in entries.items()}
    ties = _add_aliases(parameters, metadata)
    framework = "pytorch" if metadata.get("format") == "pt" else None
    return ParameterTree(parameters, ties, metadata, str(path), "safetensors", framework)


def _check_with_library(path: Path) -> None:
    try:
        # Any framework would do: none is imported before a tensor is asked for.
        with safetensors.safe_open(path, framework="numpy"):
            pass
    except (safetensors.SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: refused by the safetensors library: {error}") from None


def _read_header(file: RegularFile) -> tuple[dict[str, StoredArray], dict[str, str]]:
    start, text = _header_bytes(file)
    header = read_json(text)
    if not isinstance(header, dict):
        raise CheckpointError("the header is not a JSON object")
    metadata = _check_metadata(header.pop("__metadata__", None))
    nbytes = file.size - start
    arrays: dict[str, StoredArray] = {}
    spans: list[tuple[int, int, str]] = []
    for name, entry in header.items():
        dtype, shape, begin, end = _check_entry(name, entry)
        spans.append((begin, end, name))
        arrays[name] = StoredArray(file, start + begin, shape, dtype)
    _check_spans(spans, nbytes)
    return arrays, metadata


def _header_bytes(file: RegularFile) -> tuple[int, bytes]:
    if file.size < 8:
        raise CheckpointError(f"too short for safetensors: {file.size} bytes, expected at least 8")
    first = file.read(0, min(file.size, 64))
    (length,) = struct.unpack("<Q", first[:8])
    if length > MAXIMUM_HEADER_NBYTES or 8 + length > file.size:
        raise CheckpointError(
            f"not safetensors or truncated: the header would have {length} bytes,"
            f" the file has {file.size}{_accident(first)}"
        )
    text = file.read(8, length)
    if not text.startswith(b"{"):
        raise CheckpointError(f"the header must begin with '{{', got {text[:8]!r}")
    return 8 + length, text


def _accident(first: bytes) -> str:
    if first.startswith(b"version https://git-lfs"):
        return ": this is a git-lfs pointer, fetch the file itself with `git lfs pull`"
    return ""


def _check_metadata(metadata: Any) -> dict[str, str]:
    if metadata is None:
        return {}
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise CheckpointError("__metadata__ must map strings to strings")
    for text in (*metadata, *metadata.values()):
        _check_text(text, "__metadata__")
    return metadata


def _check_text(text: str, what: str) -> None:
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise CheckpointError(f"{what} holds a lone surrogate: {text!r}") from None


def _check_entry(name: str, entry: Any) -> tuple[DType, Shape, int, int]:
    if type(entry) is not dict:
        raise CheckpointError(
            f"tensor {name!r}: expected an object with dtype, shape, data_offsets"
        )
    _check_text(name, "a name")
    try:
        code, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    except KeyError as error:
        raise CheckpointError(f"tensor {name!r}: {error.args[0]} is missing") from None
    dtype = DTYPES_BY_CODE.get(code) if type(code) is str else None
    if dtype is None:
        known = ", ".join(DTYPES_BY_CODE)
        raise CheckpointError(f"tensor {name!r}: unknown dtype {code!r}, expected one of {known}")
    count = 1
    if type(shape) is not list:
        raise CheckpointError(f"tensor {name!r}: shape must be a list, got {shape!r}")
    for size in shape:
        if type(size) is not int or size < 0:
            raise CheckpointError(
                f"tensor {name!r}: shape {shape} has {size!r}, expected sizes from 0 on"
            )
        count *= size
        if size >= 1 << 64 or count >= 1 << 64:
            raise CheckpointError(f"tensor {name!r}: shape {shape} has over 2**64 elements")
    if type(offsets) is not list or len(offsets) != 2 or any(type(o) is not int for o in offsets):
        raise CheckpointError(
            f"tensor {name!r}: data_offsets must be two integers, got {offsets!r}"
        )
    begin, end = offsets
    if (end - begin) * 8 != count * dtype.nbits or begin < 0:
        raise CheckpointError(
            f"tensor {name!r}: {code} {shape} takes {count * dtype.nbits / 8:g} bytes,"
            f" data_offsets {offsets} give {end - begin}"
        )
    return dtype, tuple(shape), begin, end


def _check_spans(spans: list[tuple[int, int, str]], nbytes: int) -> None:
    """Tensors must cover the data without holes or overlaps, as the format demands."""
    spans.sort()
    reached, last = 0, "the header"
    for begin, end, name in spans:
        if begin != reached:
            kind = "overlaps" if begin < reached else "leaves a hole after"
            raise CheckpointError(
                f"tensor {name!r} begins at byte {begin}, {kind} {last!r} that ends at {reached}"
            )
        reached, last = end, name
    if reached != nbytes:
        kind = "truncated" if reached > nbytes else "trailing bytes"
        raise CheckpointError(
            f"{kind}: tensor {last!r} ends at byte {reached} of the data, the file has {nbytes}"
        )


def _add_aliases(parameters: dict[str, Parameter], metadata: dict[str, str]) -> dict[str, str]:
    """The ties that `safetensors.torch.save_model` records: `{alias: own name}` in the metadata."""
    ties = {}
    for alias, own in metadata.items():
        if alias not in parameters and own in parameters and own not in ties:
            parameters[alias] = Parameter(alias, parameters[own].data)
            ties[alias] = own
    return ties
