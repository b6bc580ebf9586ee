"""Reports on initialization: what was drawn and how it came out, and what can be drawn."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from paraminspect.arrays import Array
from paraminspect.arrays.selection import Selection
from paraminspect.errors import escape
from paraminspect.frameworks import random_numbers
from paraminspect.init.plan import Completed, Drawing
from paraminspect.init.schemes import ALIASES, FAMILIES
from paraminspect.operations.stats import Stats, tree_stats
from paraminspect.report._columns import aligned
from paraminspect.report._records import FORMATS, Records
from paraminspect.report._rows import format_number, strict
from paraminspect.report._screen import USUAL_WIDTH, Screen
from paraminspect.tree import Parameter, ParameterTree
from paraminspect.tree.address import format_index

HEADER = ("name", "scheme", "fans", "theory", "mean", "std")
RIGHT = frozenset(("theory", "mean", "std"))
DROPPED = ("fans", "scheme"), ("theory", "mean", "std")

INDENT = "    "


COLUMNS = ("name", "index", "scheme", "fans", "theory mean", "theory std", "mean", "std")


def rendered(
    style: str, tree: ParameterTree, drawings: Sequence[Drawing], screen: Screen | None
) -> Iterator[str]:
    """For each drawing its scheme, fans, what theory says of a value, and what came out."""
    found = _measured(tree, drawings)
    if style == "table":
        rows = [_row(drawing, found[drawing.key]) for drawing in drawings]
        return aligned(HEADER, rows, screen, RIGHT, *DROPPED)
    records = (_record(drawing, found[drawing.key]) for drawing in drawings)
    return FORMATS[style](Records(records, COLUMNS, "drawings", {"source": tree.source.path}))


def _measured(tree: ParameterTree, drawings: Sequence[Drawing]) -> Mapping[str, Stats]:
    arrays = {drawing.key: _array(tree, drawing) for drawing in drawings}
    drawn = ParameterTree({key: Parameter(key, array) for key, array in arrays.items()})
    return tree_stats(drawn)


def _array(tree: ParameterTree, drawing: Drawing) -> Array:
    array: Array = tree.entries[drawing.name].data
    return array if drawing.index is None else Selection(array, drawing.index)


def _record(drawing: Drawing, stats: Stats) -> dict[str, Any]:
    moments = drawing.draw.distribution.mean_std
    return {
        "name": drawing.name,
        "index": None if drawing.index is None else format_index(drawing.index),
        "scheme": drawing.scheme,
        "fans": None if drawing.fans is None else list(drawing.fans),
        "theory": moments and {"mean": strict(moments[0]), "std": strict(moments[1])},
        "mean": strict(stats.mean),
        "std": strict(stats.std),
    }


def _row(drawing: Drawing, stats: Stats) -> tuple[str, ...]:
    index = "" if drawing.index is None else f"[{format_index(drawing.index)}]"
    fans = "" if drawing.fans is None else "{}, {}".format(*drawing.fans)
    moments = drawing.draw.distribution.mean_std
    theory = "" if moments is None else " ± ".join(map(format_number, moments))
    measured = (format_number(stats.mean), format_number(stats.std))
    return (escape(drawing.name) + index, escape(drawing.scheme), fans, theory, *measured)


def completion_lines(completed: Completed) -> Iterator[str]:
    """What is missing, unexpected, tied and of another shape, one name a line."""
    for name in completed.missing:
        yield f"MISSING     {name} {list(completed.tree.entries[name].shape)}: drawn"
    for name in completed.tied:
        yield f"TIED        {name} = {completed.tree.own_name(name)}: added"
    for name, found in completed.mismatched.items():
        wanted = completed.tree.entries[name].shape
        yield f"MISMATCH    {name} {list(found)}, the model has {list(wanted)}: drawn"
    for name in completed.unexpected:
        yield f"UNEXPECTED  {name} {list(completed.tree.entries[name].shape)}: kept"


NOTES = """
Writing schemes
    A bare name is a call without arguments, a bare number a constant. Arguments
    are numbers, strings and arithmetic with them (sqrt, exp, log, pi, ...).
    A list is done in turn: a scheme draws anew, an expression of x changes what
    there is, as in `set`: [uniform(-10, 10), x * (abs(x) >= 5)].
    @values.npy is the array in that file.
    A name means what it means in the framework of the random numbers, or of
    the model, with its arguments: in JAX kaiming_normal is cut at 2 std and
    normal(0.1) has that std; in Keras HeNormal(seed=3) is the seed of this one
    draw; in MXNet uniform(0.1) is U(-0.1, 0.1).
    A definition has the fans; for a checkpoint its layout gives them.
"""


def scheme_lines(installed: Iterable[str]) -> Iterator[str]:
    """Every scheme with its formula, defaults and source; then the generators."""
    for family, schemes in FAMILIES.items():
        yield f"{family}"
        for name, function in schemes.items():
            yield f"  {name}{_arguments(function)}"
            yield from _described(function.__doc__ or "")
            others = [alias for alias, own in ALIASES.items() if own == name]
            if others:
                yield f"{INDENT}Also: {', '.join(others)}."
        yield ""
    found = sorted(installed)
    if found:
        yield f"Installed\n  {', '.join(found)}\n"
    yield from NOTES.strip("\n").splitlines()
    yield "\nGenerators of random numbers"
    for name, numbers in random_numbers().items():
        also = f" (also: {', '.join(numbers.aliases)})" if numbers.aliases else ""
        yield f"  {name}{also}"
        yield from _wrapped(numbers.how)


def _arguments(function: object) -> str:
    parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
    return str(inspect.Signature(plain)) if plain else ""


def _described(doc: str) -> Iterator[str]:
    formula, _, source = doc.partition("\n")
    yield from _wrapped(formula)
    yield from _wrapped(" ".join(source.split()))


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, USUAL_WIDTH - 1, initial_indent=INDENT, subsequent_indent=INDENT + "  "
    )
