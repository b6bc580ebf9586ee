"""Reports of differences for people: what is gone, new and changed, the worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

from paraminspect.arrays import DType
from paraminspect.errors import counted, escape
from paraminspect.operations.diff import Change, Comparison, Difference, ValueDifference
from paraminspect.report._columns import Columns
from paraminspect.report._diff_records import Differences, present, totals
from paraminspect.report._fold import Folded, fold_names
from paraminspect.report._records import markdown
from paraminspect.report._rows import format_number
from paraminspect.report._screen import Screen

MARKS = {Change.MISSING: "-", Change.EXTRA: "+"}
CHANGED = "~"
COLORS = {"-": "\x1b[31m", "+": "\x1b[32m", "~": "\x1b[33m"}
PLAIN = "\x1b[0m"

RIGHT = ("differ", "max |d|", "max rel", "rms", "cosine")
DROPPED_FIRST = ("max rel", "cosine", "at", "rms")
DROPPED_LAST = ("left -> right", "differ", "max |d|")
"""Columns that a narrow terminal does without: before names are cut, and before two look alike."""

LEAST_CHANGE = 24
"""Columns of a narrow terminal that a change keeps; its end is cut off."""


def as_table(
    comparison: Comparison, differences: Differences, screen: Screen | None
) -> Iterator[str]:
    """`-` missing, `+` extra, `~` changed; then the values, and a line of totals."""
    structure = [d for d in differences if d.kind is not Change.VALUE]
    values = [d for d in differences if d.kind is Change.VALUE]
    for some, table in ((structure, _structure_table), (values, _value_table)):
        if some:
            yield from _painted(table(comparison, some, screen).drawn(screen).lines, screen)
            yield ""
    yield from summary(comparison, differences)


def _structure_table(
    comparison: Comparison, differences: Differences, screen: Screen | None
) -> Columns:
    names, leads, rests = [], [], []
    for d, lead, text in _folded(comparison, differences, screen):
        names.append(text)
        leads.append(f"{MARKS.get(d.kind, CHANGED)} {lead}")
        rests.append((str(d.kind), describe_change(comparison, d)))
    header = ("  name", "kind", "change")
    return Columns(header, names, rests, leads, (), (), ("change", "kind"), LEAST_CHANGE)


def _value_table(
    _comparison: Comparison, differences: Differences, screen: Screen | None
) -> Columns:
    measured = [(d.name, d.values) for d in differences if d.values]
    rests = [tuple(_value_cells(values, compact=screen is not None)) for _, values in measured]
    names, leads = [escape(name) for name, _ in measured], [f"{CHANGED} "] * len(measured)
    header = ("  name", *VALUE_COLUMNS)
    return Columns(header, names, rests, leads, RIGHT, DROPPED_FIRST, DROPPED_LAST)


def as_markdown(comparison: Comparison, differences: Differences) -> Iterator[str]:
    """A Markdown table."""
    rows = []
    for d in differences:
        cells = _value_cells(d.values) if d.values else [""] * len(VALUE_COLUMNS)
        change = describe_change(comparison, d)
        rows.append([MARKS.get(d.kind, CHANGED), escape(d.name), str(d.kind), change, *cells])
    yield markdown(["", "name", "kind", "change", *VALUE_COLUMNS], rows)


MANY = 10
"""A terminal gets one line for so many arrays that were cast from one dtype to another."""

METADATA_KEYS = 5
"""Keys of the metadata that a line names."""

VALUE_COLUMNS = ["differ", "max |d|", "max rel", "rms", "cosine", "at", "left -> right"]


def _value_cells(values: ValueDifference, *, compact: bool = False) -> list[str]:
    count = _compact(values.count) if compact else f"{values.count:,}"
    if values.differing is None or values.worst_index is None:
        return [f"bytes of {count}", *[""] * (len(VALUE_COLUMNS) - 1)]
    differing = _compact(values.differing) if compact else f"{values.differing:,}"
    return [
        f"all {count}" if values.differing == values.count else f"{differing} of {count}",
        format_number(values.max_abs),
        format_number(values.max_rel),
        format_number(values.rms),
        "" if values.cosine is None else f"{values.cosine:.6f}",
        str(list(values.worst_index)),
        _two_numbers(values.worst_left, values.worst_right),
    ]


def describe_change(comparison: Comparison, difference: Difference) -> str:
    """`[1024, 768] -> [512, 768]`, or the shape and dtype of what is on one side alone."""
    if difference.kind in MARKS:
        parameter = present(comparison, difference)
        return f"{list(parameter.shape)} {parameter.dtype}"
    if difference.kind is Change.VALUE:
        return ""
    sides = [_describe_side(difference, side) for side in (difference.left, difference.right)]
    return " -> ".join(sides)


def _describe_side(difference: Difference, side: object) -> str:
    if isinstance(side, tuple):
        return str(list(side))
    if isinstance(side, DType):
        return side.name
    return "its own values" if side == difference.name else f"= {escape(str(side))}"


def summary(comparison: Comparison, differences: Differences) -> Iterator[str]:
    """The line of totals, and what was not compared."""
    counts = totals(comparison, differences)
    compared, same = counts.pop("compared"), counts.pop("same")
    arrays = counted(compared, "array")
    if differences:
        kinds = ", ".join(f"{n:,} {kind}" for kind, n in counts.items() if n)
        both = f"{same:,} of {arrays} in both {'is' if same == 1 else 'are'} the same"
        yield f"{kinds}; {both if compared else 'no array is in both'}"
    else:
        yield f"the same: {arrays}"
    skipped = [str(kind) for kind in Change if kind in comparison.skipped]
    if skipped:
        yield f"not compared: {', '.join(skipped)}{_reason(comparison)}"
    if comparison.metadata:
        keys = ", ".join(escape(key) for key in comparison.metadata[:METADATA_KEYS])
        more = "" if len(comparison.metadata) <= METADATA_KEYS else ", ..."
        yield f"metadata differs (which counts as no difference): {keys}{more}"


def _reason(comparison: Comparison) -> str:
    if comparison.skipped == comparison.ignore:
        return ""
    definitions = [
        escape(tree.source.path)
        for tree in (comparison.left, comparison.right)
        if tree.source.format == "definition"
    ]
    return f" ({' and '.join(definitions)}: a definition has no values)"


def _folded(
    comparison: Comparison, differences: Differences, screen: Screen | None
) -> Iterator[tuple[Difference, str, str]]:
    """Each difference with what its line has before a name, and the name.

    On a terminal equal ones are one.
    """
    if screen is None:
        yield from ((d, "", escape(d.name)) for d in differences)
        return
    separator = comparison.left.architecture.separator
    for kind, group in groupby(differences, lambda d: d.kind):
        by_name = {d.name: d for d in group}
        looks = [(n, describe_change(comparison, d)) for n, d in by_name.items()]
        common = Counter(look for _, look in looks)
        casts = {look for look, n in common.items() if n >= MANY} if kind is Change.DTYPE else set()
        for look in casts:
            first = next(name for name, its in looks if its == look)
            yield by_name[first], "", counted(common[look], "name")
        looks = [(name, look) for name, look in looks if look not in casts]
        folds = fold_names(looks, separator) if kind is not Change.TIE else _each(by_name)
        yield from ((by_name[fold.name], fold.lead, fold.text) for fold in folds)


def _each(names: Iterable[str]) -> Iterator[Folded]:
    for name in names:
        yield Folded(escape(name), (name,))


def _painted(lines: Iterator[str], screen: Screen | None) -> Iterator[str]:
    if screen is None or not screen.colored:
        yield from lines
        return
    for line in lines:
        color = COLORS.get(line[:1])
        yield f"{color}{line}{PLAIN}" if color else line


def _compact(number: int) -> str:
    """`1.02M`."""
    power = min((len(str(number)) - 1) // 3, len(_UNITS) - 1)
    return f"{number / 1000**power:.3g}{_UNITS[power]}"


_UNITS = ("", "k", "M", "G", "T", "P")


def _two_numbers(left: complex | None, right: complex | None) -> str:
    """`0.125 -> 0.625`, with so many digits that the two look different."""
    for digits in (4, 6, 9, 17):
        texts = [v if isinstance(v, int) else f"{v:.{digits}g}" for v in (left, right)]
        if texts[0] != texts[1]:
            break
    return f"{texts[0]} -> {texts[1]}"
