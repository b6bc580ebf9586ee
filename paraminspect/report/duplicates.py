"""Reports of arrays that could be tied."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from paraminspect.errors import escape
from paraminspect.operations.duplicates import Duplicates
from paraminspect.report._machine import SCHEMA_VERSION
from paraminspect.report._rows import format_nbytes


def as_table(source: str, found: Sequence[Duplicates]) -> Iterator[str]:
    """A line for each set of equal arrays, and what all of them would save."""
    for duplicates in found:
        names = " = ".join(map(escape, duplicates.names))
        shape = list(duplicates.shape)
        saved = format_nbytes(duplicates.saved_nbytes)
        yield f"{names}  {duplicates.dtype} {shape}, {saved} to save"
    total = format_nbytes(sum(duplicates.saved_nbytes for duplicates in found))
    if found:
        yield ""
    yield f"{escape(source)}: {total} to save" if found else f"{escape(source)}: no equal arrays"


def as_json(source: str, found: Sequence[Duplicates]) -> Iterator[str]:
    """One object; sizes in bytes."""
    records = [
        {
            "names": duplicates.names,
            "shape": duplicates.shape,
            "dtype": duplicates.dtype.name,
            "nbytes": duplicates.nbytes,
            "saved_nbytes": duplicates.saved_nbytes,
        }
        for duplicates in found
    ]
    saved = sum(duplicates.saved_nbytes for duplicates in found)
    document = {
        "schema_version": SCHEMA_VERSION,
        "source": source,
        "duplicates": records,
        "totals": {"groups": len(records), "saved_nbytes": saved},
    }
    yield json.dumps(document)


STYLES: dict[str, Callable[[str, Sequence[Duplicates]], Iterator[str]]] = {
    "table": as_table,
    "json": as_json,
}
