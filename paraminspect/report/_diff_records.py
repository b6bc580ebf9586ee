"""Reports of differences for programs: the records of a comparison, complete and never cut."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from paraminspect.arrays import DType
from paraminspect.operations.diff import Change, Comparison, Difference
from paraminspect.report._records import Records
from paraminspect.report._rows import natural_key, strict
from paraminspect.tree import Parameter

Differences = Sequence[Difference]

VALUE_KEYS = ("differing", "count", "max_abs", "max_rel", "rms", "cosine", "worst_index")
MORE_KEYS = ("worst_left", "worst_right", "shape", "dtype")


def sort_differences(
    comparison: Comparison, differences: Iterable[Difference], order: str
) -> list[Difference]:
    """Differences by `change` (structure first, then the worst), `name`, or `definition`."""
    found = list(differences)
    if order == "definition":
        names = [*comparison.left.entries, *comparison.right.entries]
        place = {name: i for i, name in reversed(list(enumerate(names)))}
        return sorted(found, key=lambda d: place[d.name])
    key = natural_key(comparison.left.architecture.separator)
    found.sort(key=lambda d: key(d.name))
    if order == "change":
        kinds = list(Change)
        found.sort(key=lambda d: (kinds.index(d.kind), _mildness(d)))
    return found


def _mildness(difference: Difference) -> tuple[bool, float]:
    """Sorts the worst first: what is not known, NaN, infinite, large."""
    values = difference.values
    worst = values.max_abs if values else None
    unknown = worst is None or math.isnan(worst)
    return not unknown, 0.0 if unknown or worst is None else -worst


def present(comparison: Comparison, difference: Difference) -> Parameter:
    """The parameter of a difference, of the left tree unless it is only in the right one."""
    name = difference.name
    side = comparison.left if name in comparison.left.entries else comparison.right
    return side.entries[name]


def difference_record(comparison: Comparison, difference: Difference) -> dict[str, Any]:
    """All that is known of a difference, by the keys of the JSON contract."""
    record: dict[str, Any] = {
        "name": difference.name,
        "kind": str(difference.kind),
        "left": _plain(difference.left),
        "right": _plain(difference.right),
    }
    for key in (*VALUE_KEYS, *MORE_KEYS[:2]):
        record[key] = difference.values and _plain(getattr(difference.values, key))
    parameter = present(comparison, difference)
    record["shape"] = None if difference.kind is Change.SHAPE else list(parameter.shape)
    record["dtype"] = None if difference.kind is Change.DTYPE else parameter.dtype.name
    return record


def _plain(value: Any) -> Any:
    """A value that strict JSON can hold; a complex number is a list of its two parts."""
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, DType):
        return value.name
    if isinstance(value, complex):
        return [strict(value.real), strict(value.imag)]
    return strict(value) if isinstance(value, float) else value


def totals(comparison: Comparison, differences: Differences) -> dict[str, int]:
    """Arrays compared and the same, and the number of differences of each kind."""
    kinds = Counter(difference.kind for difference in differences)
    unlike = {d.name for d in differences} & comparison.arrays.keys()
    compared = len(comparison.arrays)
    counts = {str(kind): kinds[kind] for kind in Change}
    return {"compared": compared, "same": compared - len(unlike), **counts}


def records_of(comparison: Comparison, differences: Differences) -> Records:
    """The differences for programs, with what the JSON contract has around them."""
    return Records(
        (difference_record(comparison, difference) for difference in differences),
        ("name", "kind", "left", "right", *VALUE_KEYS, *MORE_KEYS),
        "differences",
        {
            "left": comparison.left.source.path,
            "right": comparison.right.source.path,
            "same": not differences,
            "not_compared": sorted(comparison.skipped),
            "metadata_differs": comparison.metadata,
        },
        {"totals": totals(comparison, differences)},
    )
