"""Reports for people: aligned tables, the drawn tree, totals per module, Markdown."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from paraminspect.errors import escape
from paraminspect.report._fold import Folded, fold_modules, fold_parameters
from paraminspect.report._rows import (
    STATS,
    Screen,
    StatsByName,
    format_nbytes,
    format_note,
    format_shape,
    is_unicode,
)
from paraminspect.tree import Module, ParameterTree

GAP = "  "
LEAST_NAME = 16
"""Columns that a name keeps on a narrow terminal."""

RIGHT = frozenset(("parameters", "bytes", "arrays", "share", *STATS))
DROPPED_FIRST = ("scheme", "bytes", "dtype")
"""Columns that a narrow terminal does without, in this order."""


def as_table(
    tree: ParameterTree, stats: StatsByName | None, limit: int, screen: Screen | None
) -> Iterator[str]:
    """Aligned columns and a footer with totals."""
    header, rows = _table(tree, stats, limit, screen)
    yield from aligned(header, rows, screen)
    if limit and limit < len(tree.entries):
        yield f"... {len(tree.entries) - limit} more of {len(tree.entries)}; --limit 0 shows all"
    yield ""
    yield _footer(tree)


def as_markdown(
    tree: ParameterTree,
    stats: StatsByName | None,
    limit: int,
    screen: Screen | None,  # noqa: ARG001
) -> Iterator[str]:
    """A Markdown table."""
    from tabulate import tabulate

    header, rows = _table(tree, stats, limit, None)
    rows = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    align = ["right" if name in RIGHT else "left" for name in header]
    yield tabulate(rows, header, tablefmt="pipe", disable_numparse=True, colalign=align)


def _table(
    tree: ParameterTree, stats: StatsByName | None, limit: int, screen: Screen | None
) -> tuple[list[str], list[list[str]]]:
    """The header and the rows; a column that would be empty is left out."""
    folded = fold_parameters(tree) if screen and stats is None else _each(tree)
    header = ["name", "shape", "dtype", "parameters", "bytes", "note", "scheme"]
    header += STATS if stats is not None else ()
    rows = []
    for label, name, times in islice(folded, limit or None):
        p = tree.entries[name]
        row = [
            label,
            format_shape(p),
            p.dtype.name,
            f"{p.count * times:,}",
            format_nbytes(p.nbytes * times),
            format_note(tree, p),
            p.scheme or "",
        ]
        if stats is not None:
            found = stats[tree.own_name(name)]
            row += [_number(getattr(found, key)) for key in STATS]
        rows.append(row)
    used = [i for i in range(len(header)) if i < 5 or any(row[i] for row in rows)]
    return [header[i] for i in used], [[row[i] for i in used] for row in rows]


def _each(tree: ParameterTree) -> Iterator[Folded]:
    for name in tree.entries:
        yield Folded(escape(name), name, 1)


def _number(value: float | None) -> str:
    return "" if value is None else str(value) if isinstance(value, int) else f"{value:.4g}"


def _footer(tree: ParameterTree) -> str:
    totals = tree.totals
    tied = f", {totals.names - totals.arrays} tied" if totals.names > totals.arrays else ""
    trained = "" if totals.trainable is None else f" ({totals.trainable:,} trainable)"
    return (
        f"{totals.names:,} names{tied}, {totals.count:,} parameters{trained},"
        f" {format_nbytes(totals.nbytes)}"
    )


def aligned(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    screen: Screen | None,
    right: Collection[str] = RIGHT,
    dropped_first: Sequence[str] = DROPPED_FIRST,
) -> Iterator[str]:
    """Columns of equal width; those that a narrow screen has no room for are dropped in order."""
    columns = list(zip(header, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    shown = list(range(len(header)))
    if screen:
        for name in dropped_first:
            fixed = sum(widths[i] + len(GAP) for i in shown[1:])
            if name in header and fixed + LEAST_NAME + widths[0] // 2 > screen.width:
                shown.remove(header.index(name))
        room = screen.width - sum(widths[i] + len(GAP) for i in shown[1:])
        widths[0] = max(LEAST_NAME, min(widths[0], room))
    for line in (header, *rows):
        cells = []
        for i in shown:
            cell = _shorten(line[i], widths[0]) if i == 0 and screen else line[i]
            cells.append(cell.rjust(widths[i]) if header[i] in right else cell.ljust(widths[i]))
        text = GAP.join(cells).rstrip()
        yield text[: screen.width] if screen else text


def _shorten(text: str, width: int) -> str:
    """Cut the middle out: the ends of a name tell most."""
    if len(text) <= width:
        return text
    head = (width - 3) // 2
    return f"{text[:head]}...{text[len(text) - (width - 3 - head) :]}"


def as_tree(
    tree: ParameterTree,
    stats: StatsByName | None,  # noqa: ARG001
    limit: int,
    screen: Screen | None,
) -> Iterator[str]:
    """The nested structure, with totals per module; equal siblings fold on a terminal."""
    marks = ("├── ", "└── ", "│   ", "    ") if is_unicode() else ("|-- ", "`-- ", "|   ", "    ")
    lines = _tree_lines(tree, tree.structure, tree.source, "", marks, screen is not None)
    for line in islice(lines, limit or None):
        yield line if not screen else line[: screen.width]
    yield ""
    yield _footer(tree)


def _tree_lines(
    tree: ParameterTree,
    module: Module,
    label: str,
    indent: str,
    marks: tuple[str, ...],
    fold: bool,
) -> Iterator[str]:
    count, nbytes, _ = _module_totals(tree, module)
    sizes = f"  {count:,} ({format_nbytes(nbytes)})" if count else ""
    yield f"{escape(label)}  {_kind(module)}".rstrip() + sizes
    children = (
        fold_modules(tree, module) if fold else [(n, m, 1) for n, m in module.children.items()]
    )
    parts = list(module.parameters)
    last = len(parts) + len(children) - 1
    for i, local in enumerate(parts):
        p = tree.entries[module.parameters[local]]
        note = format_note(tree, p)
        text = f"{escape(local)}  {format_shape(p)} {p.dtype}" + (f"  {note}" if note else "")
        yield indent + marks[i == last] + text
    for i, (name, child, times) in enumerate(children, len(parts)):
        title = f"{times} x {name}" if times > 1 else name
        below = indent + marks[2 + (i == last)]
        lines = _tree_lines(tree, child, title, below, marks, fold)
        yield indent + marks[i == last] + next(lines)
        yield from lines


def _kind(module: Module) -> str:
    if module.layer is None:
        return ""
    return module.layer.kind if module.children else str(module.layer)


def _module_totals(tree: ParameterTree, module: Module) -> tuple[int, int, int]:
    """Elements, bytes and arrays of a module and all below it, each array once."""
    own = {tree.own_name(name) for name in _full_names(module)}
    parameters = [tree.entries[name] for name in own]
    return sum(p.count for p in parameters), sum(p.nbytes for p in parameters), len(parameters)


def _full_names(module: Module) -> Iterator[str]:
    yield from module.parameters.values()
    for child in module.children.values():
        yield from _full_names(child)


def module_table(tree: ParameterTree, depth: int) -> Iterator[str]:
    """Totals per module down to `depth`, as `du` gives them for folders."""
    total = tree.totals.nbytes
    rows = []
    for path, module in _modules(tree.structure, "", depth, tree.separator):
        count, nbytes, arrays = _module_totals(tree, module)
        if arrays:
            share = f"{nbytes / total:.1%}" if total else ""
            row = [escape(path) or ".", module.kind, f"{arrays:,}", f"{count:,}"]
            rows.append([*row, format_nbytes(nbytes), share])
    header = ["module", "layer", "arrays", "parameters", "bytes", "share"]
    yield from aligned(header, rows, None)
    yield ""
    yield _footer(tree)


def _modules(module: Module, path: str, depth: int, separator: str) -> Iterator[tuple[str, Module]]:
    yield path, module
    if depth:
        for name, child in module.children.items():
            below = f"{path}{separator}{name}" if path else name
            yield from _modules(child, below, depth - 1, separator)
