"""First bytes: what they say of a file, and what to do with those that we do not read."""

from __future__ import annotations

import codecs

from paraminspect.libhdf5.signature import HDF5_SIGNATURE, ZIP_SIGNATURE

_NAME_NBYTES_AT, _NAME_AT = 26, 30
"""Of the first member of a zip archive."""

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
    return first.lstrip().startswith(b"{") and b"\0" not in first[:8]


def is_zip(first: bytes) -> bool:
    """Whether it is a zip archive that is not empty."""
    return first.startswith(ZIP_SIGNATURE)


def first_member(first: bytes) -> bytes:
    """The name of the first member of a zip archive; empty for anything else."""
    if not is_zip(first):
        return b""
    nbytes = int.from_bytes(first[_NAME_NBYTES_AT : _NAME_NBYTES_AT + 2], "little")
    return first[_NAME_AT : _NAME_AT + nbytes]


def is_text(first: bytes) -> bool:
    """Whether it is text: UTF-8 without control characters, perhaps cut within a character."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(first)
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\t\n\r\f" for character in text)
