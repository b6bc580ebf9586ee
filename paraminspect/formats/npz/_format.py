"""The record of npz."""

from __future__ import annotations

from paraminspect.formats._format import Format, Holds
from paraminspect.formats._signatures import first_member

_EMPTY_ARCHIVE = b"PK\x05\x06"

SUFFIX = ".npy"
"""Ends the names of members; the names of arrays go without it."""

DTYPE_NAMES = {
    "b1": "bool",
    **{f"i{n}": f"int{8 * n}" for n in (1, 2, 4, 8)},
    **{f"u{n}": f"uint{8 * n}" for n in (1, 2, 4, 8)},
    **{f"f{n}": f"float{8 * n}" for n in (2, 4, 8)},
    **{f"c{n}": f"complex{8 * n}" for n in (8, 16)},
}
"""Our names of the dtypes by what a .npy header writes, byte order aside."""


def _is_npz(first: bytes) -> bool:
    return first_member(first).endswith(SUFFIX.encode()) or first.startswith(_EMPTY_ARCHIVE)


NPZ = Format(
    name="npz",
    description="NumPy's archive of arrays, as MXNet and others write it too",
    suffixes=(".npz",),
    fits=_is_npz,
    opener="paraminspect.formats.npz._reading:open_npz",
    saver="paraminspect.formats.npz._writing:save_npz",
    holds=Holds(frozenset(DTYPE_NAMES.values()), others=True),
)

FORMATS = (NPZ,)
