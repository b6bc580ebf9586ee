"""The table of parameters, for a terminal, a pipe or a Markdown page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, repeat
from typing import TYPE_CHECKING

from paraminspect.arrays import Shape
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
from paraminspect.report._screen import aligned_rests
from paraminspect.tree import ParameterTree
from paraminspect.wording import counted

if TYPE_CHECKING:
    from paraminspect.stats import Stats

HEADER = ("name", "shape", "dtype", "parameters", "bytes", "note", "scheme", "stored as")
SHOWN_IF_USED = frozenset(("note", "scheme", "stored as", *COUNTS))
"""Columns that are left out where no row has anything to say in them."""
RIGHT = frozenset(("parameters", "bytes", *STATS))

SHOWN_OTHERS = 5
SHOWN_CHARACTERS = 60
"""Of what is no parameter, and of a text in the metadata: JSON has all of both."""


def as_table(view: View) -> Iterator[str]:
    """Aligned columns and a footer with totals. On a terminal equal siblings fold."""
    screen, tree = view.screen, view.tree
    folded = list(_lines(view))
    rows = folded[: view.limit or None]
    same = len({p.dtype.name for p in tree.entries.values()}) == 1
    lines = aligned_rests(*_cells(view, rows), screen, RIGHT, _dropped_first(view, same))
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
    for line in (footer, *_beside(view)):
        yield screen.dim(line) if screen else line


def _beside(view: View) -> Iterator[str]:
    """What the source holds beside the parameters."""
    tree = view.tree
    kinds = Counter(p.codes.what for p in tree.parameters() if p.codes and p.codes.weights)
    for what, times in kinds.items():
        of_codes = "; these statistics are of the codes" if view.stats is not None else ""
        yield f"quantized: {counted(times, 'weight')} by {escape(what)}{of_codes}"
    if tree.optimizer:
        yield f"{len(tree.optimizer):,} more of the optimizer; --optimizer lists them"
    if tree.others:
        some = [f"{escape(path)} ({escape(what)})" for path, what in tree.others.items()]
        rest = f", and {len(some) - SHOWN_OTHERS:,} more" if len(some) > SHOWN_OTHERS else ""
        yield f"not parameters: {', '.join(some[:SHOWN_OTHERS])}{rest}"
    if view.metadata:
        yield from _metadata(tree)


def _metadata(tree: ParameterTree) -> Iterator[str]:
    """What the file says of itself, long texts cut short."""
    for key, value in tree.metadata.items():
        text = escape(value[:SHOWN_CHARACTERS])
        more_ = f"... ({len(value):,} characters)" if len(value) > SHOWN_CHARACTERS else ""
        yield f"{escape(key)}: {text}{more_}"
    if not tree.metadata:
        yield "no metadata"


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

    view = replace(view, screen=None)  # the same wherever it is shown
    header, names, rests = _cells(view, list(islice(_each(view.tree), view.limit or None)))
    rows = [
        [cell.replace("|", "\\|") for cell in (name, *rest)]
        for name, rest in zip(names, rests, strict=True)
    ]
    align = ["right" if name in RIGHT else "left" for name in header]
    yield tabulate(rows, header, tablefmt="pipe", disable_numparse=True, colalign=align)
    yield ""
    yield format_totals(view.tree)
    yield from _beside(view)


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
    return map(Folded, map(escape, tree.entries), tree.entries, repeat(1))


def _cells(
    view: View, folded: Sequence[Folded]
) -> tuple[list[str], list[str], list[tuple[str, ...]]]:
    """The header, the names, and the rest of each row, equal ones made once.

    On a screen a tie stands with the name, to spare a wide column.
    """
    tree = view.tree
    made: dict[object, tuple[str, ...]] = {}
    names, rests = [], []
    for label, name, times in folded:
        p = tree.entries[name]
        note = format_note(tree, p)
        if note and view.screen is not None and name in tree.ties:
            label, note = f"{label} {note}", ""
        names.append(label)
        stored = escape(p.stored_path or p.name) if view.stored else ""
        known = (p.shape, p.dtype.name, p.weights, p.nbytes, times, note, p.scheme, stored)
        if known not in made:
            made[known] = _beside_name(*known)
        rests.append(made[known])
    header = list(HEADER)
    if view.stats is not None:
        header += STATS
        found = [view.stats.get(tree.own_name(fold.name)) for fold in folded]
        measured = [tuple(_statistic(stats, key) for key in STATS) for stats in found]
        rests = [(*rest, *more) for rest, more in zip(rests, measured, strict=True)]
    return _used(header, names, rests)


def _beside_name(
    shape: Shape,
    dtype: str,
    count: int,
    nbytes: int,
    times: int,
    note: str,
    scheme: str | None,
    stored: str,
) -> tuple[str, ...]:
    """The cells below `HEADER`, without the name, of a row for `times` parameters."""
    sizes = f"{count * times:,}", format_nbytes(nbytes * times)
    return str(list(shape)), dtype, *sizes, note, scheme or "", stored


def _used(
    header: list[str], names: list[str], rests: list[tuple[str, ...]]
) -> tuple[list[str], list[str], list[tuple[str, ...]]]:
    """Without columns in which no row has anything to say."""
    distinct = set(rests)
    used = [
        i
        for i, name in enumerate(header[1:])
        if name not in SHOWN_IF_USED or any(rest[i] for rest in distinct)
    ]
    kept = {rest: tuple(rest[i] for i in used) for rest in distinct}
    return [header[0], *(header[i + 1] for i in used)], names, [kept[rest] for rest in rests]


def _statistic(stats: Stats | None, key: str) -> str:
    """A moment, or a count that is not zero; nothing for values that are not decoded."""
    value = getattr(stats, key, None)
    return format_number(value) if value or key in MOMENTS else ""
