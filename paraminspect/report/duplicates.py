"""Reports of arrays that could be tied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from paraminspect.errors import escape
from paraminspect.operations.duplicates import Duplicates
from paraminspect.report._records import FORMATS, Records
from paraminspect.report._rows import format_nbytes

COLUMNS = ("names", "shape", "dtype", "nbytes", "saved_nbytes")


def rendered(style: str, source: str, found: Sequence[Duplicates]) -> Iterator[str]:
    """Each set of equal arrays, and what tying all of them would save."""
    if style == "table":
        return _as_table(source, found)
    return FORMATS[style](_records(source, found))


def _as_table(source: str, found: Sequence[Duplicates]) -> Iterator[str]:
    for duplicates in found:
        names = " = ".join(map(escape, duplicates.names))
        shape = list(duplicates.shape)
        saved = format_nbytes(duplicates.saved_nbytes)
        yield f"{names}  {duplicates.dtype} {shape}, {saved} to save"
    total = format_nbytes(_saved_nbytes(found))
    if found:
        yield ""
    yield f"{escape(source)}: {total} to save" if found else f"{escape(source)}: no equal arrays"


def _records(source: str, found: Sequence[Duplicates]) -> Records:
    rows = (
        {
            "names": list(duplicates.names),
            "shape": list(duplicates.shape),
            "dtype": duplicates.dtype.name,
            "nbytes": duplicates.nbytes,
            "saved_nbytes": duplicates.saved_nbytes,
        }
        for duplicates in found
    )
    totals = {"groups": len(found), "saved_nbytes": _saved_nbytes(found)}
    return Records(rows, COLUMNS, "duplicates", {"source": source}, {"totals": totals})


def _saved_nbytes(found: Sequence[Duplicates]) -> int:
    return sum(duplicates.saved_nbytes for duplicates in found)
