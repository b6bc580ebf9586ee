"""Rows: what one line of a report says of a parameter, and how numbers are written for people."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from paraminspect.arrays import Shape
from paraminspect.errors import Spell, counted, escape, spell_argument
from paraminspect.report._screen import Screen
from paraminspect.tree import Parameter, ParameterTree

if TYPE_CHECKING:
    from paraminspect.operations.stats import Stats

MOMENTS = ("mean", "std", "min", "max")
COUNTS = ("zeros", "nan", "inf")
STATS = (*MOMENTS, *COUNTS)

_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class View:
    """What is reported of a tree, and where it is shown."""

    tree: ParameterTree
    stats: Mapping[str, Stats] | None = None
    """Statistics by own name, without those that could not be had; None: nobody asked."""
    limit: int = 0
    """At most so many rows; 0: all."""
    depth: int | None = None
    """At most so many levels of modules."""
    order: str | None = None
    """What rows are sorted by, where the report sorts them itself."""
    screen: Screen | None = None
    stored: bool = False
    """Whether to show where the file keeps each parameter."""
    metadata: bool = False
    """Whether to show what the file says of itself."""
    spell: Spell = spell_argument
    """How arguments are written that would show more."""


def natural_key(separator: str) -> Callable[[str], str]:
    """A key that sorts names part by part and numbers as numbers: `h.2.w` before `h.10.w`."""
    parts = _SortedParts()
    return lambda name: "\0".join([parts[part] for part in name.split(separator)])


class _SortedParts(dict[str, str]):
    """Parts of names with their numbers written so that text sorts as the numbers do."""

    def __missing__(self, part: str) -> str:
        return self.setdefault(part, _DIGITS.sub(_sortable, part))


def _sortable(number: re.Match[str]) -> str:
    """Digits after their count, which is a character below all others but the separator's."""
    digits = number[0].lstrip("0")
    return chr(1 + len(digits)) + digits


KEYS = (
    "shape",
    "dtype",
    "count",
    "nbytes",
    "trainable",
    "tied_to",
    "layer",
    "scheme",
    "stored_path",
)
"""What is known of a parameter beside its name, by the keys of the JSON contract."""

Facts = tuple[Shape, str, int, int, bool | None, str | None, str | None, str | None, str | None]


def facts(tree: ParameterTree, p: Parameter) -> Facts:
    """The values of `KEYS`. Equal facts are written alike, so a report may write them once."""
    tied_to = tree.ties.get(p.name)
    kind = (p.trainable, tied_to, p.layer, p.scheme, p.stored_path)
    return (p.shape, p.dtype.name, p.count, p.nbytes, *kind)


def named(known: Facts) -> dict[str, Any]:
    """Facts by their keys."""
    return dict(zip(KEYS, known, strict=True))


def record(view: View, parameter: Parameter) -> dict[str, Any]:
    """All that is reported of a parameter, by the keys of the JSON contract."""
    row = {"name": parameter.name, **named(facts(view.tree, parameter))}
    if parameter.codes is not None:
        row["quantized"] = asdict(parameter.codes)
    if view.stats is not None:
        found = view.stats.get(view.tree.own_name(parameter.name))
        row["stats"] = {key: strict(getattr(found, key, None)) for key in STATS}
    return row


def strict(number: float | None) -> float | str | None:
    """A number that strict JSON can hold: what is not finite becomes a string."""
    if number is None or isinstance(number, int) or math.isfinite(number):
        return number
    return "nan" if math.isnan(number) else "inf" if number > 0 else "-inf"


def format_nbytes(nbytes: int) -> str:
    """Bytes for people, in powers of 1024: `2.25 MiB`."""
    if nbytes < 1024:
        return f"{nbytes} B"
    power = min((nbytes.bit_length() - 1) // 10, len(_UNITS))
    size = nbytes / 1024**power
    return f"{size:.3g} {_UNITS[power - 1]}" if size < 1000 else f"{size:.0f} {_UNITS[power - 1]}"


_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def format_number(value: float | None) -> str:
    """A statistic in four digits; what is not known is empty."""
    return "" if value is None else str(value) if isinstance(value, int) else f"{value:.4g}"


def format_note(tree: ParameterTree, parameter: Parameter) -> str:
    """What is special about a parameter: its tie, or that it is not trained."""
    own = tree.ties.get(parameter.name)
    if own is not None:
        return f"= {escape(own)}"
    if parameter.codes is not None:
        return parameter.codes.what if parameter.codes.weights else "of codes"
    if parameter.trainable is not False:
        return ""
    return "frozen" if parameter.frozen else "buffer"


def format_totals(tree: ParameterTree) -> str:
    """The footer: `149 names, 1 tied, 124,439,808 parameters (all trainable), 475 MiB`."""
    totals = tree.totals
    tied = f", {totals.names - totals.arrays:,} tied" if totals.names > totals.arrays else ""
    trained = ""
    if totals.trainable is not None:
        part = "all" if totals.trainable == totals.count else f"{totals.trainable:,}"
        trained = f" ({part} trainable)"
    if totals.weights != totals.count:
        trained += f" in {counted(totals.count, 'stored element')}"
    return (
        f"{counted(totals.names, 'name')}{tied}, {counted(totals.weights, 'parameter')}{trained},"
        f" {format_nbytes(totals.nbytes)}"
    )
