"""The table of parameters, for a terminal, a pipe or a Markdown page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from paraminspect.errors import escape
from paraminspect.report._fold import Folded, fold_names
from paraminspect.report._rows import (
    COUNTS,
    MOMENTS,
    STATS,
    View,
    format_nbytes,
    format_note,
    format_number,
    format_totals,
)
from paraminspect.report._screen import aligned
from paraminspect.tree import ParameterTree

HEADER = ("name", "shape", "dtype", "parameters", "bytes", "note", "scheme")
SHOWN_IF_USED = frozenset(("note", "scheme", *COUNTS))
"""Columns that are left out where no row has anything to say in them."""
RIGHT = frozenset(("parameters", "bytes", *STATS))


def as_table(view: View) -> Iterator[str]:
    """Aligned columns and a footer with totals. On a terminal equal siblings fold."""
    screen, tree = view.screen, view.tree
    folded = list(_lines(view))
    header, rows = _cells(view, folded[: view.limit or None])
    same = len({p.dtype.name for p in tree.entries.values()}) == 1
    lines = aligned(header, rows, screen, RIGHT, _dropped_first(view, same))
    heading = next(lines)
    yield heading
    yield from lines
    if len(rows) < len(folded):
        yield more(len(folded) - len(rows), len(folded))
    yield ""
    footer = format_totals(tree)
    if same and "dtype" not in heading:
        footer += f" {next(iter(tree.entries.values())).dtype}"
    footer += _found(view)
    yield screen.dim(footer) if screen else footer


def _dropped_first(view: View, same: bool) -> list[str]:
    """The columns that a narrow terminal does without; the footer tells a dtype that all have."""
    dropped = ["dtype", "bytes"] if same else ["bytes"]
    return (
        [*dropped, "scheme"] if view.stats is None else [*dropped, "parameters", "scheme", "shape"]
    )


def _found(view: View) -> str:
    """What the statistics found that should not be there."""
    if view.stats is None:
        return ""
    nan, inf = (sum(getattr(s, key) for s in view.stats.values()) for key in ("nan", "inf"))
    return f", {nan:,} NaN, {inf:,} Inf"


def more(left: int, total: int) -> str:
    """The line that says that a limit has cut a report short."""
    return f"... {left:,} more of {total:,}; --limit 0 shows all"


def as_markdown(view: View) -> Iterator[str]:
    """A Markdown table and the totals."""
    from tabulate import tabulate

    header, rows = _cells(view, list(islice(_each(view.tree), view.limit or None)))
    rows = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    align = ["right" if name in RIGHT else "left" for name in header]
    yield tabulate(rows, header, tablefmt="pipe", disable_numparse=True, colalign=align)
    yield ""
    yield format_totals(view.tree)


def _lines(view: View) -> Iterator[Folded]:
    tree = view.tree
    if view.screen is None or view.stats is not None:
        return _each(tree)
    looks = (
        (name, (p.shape, p.dtype.name, p.trainable, p.scheme, tree.ties.get(name)))
        for name, p in tree.entries.items()
    )
    return fold_names(looks, tree.separator)


def _each(tree: ParameterTree) -> Iterator[Folded]:
    for name in tree.entries:
        yield Folded(escape(name), name, 1)


def _cells(view: View, folded: list[Folded]) -> tuple[list[str], list[list[str]]]:
    """The header and the rows. On a screen a tie stands with the name, to spare a wide column."""
    tree, stats = view.tree, view.stats
    sizes: dict[tuple[tuple[int, ...], str, int], list[str]] = {}
    rows = []
    for label, name, times in folded:
        p = tree.entries[name]
        key = (p.shape, p.dtype.name, times)
        if key not in sizes:
            count, nbytes = p.count * times, p.nbytes * times
            sizes[key] = [str(list(p.shape)), key[1], f"{count:,}", format_nbytes(nbytes)]
        note = format_note(tree, p)
        if view.screen is not None and name in tree.ties:
            label, note = f"{label} {note}", ""
        row = [label, *sizes[key], note, p.scheme or ""]
        if stats is not None:
            found = stats.get(tree.own_name(name))
            row += [format_number(getattr(found, key, None)) for key in MOMENTS]
            row += [format_number(getattr(found, key, 0) or None) for key in COUNTS]
        rows.append(row)
    return _used([*HEADER, *(STATS if stats is not None else ())], rows)


def _used(header: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Without columns that say nothing."""
    used = [
        i
        for i, name in enumerate(header)
        if name not in SHOWN_IF_USED or any(row[i] for row in rows)
    ]
    if len(used) == len(header):
        return header, rows
    return [header[i] for i in used], [[row[i] for i in used] for row in rows]
