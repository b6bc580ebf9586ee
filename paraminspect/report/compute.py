"""Reports of what a model computes: gradients beside their parameters, and steps of training.

Apart from the reports of trees, because computing needs NumPy and listing does without.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from paraminspect.compute import Gradients, Step
from paraminspect.errors import escape
from paraminspect.report._columns import aligned
from paraminspect.report._records import FORMATS, Records
from paraminspect.report._rows import format_number, strict
from paraminspect.report._screen import Screen
from paraminspect.tree import ParameterTree

MEASURES = ("norm", "mean", "max")
HEADER = ("name", "shape", *(f"grad {m}" for m in MEASURES), *(f"value {m}" for m in MEASURES))
HEADER_WITH_NOTE = (*HEADER, "note")
COLUMNS = ("name", "shape", "tied_to", *HEADER[2:], "note")
RIGHT = frozenset(HEADER[2:])
DROPPED_FIRST = ("value max", "value mean", "grad max", "grad mean", "value norm", "shape")
DROPPED_LAST = ("note", "grad norm")


@dataclass(frozen=True)
class GradientView:
    """What is reported of a backward pass."""

    tree: ParameterTree
    found: Gradients
    values: Mapping[str, np.ndarray[Any, Any]]
    loss: str
    by_use: bool


def measures(values: np.ndarray[Any, Any] | None) -> dict[str, float] | None:
    """Euclidean norm, mean, and the largest magnitude, computed in float64."""
    if values is None:
        return None
    wide = values.astype(np.float64).reshape(-1)
    largest = float(np.abs(wide).max()) if wide.size else 0.0
    mean = float(wide.mean()) if wide.size else 0.0
    return {"norm": float(np.sqrt(np.dot(wide, wide))), "mean": mean, "max": largest}


def _rows(view: GradientView) -> Iterator[tuple[str, np.ndarray[Any, Any] | None, str]]:
    """Name, gradient and note of each row: an array, or with `by_use` each of its names."""
    tree, found = view.tree, view.found
    for name in tree.entries:
        own = tree.own_name(name)
        if own not in found.total:
            continue  # a buffer
        uses = [n for n in tree.entries if tree.own_name(n) == own]
        note = f"sum of {len(uses)} uses" if len(uses) > 1 else ""
        if name == own:
            yield name, found.total[own], note
        elif not view.by_use:
            yield name, found.total[own], f"= {escape(own)}"
        if view.by_use and len(uses) > 1 and name == own:
            for use in uses:
                yield use, found.by_use[use], "one use"


def records(view: GradientView) -> Iterator[dict[str, Any]]:
    """What is known of each row, for programs; numbers that are not finite are strings."""
    for name, gradient, note in _rows(view):
        own = view.tree.own_name(name)
        yield {
            "name": name,
            "shape": list(view.tree.entries[name].shape),
            "tied_to": view.tree.ties.get(name),
            "grad": _strict(measures(gradient)),
            "value": _strict(measures(view.values[own])),
            "note": note,
        }


def _strict(found: dict[str, float] | None) -> dict[str, Any] | None:
    return None if found is None else {key: strict(value) for key, value in found.items()}


def _head(view: GradientView) -> dict[str, Any]:
    output = np.asarray(view.found.output)
    return {
        "source": view.tree.source.path,
        "output": {"shape": list(output.shape), "dtype": output.dtype.name},
        "loss": strict(view.found.loss),
        "loss_value": strict(view.found.loss),
        "loss_function": view.loss,
    }


def _as_table(view: GradientView, screen: Screen | None) -> Iterator[str]:
    """Output and loss, then a row per parameter; "none" where no path reaches it."""
    output = np.asarray(view.found.output)
    yield f"output  {list(output.shape)} {output.dtype}, norm {format_number(_norm(output))}"
    yield f"loss    {format_number(view.found.loss)} ({view.loss})"
    yield ""
    rows = []
    for name, gradient, note in _rows(view):
        shape = str(list(view.tree.entries[name].shape))
        numbers = [_cells(gradient), _cells(view.values[view.tree.own_name(name)])]
        rows.append([escape(name), shape, *numbers[0], *numbers[1], note])
    noted = any(row[-1] for row in rows)
    header = HEADER_WITH_NOTE if noted else HEADER
    rows = rows if noted else [row[:-1] for row in rows]
    yield from aligned(header, rows, screen, RIGHT, DROPPED_FIRST, DROPPED_LAST)


def _norm(values: np.ndarray[Any, Any]) -> float:
    found = measures(values)
    return found["norm"] if found else 0.0


def _cells(values: np.ndarray[Any, Any] | None) -> list[str]:
    found = measures(values)
    if found is None:
        return ["none", "", ""]
    return [format_number(found[key]) for key in MEASURES]


def rendered(style: str, view: GradientView, screen: Screen | None) -> Iterator[str]:
    """The gradients in a style, on a terminal or (without one) in full."""
    if style == "table":
        return _as_table(view, screen)
    return FORMATS[style](Records(records(view), COLUMNS, "parameters", _head(view)))


@dataclass(frozen=True)
class StepsView:
    """What is reported of a training: its steps as they are made, and whose arrays to show."""

    source: str
    loss: str
    steps: Iterable[Step]
    watched: Sequence[str]


STEP_COLUMNS = ("step", "loss", "name", "value", "grad")


def rendered_steps(style: str, view: StepsView) -> Iterator[str]:
    """The steps in a style, each as soon as it is made."""
    if style == "table":
        return _step_lines(view)
    rows = _step_rows(view) if style in ("csv", "tsv", "markdown", "names") else _step_records(view)
    head = {"source": view.source, "loss_function": view.loss}
    return FORMATS[style](Records(rows, STEP_COLUMNS, "steps", head))


def _step_records(view: StepsView) -> Iterator[dict[str, Any]]:
    """For each step its number, the loss before it, and the norms of every array."""
    for step in view.steps:
        yield {
            "step": step.number,
            "loss": strict(step.found.loss),
            "loss_function": view.loss,
            "parameters": {name: _norms(step, name) for name in view.watched},
        }


def _step_rows(view: StepsView) -> Iterator[dict[str, Any]]:
    """The same with a row for each array, as tables have it."""
    for record in _step_records(view):
        for name, norms in record["parameters"].items():
            yield {"step": record["step"], "loss": record["loss"], "name": name, **norms}


def _norms(step: Step, name: str) -> dict[str, Any]:
    gradient = step.found.total[name]
    grad = None if gradient is None else strict(_norm(gradient))
    return {"value": strict(_norm(step.values[name])), "grad": grad}


def _step_lines(view: StepsView) -> Iterator[str]:
    """For people: the loss of each step, then value and gradient norm of what is watched."""
    width = max(map(len, map(escape, view.watched)), default=0)
    for step in view.steps:
        yield f"step {step.number}  loss {format_number(step.found.loss)}"
        for name in view.watched:
            gradient = step.found.total[name]
            norm = "none" if gradient is None else format_number(_norm(gradient))
            value = format_number(_norm(step.values[name]))
            yield f"  {escape(name):{width}}  value {value:>10}  grad {norm:>10}"
