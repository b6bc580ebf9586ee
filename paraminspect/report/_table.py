"""The table of parameters, for a terminal, a pipe or a Markdown page."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from paraminspect.arrays import Shape
from paraminspect.errors import counted, escape
from paraminspect.report._columns import Columns
from paraminspect.report._fold import Folded, fold_names
from paraminspect.report._records import markdown
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
from paraminspect.report._screen import Screen
from paraminspect.tree import ParameterTree

HEADER = ("name", "shape", "dtype", "parameters", "bytes", "note", "scheme", "stored as")
SHOWN_IF_USED = frozenset(("note", "scheme", "stored as", *COUNTS))
"""Columns that are left out where no row has anything to say in them."""
RIGHT = frozenset(("parameters", "bytes", *STATS))

DROPPED_FIRST, DROPPED_LAST = ("bytes", "scheme"), ("dtype", "parameters", "shape")
STATS_DROPPED = (
    ("bytes", "parameters", "scheme", "shape"),
    ("dtype", "zeros", "std", "mean", "min", "max"),
)
"""What a narrow screen does without before it cuts names, and before two rows look the same."""

SHOWN_OTHERS = 5
SHOWN_CHARACTERS = 60
"""Of what is no parameter, and of a text in the metadata: JSON has all of both."""


def as_table(view: View) -> Iterator[str]:
    """Aligned columns and a footer with totals. On a terminal equal siblings fold."""
    screen, tree = view.screen, view.tree
    same = len({p.dtype.name for p in tree.entries.values()}) == 1
    rows, left = _rows(view)
    table = _columns(view, rows, same)
    if view.stats is not None and screen is not None and not _has_room(table, screen):
        table = _columns(view, _folded(view, rows), same)
    columns, lines = table.drawn(screen)
    yield from lines
    if left:
        yield more(left, len(tree) if view.stats else len(rows) + left)
    yield ""
    footer = format_totals(tree)
    if same and "dtype" not in columns:
        footer += f" {next(iter(tree.entries.values())).dtype}"
    footer += _found(view)
    for line in (footer, *_beside(view)):
        yield screen.dim(line) if screen else line


def _has_room(table: Columns, screen: Screen) -> bool:
    """Whether a row for each parameter can show all of its statistics."""
    return replace(table, dropped_last=()).fitted(screen) is not None


def _rows(view: View) -> tuple[list[Folded], int]:
    """The rows that are shown, and how many more there are.

    Statistics are of each parameter, as long as there is room for that.
    """
    every = view.screen is None or view.stats is not None or view.stored
    rows = list(_each(view.tree) if every else _folded(view, _each(view.tree)))
    shown = rows[: view.limit or None]
    return shown, len(rows) - len(shown)


def _each(tree: ParameterTree) -> Iterator[Folded]:
    return map(Folded, map(escape, tree.entries), zip(tree.entries))


def _folded(view: View, rows: Iterable[Folded]) -> list[Folded]:
    """The rows, one for siblings that are equal in what a row says, statistics aside."""
    tree, entries = view.tree, view.tree.entries
    looks = []
    for name in (row.name for row in rows):
        p = entries[name]
        is_measured = view.stats is not None and tree.own_name(name) in view.stats
        kind = (p.shape, p.dtype.name, p.scheme, p.codes)
        look = (*kind, format_note(tree, p), is_measured)
        looks.append((name, look))
    return list(fold_names(looks, tree.architecture.separator))


def _beside(view: View) -> Iterator[str]:
    """What the source holds beside the parameters."""
    tree = view.tree
    codes = (p.codes for name, p in tree.entries.items() if p.codes and name not in tree.ties)
    kinds = Counter(one.what for one in codes if one.weights)
    for what, times in kinds.items():
        of_codes = "; these statistics are of the codes" if view.stats is not None else ""
        yield f"quantized: {counted(times, 'weight')} by {escape(what)}{of_codes}"
    if tree.source.optimizer:
        way = view.spell("optimizer", True)
        yield f"{len(tree.source.optimizer):,} more of the optimizer; use {way}"
    if tree.source.others:
        some = [f"{escape(path)} ({escape(what)})" for path, what in tree.source.others.items()]
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


def _found(view: View) -> str:
    """What the statistics found that should not be there, and of what."""
    if view.stats is None:
        return ""
    nan, inf = (sum(getattr(s, key) for s in view.stats.values()) for key in ("nan", "inf"))
    shown = list(islice(view.tree.entries, view.limit or None))
    of = f"; of the {len(shown):,} shown: " if len(shown) < len(view.tree) else ", "
    unread = len({view.tree.own_name(name) for name in shown} - view.stats.keys())
    note = f" ({counted(unread, 'array')} not decoded)" if unread else ""
    return f"{of}{nan:,} NaN, {inf:,} Inf{note}"


def more(left: int, total: int) -> str:
    """The line that says that a limit has cut a report short."""
    return f"... {left:,} more of {total:,}"


def as_markdown(view: View) -> Iterator[str]:
    """A Markdown table and the totals."""
    view = replace(view, screen=None)  # the same wherever it is shown
    table = _columns(view, _rows(view)[0], same=False)
    rows = [(name, *rest) for name, rest in zip(table.names, table.rests, strict=True)]
    yield markdown(table.header, rows, RIGHT)
    yield ""
    yield format_totals(view.tree) + _found(view)
    yield from _beside(view)


def _columns(view: View, rows: Sequence[Folded], same: bool) -> Columns:
    """The rows as a table, equal ones made once; `same` tells that all have one dtype.

    On a screen a tie stands with the name, to spare a wide column.
    """
    tree = view.tree
    made: dict[object, tuple[str, ...]] = {}
    names, rests = [], []
    for row in rows:
        text, name, times = row.text, row.name, row.times
        p = tree.entries[name]
        note = format_note(tree, p)
        if note and view.screen is not None and name in tree.ties:
            text, note = f"{text} {note}", ""
        names.append(text)
        stored = escape(p.stored_path or p.name) if view.stored else ""
        known = (p.shape, p.dtype.name, p.weights, p.nbytes, times, note, p.scheme, stored)
        if known not in made:
            made[known] = _beside_name(*known)
        rests.append(made[known])
    header = list(HEADER)
    if view.stats is not None:
        header += STATS
        measured = (_statistics(view, row) for row in rows)
        rests = [(*rest, *more) for rest, more in zip(rests, measured, strict=True)]
    header, rests = _used(header, rests)
    first, last = (DROPPED_FIRST, DROPPED_LAST) if view.stats is None else STATS_DROPPED
    leads = [row.lead for row in rows]
    told_below = ["dtype"] if same else []
    return Columns(header, names, rests, leads, RIGHT, [*told_below, *first], last)


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
    header: list[str], rests: list[tuple[str, ...]]
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Without columns in which no row has anything to say."""
    distinct = set(rests)
    used = [
        i
        for i, name in enumerate(header[1:])
        if name not in SHOWN_IF_USED or any(rest[i] for rest in distinct)
    ]
    kept = {rest: tuple(rest[i] for i in used) for rest in distinct}
    return [header[0], *(header[i + 1] for i in used)], [kept[rest] for rest in rests]


def _statistics(view: View, row: Folded) -> tuple[str, ...]:
    """The cells below `STATS`: of all values of the row's parameters; empty where not decoded."""
    assert view.stats is not None
    each = [view.stats.get(own) for own in dict.fromkeys(map(view.tree.own_name, row.names))]
    known = [stats for stats in each if stats is not None]
    if len(known) < len(each):
        return ("",) * len(STATS)
    stats = functools.reduce(lambda one, other: one.merged(other), known)
    return tuple(_statistic(getattr(stats, key), key) for key in STATS)


def _statistic(value: float | None, key: str) -> str:
    """A moment, or a count that is not zero."""
    return format_number(value) if value or key in MOMENTS else ""
