"""Rows: what one line of a report says of a parameter, and how numbers are written for people."""

from __future__ import annotations

import math
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paraminspect.errors import escape
from paraminspect.tree import Parameter, ParameterTree

if TYPE_CHECKING:
    from paraminspect.stats import Stats

StatsByName = Mapping[str, "Stats"]

STATS = ("mean", "std", "min", "max", "zeros", "nan", "inf")

_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Screen:
    """The terminal that a report is drawn on: its width in columns, and whether to use colours."""

    width: int
    colored: bool = False

    @classmethod
    def of_terminal(cls) -> Screen:
        """The terminal of the standard output."""
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return cls(shutil.get_terminal_size((80, 24)).columns, not plain)


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sorts numbers inside names as numbers: `block 2` before `block 10`."""
    parts = _DIGITS.split(name)
    return [(0, int(p), "") if i % 2 and len(p) < 20 else (1, 0, p) for i, p in enumerate(parts)]


def record(tree: ParameterTree, parameter: Parameter, stats: StatsByName | None) -> dict[str, Any]:
    """All that is known of a parameter, by the keys of the JSON contract."""
    row: dict[str, Any] = {
        "name": parameter.name,
        "shape": list(parameter.shape),
        "dtype": parameter.dtype.name,
        "count": parameter.count,
        "nbytes": parameter.nbytes,
        "trainable": parameter.trainable,
        "tied_to": tree.ties.get(parameter.name),
        "layer": parameter.layer,
        "scheme": parameter.scheme,
    }
    if stats is not None:
        found = stats[tree.own_name(parameter.name)]
        row["stats"] = {key: strict(getattr(found, key)) for key in STATS}
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


def format_shape(parameter: Parameter) -> str:
    """`[768, 3072]`."""
    return str(list(parameter.shape))


def format_note(tree: ParameterTree, parameter: Parameter) -> str:
    """What is special about a parameter: its tie, or that it is not trained."""
    own = tree.ties.get(parameter.name)
    if own is not None:
        return f"= {escape(own)}"
    return "" if parameter.trainable is not False else "buffer"


def is_unicode() -> bool:
    """Whether the locale can show box-drawing characters."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    return "utf" in locale.lower() or os.environ.get("PYTHONUTF8") == "1"
