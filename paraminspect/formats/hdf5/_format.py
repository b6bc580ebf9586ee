"""The record of plain HDF5."""

from __future__ import annotations

from paraminspect.arrays import DTYPES
from paraminspect.formats._format import Format, Holds
from paraminspect.libhdf5.signature import is_hdf5

HOLDS = Holds(
    frozenset(name for name, dtype in DTYPES.items() if not dtype.is_packed),
    ties=True,
    metadata=True,
    others=True,
)

HDF5 = Format(
    name="hdf5",
    description="any HDF5 file: groups are paths, links to one dataset are ties",
    suffixes=(".h5", ".hdf5"),
    fits=is_hdf5,
    # What is in the file decides whether it is laid out as Keras does: that opener knows both.
    opener="paraminspect.formats.keras._open:open_hdf5",
    saver="paraminspect.formats.keras._writing:save_h5",
    holds=HOLDS,
)

FORMATS = (HDF5,)
