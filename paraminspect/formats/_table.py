"""The table of formats: the only list of them. Another one is a folder and a line here."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator, Mapping
from itertools import chain

from paraminspect.errors import CheckpointError
from paraminspect.formats._format import Format

FOLDERS = (
    "npz",
    "hdf5",
    "keras",
    "safetensors",
)
"""Folders beside this file, whose `_format.py` has `FORMATS`; the first format that fits wins.

Named, not imported: some of them stand on a higher floor, and only their records are needed here.
"""

ENTRY_POINTS = "paraminspect.formats"
"""The group of entry points by which other packages add formats: each leads to a `Format`."""


class Formats(Mapping[str, Format]):
    """Every format by its name: ours, then those that other installed packages add.

    Other packages are looked for only when ours do not settle a question: that takes time.
    """

    def __init__(self, ours: Mapping[str, Format]) -> None:
        self.ours = ours

    def __getitem__(self, name: str) -> Format:
        return self.ours[name] if name in self.ours else added_formats()[name]

    def __iter__(self) -> Iterator[str]:
        yield from self.ours
        yield from added_formats()

    def __len__(self) -> int:
        return len(self.ours) + len(added_formats())

    def beginning_with(self, first: bytes) -> Format:
        """The format of a file that begins so, or the one that can say what it is instead."""
        fitting = (format_ for format_ in self.values() if format_.fits(first))
        asked = (format_ for format_ in self.values() if format_.may_fit(first))
        return next(chain(fitting, asked))

    def named(self, name: str) -> Format | None:
        """The format whose files have names like this one: the longest ending decides."""
        for formats in (self.ours, self):
            fitting = [
                (len(suffix), format_)
                for format_ in formats.values()
                for suffix in format_.suffixes
                if name.endswith(suffix)
            ]
            if fitting:
                return max(fitting, key=lambda pair: pair[0])[1]
        return None


def _our_formats() -> dict[str, Format]:
    places = (f"paraminspect.formats.{folder}._format" for folder in FOLDERS)
    records = chain.from_iterable(importlib.import_module(place).FORMATS for place in places)
    return {format_.name: format_ for format_ in records}


FORMATS = Formats(_our_formats())
"""Every format that is read, and how it is written if it is."""


@functools.cache
def added_formats() -> dict[str, Format]:
    """The formats of other packages; `CheckpointError` for one that is broken or takes a name."""
    from importlib.metadata import entry_points

    found: dict[str, Format] = {}
    for entry in entry_points(group=ENTRY_POINTS):
        where = f"the format {entry.name} of {entry.dist.name if entry.dist else entry.value}"
        try:
            format_ = entry.load()
        except Exception as error:  # whatever the code of others raises when it is imported
            raise CheckpointError(f"cannot be loaded: {error!r}").at(where) from error
        if not isinstance(format_, Format):
            raise CheckpointError(f"expected a Format, got {type(format_).__name__}").at(where)
        if format_.name in FORMATS.ours or format_.name in found:
            raise CheckpointError(f"there is a format named {format_.name!r} already").at(where)
        found[format_.name] = format_
    return found
