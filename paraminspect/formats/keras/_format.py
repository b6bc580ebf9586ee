"""The records of Keras: HDF5 laid out as Keras does, in one file, in shards, in an archive."""

from __future__ import annotations

from paraminspect.formats._format import Format, never
from paraminspect.formats._signatures import first_member, is_json, is_zip
from paraminspect.formats.hdf5._format import HDF5, HOLDS

WEIGHTS, CONFIG, METADATA = "model.weights.h5", "config.json", "metadata.json"
"""The members of an archive."""


def _is_archive(first: bytes) -> bool:
    return first_member(first).decode("latin-1") in (METADATA, CONFIG, WEIGHTS)


def _is_index(first: bytes) -> bool:
    return is_json(first) and b'.weights.h5"' in first  # the first that it names is soon named


KERAS_H5 = Format(
    name="keras-h5",
    description="HDF5 as Keras lays it out: weights files of Keras 3, and legacy models",
    suffixes=(),
    fits=never,  # it begins as any HDF5 file does
    opener=HDF5.opener,
    saver=HDF5.saver,
    holds=HOLDS,
)

SHARDED = Format(
    name="keras-sharded",
    description="weights of Keras 3 in several HDF5 files, with an index",
    suffixes=(".weights.json",),
    fits=_is_index,
    opener="paraminspect.formats.keras._sharded:open_sharded_weights",
    saver="paraminspect.formats.keras._writing:save_sharded_weights",
    holds=HOLDS,
)

ARCHIVE = Format(
    name="keras",
    description="a whole model of Keras 3: a zip archive with weights in HDF5",
    suffixes=(".keras",),
    fits=_is_archive,
    opener="paraminspect.formats.keras._archive:open_keras",
    saver="paraminspect.formats.keras._writing:save_keras",
    holds=HOLDS,
    may_fit=is_zip,
)

FORMATS = (SHARDED, KERAS_H5, ARCHIVE)
