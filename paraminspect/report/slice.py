"""Reports of slices: as NumPy prints them, JSON, CSV, TSV, `.npy` or bare bytes, or measures.

Whatever its size, a slice is read and written block by block: a report is a stream of pieces, of
text or (`npy`, `raw`) of bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from paraminspect.errors import Spell, spell_argument
from paraminspect.operations.slicing import Slice
from paraminspect.report._screen import Screen
from paraminspect.report._slice_binary import as_npy, as_raw, npy_note
from paraminspect.report._slice_measures import measure, rendered_measures
from paraminspect.report._slice_rows import as_csv, as_json, as_tsv, as_txt
from paraminspect.report._slice_text import as_text, summary_note

__all__ = [
    "BINARY_STYLES",
    "TEXT_STYLES",
    "as_text",
    "measure",
    "notes",
    "rendered",
    "rendered_measures",
]

TEXT_STYLES: dict[str, Callable[[str, Sequence[Slice], int | None], Iterator[str]]] = {
    "json": as_json,
    "csv": as_csv,
    "tsv": as_tsv,
    "txt": as_txt,
}
"""From the name of the source, slices and a precision."""

BINARY_STYLES: dict[str, Callable[[Slice], Iterator[bytes]]] = {"npy": as_npy, "raw": as_raw}
"""From the one slice that such a file can hold."""


def rendered(
    style: str, source: str, slices: Sequence[Slice], precision: int | None = None
) -> Iterator[str] | Iterator[bytes]:
    """What a file of a style, binary or of text, has in it."""
    if style in BINARY_STYLES:
        return BINARY_STYLES[style](slices[0])
    return TEXT_STYLES[style](source, slices, precision)


def notes(
    slice_: Slice, style: str, screen: Screen | None, spell: Spell = spell_argument
) -> Iterator[str]:
    """What a reader of the values in a style has to know."""
    if slice_.note:
        yield f"{slice_.title!r}: {slice_.note}"
    if style == "npy" and (note := npy_note(slice_)):
        yield note
    if style == "text" and screen and (note := summary_note(slice_, spell)):
        yield note
