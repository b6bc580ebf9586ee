"""safetensors: the header read strictly, tensors as arrays that are read when asked for.

The safetensors library decides what is a valid file; our reading of the same header is stricter
where the library is lenient (duplicate names, array-form entries, leading space), so that nothing
we accept reads otherwise elsewhere. Format: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import sys
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import safetensors

from paraminspect.arrays import DTYPES, DType, Shape
from paraminspect.errors import CheckpointError, counted
from paraminspect.formats._foreign import foreign_file
from paraminspect.formats._format import FIRST_NBYTES
from paraminspect.formats._json import check_text, read_json, shown
from paraminspect.formats._signatures import describe_content
from paraminspect.formats.files._descriptors import SystemRefusal
from paraminspect.formats.files._reading import RegularFile, StoredArray
from paraminspect.formats.safetensors._format import (
    DTYPE_NAMES,
    FRAMEWORK_KEY,
    MAXIMUM_HEADER_NBYTES,
    SAFETENSORS,
)
from paraminspect.runtime import collector_paused
from paraminspect.tree import Parameter, ParameterTree, Source

METADATA = "__metadata__"
"""The key of the header that holds the metadata: no tensor can have this name."""

DTYPES_BY_CODE = {code: DTYPES[name] for code, name in DTYPE_NAMES.items()}
"""The dtypes of the format by the code that the header writes."""

CODES_BY_DTYPE = {dtype: code for code, dtype in DTYPES_BY_CODE.items()}


@dataclass(frozen=True)
class Header:
    """What a file says of itself: its tensors in the order of the header, and its metadata."""

    arrays: dict[str, StoredArray]
    metadata: dict[str, str]


def open_safetensors(file: RegularFile) -> ParameterTree:
    """The tree of one file: the header is read, values are not."""
    header = read_header(file)
    return tree_of(header.arrays, header.metadata, [file], SAFETENSORS.name)


def tree_of(
    arrays: Mapping[str, StoredArray],
    metadata: Mapping[str, str],
    files: Sequence[RegularFile],
    format_: str,
) -> ParameterTree:
    """The tree of the tensors of a file, or of all shards of a model, the index first."""
    with collector_paused():
        parameters = {name: Parameter(name, array) for name, array in arrays.items()}
    ties = _ties(arrays, metadata)
    for alias, own in ties.items():
        parameters[alias] = Parameter(alias, arrays[own])
    source = Source(str(files[0].path), format_, tuple(files))
    return ParameterTree(parameters, ties, metadata, source)


def _ties(arrays: Mapping[str, StoredArray], metadata: Mapping[str, str]) -> dict[str, str]:
    """The ties that `safetensors.torch.save_model` records: `{alias: own name}` in the metadata.

    Sorted: the order of the metadata changes from one run of the writer to the next.
    """
    return {a: own for a, own in sorted(metadata.items()) if is_tie(a, own, arrays)}


def is_tie(key: str, value: str, stored: Container[str]) -> bool:
    """Whether an item of the metadata says that the name `key` is an alias of a stored tensor."""
    return value in stored and key not in stored and key != FRAMEWORK_KEY


def read_header(file: RegularFile) -> Header:
    """The header of a file that both the safetensors library and our reading accept."""
    # The library is asked first, before memory is taken; but our reading tells more of what is bad.
    refusal = _refusal_of_library(file.path)
    try:
        header = _parse_header(file)
    except CheckpointError as error:
        raise error.at(file.path) from None
    if refusal is not None:
        raise refusal
    return header


def _refusal_of_library(path: Path) -> CheckpointError | None:
    """Why the safetensors library does not open the file; None if it does."""
    # Opening validates the header, and then imports the framework that the values would be for.
    # NumPy takes longer than all else, so a framework that is not there is named: it is missed
    # only once the header has been accepted.
    absent = (name for name, module in _OPTIONAL_FRAMEWORKS if find_spec(module) is None)
    framework = "np" if "numpy" in sys.modules else next(absent, "np")
    try:
        # Not the default, a memory map: a file cut short meanwhile would kill the process.
        safetensors.safe_open(path, framework=framework, backend="pread")
    except ModuleNotFoundError:
        return None
    except OSError as error:
        return SystemRefusal(f"the safetensors library cannot open it: {error}").at(path)
    except safetensors.SafetensorError as error:
        return CheckpointError(f"refused by the safetensors library: {error}").at(path)
    return None


_OPTIONAL_FRAMEWORKS = (("paddle", "paddle"), ("pt", "torch"))


def _parse_header(file: RegularFile) -> Header:
    start, text = _header_text(file)
    with collector_paused():
        header = read_json(text)
        del text  # of up to 100 MB, and no longer needed
        metadata = _check_metadata(header.pop(METADATA, None))
        reached, in_order = start, True
        for name, entry in header.items():
            dtype, shape, begin, end = _check_entry(name, entry)
            in_order = in_order and start + begin == reached
            reached = start + end
            # In place of what it was read from: the memory of that is free for the next one.
            header[name] = StoredArray(file, start + begin, shape, dtype)
        if not in_order or reached != file.size:
            _check_spans(header, start, file.size)
    return Header(header, metadata)


def _header_text(file: RegularFile) -> tuple[int, bytes]:
    """Where the data begins, and the header before it; the length is checked before memory."""
    first = file.read(0, min(file.size, 64))
    if not first:
        raise CheckpointError("the file is empty")
    if len(first) < 8:
        raise CheckpointError(
            f"truncated: {counted(len(first), 'byte')}, too short for the length of"
            " a safetensors header"
        )
    length = int.from_bytes(first[:8], "little")
    fits = length <= MAXIMUM_HEADER_NBYTES and 8 + length <= file.size
    if not length or first[8:9] != b"{":  # only then: a header of 640 bytes begins as a pickle does
        first = file.read(0, min(file.size, FIRST_NBYTES))
        foreign = foreign_file(file.path, first)
        if foreign is not None:
            raise foreign
        looks = describe_content(first)
        if looks or not fits:
            raise CheckpointError(f"not a safetensors header{looks and ': it is '}{looks}")
        raise CheckpointError(f"the header must begin with '{{', got {first[8 : 8 + length][:8]!r}")
    if not fits:
        raise CheckpointError(
            f"truncated: the header would have {counted(length, 'byte')},"
            f" the file has {file.size} in all"
        )
    return 8 + length, file.read(8, length)


def _check_metadata(metadata: Any) -> dict[str, str]:
    if metadata is None:
        return {}
    if type(metadata) is not dict:
        raise CheckpointError(f"{METADATA} must map strings to strings, got {shown(metadata)}")
    for key, value in metadata.items():
        if type(value) is not str:
            raise CheckpointError(
                f"{METADATA} must map strings to strings, got {shown(value)} for {shown(key)}"
            )
        check_text(key, METADATA)
        check_text(value, METADATA)
    return metadata


def _check_entry(name: str, entry: Any) -> tuple[DType, Shape, int, int]:
    """`(dtype, shape, begin, end)` of one tensor; `begin` and `end` count from the data on.

    Called once for each of perhaps a hundred thousand tensors: calls are spared.
    """
    if type(entry) is not dict:
        raise _entry_error(name, f"expected an object, got {shown(entry)}")
    if not name.isascii():
        check_text(name, "a tensor name")
    try:
        code, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    except KeyError as error:
        raise _entry_error(name, f"{error.args[0]} is missing") from None
    dtype = DTYPES_BY_CODE.get(code) if type(code) is str else None
    if dtype is None:
        known = ", ".join(DTYPES_BY_CODE)
        raise _entry_error(name, f"unknown dtype {shown(code)}, expected one of {known}")
    if type(shape) is not list:
        raise _entry_error(name, f"shape must be a list of sizes, got {shown(shape)}")
    count = 1
    for length in shape:
        # type(x) is int: True is an instance of int, and 8.0 == 8.
        if type(length) is not int or length < 0:
            raise _entry_error(name, f"{shown(length)} in shape {shown(shape)} is not a size")
        count *= length
        if count >> 64 or length >> 64:  # as in the library: on the way to the product, too
            raise _entry_error(name, f"shape {shown(shape)} has over 2**64 elements")
    begin, end = offsets if type(offsets) is list and len(offsets) == 2 else (None, None)
    if type(begin) is not int or type(end) is not int:
        raise _entry_error(name, f"data_offsets must be two integers, got {shown(offsets)}")
    if not 0 <= begin <= end:
        raise _entry_error(name, f"data_offsets {shown(offsets)} end before they begin")
    if (end - begin) * 8 != count * dtype.nbits:
        takes = f"{count * dtype.nbits / 8:.15g}"
        raise _entry_error(
            name,
            f"{code} {shown(shape)} takes {takes} bytes, data_offsets {shown(offsets)}"
            f" give {end - begin}",
        )
    return dtype, tuple(shape), begin, end


def _entry_error(name: str, message: str) -> CheckpointError:
    return CheckpointError(f"tensor {shown(name)}: {message}")


def _check_spans(arrays: Mapping[str, StoredArray], start: int, size: int) -> None:
    """Tensors must cover the data without holes or overlaps, as the format demands.

    Their order in the header is free; most writers keep that of the data.
    """
    nbytes = size - start
    reached, last = 0, ""
    spans = ((a.offset - start, a.offset - start + a.nbytes, name) for name, a in arrays.items())
    for begin, end, name in sorted(spans):
        if begin != reached:
            before = f"tensor {shown(last)}" if reached else "the header"
            kind = "overlaps" if begin < reached else "leaves a hole after"
            raise _entry_error(
                name,
                f"begins at byte {begin} of the data, {kind} {before}, which ends at {reached}",
            )
        reached, last = end, name
    if reached > nbytes:
        raise CheckpointError(
            f"truncated: the header promises {counted(reached, 'byte')} of data,"
            f" the file has {nbytes}: tensor {shown(last)} would end outside"
        )
    if reached < nbytes:
        raise CheckpointError(
            f"trailing bytes: the header tells of {counted(reached, 'byte')} of data,"
            f" the file has {nbytes}"
        )
