"""How files begin that are for the library: HDF5 files, and archives of Keras with one inside."""

from __future__ import annotations

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
ZIP_SIGNATURE = b"PK\x03\x04"
_NAME_AT, _FIRST_OF_KERAS = 30, b"metadata.json"
"""An archive of Keras: its first member, whose name stands behind the header of the zip format."""


def find_hdf5(first: bytes) -> int | None:
    """Where the HDF5 file begins in a file that begins so; None if it holds none."""
    base = 0
    while base < len(first):
        if first.startswith(HDF5_SIGNATURE, base):
            return base
        base = 2 * base or 512
    return None


def is_hdf5(first: bytes) -> bool:
    """Whether it is an HDF5 file, which may begin after a user block of 512 bytes, 1024, ..."""
    return find_hdf5(first) is not None


def is_for_library(first: bytes) -> bool:
    """Whether the library will be needed, as far as the first 64 bytes show."""
    return first.startswith(HDF5_SIGNATURE) or (
        first.startswith(ZIP_SIGNATURE) and first[_NAME_AT:].startswith(_FIRST_OF_KERAS)
    )
