"""Content: what a file is by its first bytes, and what to do with those we do not read."""

from __future__ import annotations

import codecs

from paraminspect.libhdf5.ahead import HDF5_SIGNATURE, ZIP_SIGNATURE

FIRST_NBYTES = 4096
"""So many bytes are enough to tell what a file is, an HDF5 file behind a user block too."""

EMPTY_ZIP_SIGNATURE = b"PK\x05\x06"

MAXIMUM_HEADER_NBYTES = 100_000_000
"""The limit of the safetensors format: eight bytes of text never are a length below it."""

_PICKLE = (
    "a Python pickle, which runs code when it is read: load it with its own program,"
    " and save the values as safetensors"
)
_HTML = "an HTML page, perhaps of a download that failed"

_SIGNATURES = {
    b"version https://git-lfs": "a git-lfs pointer, not the file: fetch that with `git lfs pull`",
    b"<!DOCTYPE": _HTML,
    b"<!doctype": _HTML,
    b"<html": _HTML,
    HDF5_SIGNATURE: "an HDF5 file",
    ZIP_SIGNATURE: "a zip archive",
    b"\x80\x02": _PICKLE,
    b"\x80\x03": _PICKLE,
    b"\x80\x04": _PICKLE,
    b"\x80\x05": _PICKLE,
    b"\x93NUMPY": "a single .npy array without a name: save it in an .npz",
    b"\x1f\x8b": "compressed by gzip: unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed by zstd: unpack it first",
    b"BZh": "compressed by bzip2: unpack it first",
    b"\xfd7zXZ\0": "compressed by xz: unpack it first",
}


def describe_content(first: bytes) -> str:
    """What a file is that begins so, with its way out; empty if nothing is known of it."""
    if not first:
        return "an empty file"
    if not first.strip(b"\0"):
        return "all zeros, perhaps of a download that failed"
    known = next((what for start, what in _SIGNATURES.items() if first.startswith(start)), "")
    if not known and is_text(first):
        return "text: a definition is named *.yaml, or piped to `-`"
    return known


def is_json(first: bytes) -> bool:
    """Whether it is JSON text with an object: a safetensors file begins with a length instead."""
    length = int.from_bytes(first[:8], "little")
    return first.lstrip().startswith(b"{") and length > MAXIMUM_HEADER_NBYTES


def is_keras_index(first: bytes) -> bool:
    """Whether it is a JSON index of Keras' shards: the first that it names is soon named."""
    return is_json(first) and b'.weights.h5"' in first


def is_zip(first: bytes) -> bool:
    """Whether it is a zip archive."""
    return first.startswith(ZIP_SIGNATURE)


def is_npz(first: bytes) -> bool:
    """Whether it is a zip archive whose first member is a .npy array, or an empty archive."""
    name_nbytes = int.from_bytes(first[26:28], "little")
    is_array = first.startswith(ZIP_SIGNATURE) and first[30 : 30 + name_nbytes].endswith(b".npy")
    return is_array or first.startswith(EMPTY_ZIP_SIGNATURE)


def is_hdf5(first: bytes) -> bool:
    """Whether it is an HDF5 file, which may begin after a user block of 512 bytes, 1024, ..."""
    return find_hdf5(first) is not None


def find_hdf5(first: bytes) -> int | None:
    """Where the HDF5 file begins in a file that begins so; None if it holds none."""
    base = 0
    while base < len(first):
        if first.startswith(HDF5_SIGNATURE, base):
            return base
        base = 2 * base or 512
    return None


def is_text(first: bytes) -> bool:
    """Whether it is text: UTF-8 without control characters, perhaps cut within a character."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(first)
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\t\n\r\f" for character in text)
