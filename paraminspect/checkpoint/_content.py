"""Content: what the first bytes of a file look like, for those that are no checkpoint of ours."""

from __future__ import annotations

_PICKLE = (
    "a Python pickle, which runs code when it is read: load it with its own program,"
    " and save the values as safetensors"
)

_SIGNATURES = {
    b"version https://git-lfs": "a git-lfs pointer, not the file: fetch that with `git lfs pull`",
    b"<!DOCTYPE": "an HTML page, perhaps of a download that failed",
    b"<!doctype": "an HTML page, perhaps of a download that failed",
    b"<html": "an HTML page, perhaps of a download that failed",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"PK\x03\x04": "a zip archive",
    b"\x80\x02": _PICKLE,
    b"\x80\x03": _PICKLE,
    b"\x80\x04": _PICKLE,
    b"\x80\x05": _PICKLE,
    b"GGUF": "a GGUF file, which is not read",
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
    return next((what for start, what in _SIGNATURES.items() if first.startswith(start)), "")
