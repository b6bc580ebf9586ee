"""What changed per module, with a bar for how much."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from paraminspect.errors import escape
from paraminspect.operations.diff import Change, Comparison
from paraminspect.report._columns import aligned
from paraminspect.report._diff_records import Differences, totals
from paraminspect.report._diff_text import MARKS, summary
from paraminspect.report._records import FORMATS, Records
from paraminspect.report._rows import format_number, strict
from paraminspect.report._screen import Screen, is_unicode
from paraminspect.tree import ParameterTree

BAR_LENGTH = 24
HEADER = ("module", "arrays", "rms change", "")
RIGHT = ("rms change",)
DROPPED = ("",), ("arrays", "rms change")
"""What a narrow screen does without: the bar first."""


@dataclass
class _ModuleChange:
    arrays: int = 0
    changed: int = 0
    missing: int = 0
    extra: int = 0
    squares: float = 0.0
    count: int = 0

    @property
    def rms(self) -> float:
        """Of all value differences in the module, over the arrays that differ."""
        return math.sqrt(self.squares / self.count) if self.count else 0.0

    @property
    def badness(self) -> float:
        """Sorts NaN as the worst."""
        return math.inf if math.isnan(self.rms) else self.rms


COLUMNS = ("name", "arrays", "changed", "missing", "extra", "rms")


def rendered_stat(
    style: str,
    comparison: Comparison,
    differences: Differences,
    screen: Screen | None,
    depth: int | None,
    *,
    worst_first: bool,
) -> Iterator[str]:
    """What changed per module.

    Modules are `depth` names deep, or the very ones that hold the parameters.
    """
    modules = _modules(comparison, differences, depth)
    if worst_first:
        modules = dict(sorted(modules.items(), key=lambda item: -item[1].badness))
    if style == "table":
        return _as_table(comparison, differences, modules, screen)
    rows = (_record(name, module) for name, module in modules.items())
    head = {"left": comparison.left.source.path, "right": comparison.right.source.path}
    tail = {"totals": totals(comparison, differences)}
    return FORMATS[style](Records(rows, COLUMNS, "modules", head, tail))


def _record(name: str, module: _ModuleChange) -> dict[str, Any]:
    counts = {key: getattr(module, key) for key in COLUMNS[1:-1]}
    return {"name": name or ".", **counts, "rms": strict(module.rms) if module.count else None}


def _as_table(
    comparison: Comparison,
    differences: Differences,
    modules: Mapping[str, _ModuleChange],
    screen: Screen | None,
) -> Iterator[str]:
    """A line per module, with a bar for the root mean square of its changes."""
    largest = max((m.rms for m in modules.values() if math.isfinite(m.rms)), default=0.0)
    mark = "█" if is_unicode() else "#"
    rows = []
    for name, module in modules.items():
        parts = [("~", module.changed), ("-", module.missing), ("+", module.extra)]
        changes = " ".join(f"{sign}{n:,}" for sign, n in parts if n)
        bar = mark * _length(module.rms, largest)
        arrays = f"{changes} of {module.arrays:,}"
        rows.append([escape(name) or ".", arrays, format_number(module.rms or None), bar])
    if rows:
        yield from aligned(HEADER, rows, screen, RIGHT, *DROPPED)
        yield ""
    yield from summary(comparison, differences)


def _length(rms: float, largest: float) -> int:
    if not math.isfinite(rms):
        return BAR_LENGTH
    return max(round(BAR_LENGTH * rms / largest), 1) if rms else 0


def _modules(
    comparison: Comparison, differences: Differences, depth: int | None
) -> dict[str, _ModuleChange]:
    """The modules with a difference, in the order of the differences."""
    modules: dict[str, _ModuleChange] = {}
    seen: set[str] = set()
    for d in differences:
        tree = comparison.left if d.name in comparison.left.entries else comparison.right
        module = modules.setdefault(_module_of(tree, d.name, depth), _ModuleChange())
        if d.name not in seen:
            seen.add(d.name)
            module.missing += d.kind is Change.MISSING
            module.extra += d.kind is Change.EXTRA
            module.changed += d.kind not in MARKS
        if d.values and d.values.rms is not None:
            module.squares += d.values.rms**2 * d.values.count
            module.count += d.values.count
    for tree in (comparison.right, comparison.left):
        for name in tree.entries:
            if tree is comparison.left or name not in comparison.left.entries:
                module = modules.get(_module_of(tree, name, depth), _ModuleChange())
                module.arrays += 1
    return modules


def _module_of(tree: ParameterTree, name: str, depth: int | None) -> str:
    path = name.split(tree.architecture.separator)[:-1]
    return tree.architecture.separator.join(path[:depth])
