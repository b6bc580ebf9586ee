"""The structure of a model with totals per module, as `du` has them for folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from paraminspect.errors import escape
from paraminspect.report._columns import aligned
from paraminspect.report._fold import fold_siblings
from paraminspect.report._records import Records
from paraminspect.report._rows import View, format_nbytes, format_note, format_totals, natural_key
from paraminspect.report._table import more
from paraminspect.tree import Module, ParameterTree


@dataclass(frozen=True, slots=True)
class Node:
    """A module with its sums, in which an array counts once, and those below it."""

    module: Module
    count: int
    nbytes: int
    arrays: int
    tied: frozenset[str]
    """Own names of the arrays in it that have another name somewhere."""
    look: int
    """Equal for modules that look alike: the same kinds, names, shapes, dtypes and ties."""
    below: dict[str, Node]

    @property
    def kind(self) -> str:
        """The class of the module, where it says more than that it is one."""
        return "" if self.module.kind == PLAIN else self.module.kind


PLAIN = "Module"
"""The class of a part of a definition that is a mapping of named children and nothing else."""


def outline(tree: ParameterTree) -> Node:
    """The structure with the sums of every module, each parameter visited once."""
    shared = {*tree.ties.values(), *_repeated(tree.structure)}
    return _node(tree, tree.structure, frozenset(shared), {})


def _repeated(root: Module) -> set[str]:
    """Names that stand in several modules: Keras and MXNet give a shared array one name."""
    seen: set[str] = set()
    again: set[str] = set()
    modules = [root]
    while modules:
        module = modules.pop()
        names = module.parameters.values()
        again.update(seen.intersection(names))
        seen.update(names)
        modules += module.children.values()
    return again


def _node(
    tree: ParameterTree, module: Module, shared: frozenset[str], looks: dict[object, int]
) -> Node:
    below = {name: _node(tree, m, shared, looks) for name, m in module.children.items()}
    count = sum(node.count for node in below.values())
    nbytes = sum(node.nbytes for node in below.values())
    arrays = sum(node.arrays for node in below.values())
    tied: set[str] = set()
    repeated: list[str] = []
    for node in below.values():
        repeated += tied & node.tied
        tied |= node.tied
    for full in module.parameters.values():
        own = tree.own_name(full)
        if own in tied:
            continue
        if own in shared:
            tied.add(own)
        p = tree.entries[full]
        count, nbytes, arrays = count + p.weights, nbytes + p.nbytes, arrays + 1
    count -= sum(tree.entries[own].weights for own in repeated)
    nbytes -= sum(tree.entries[own].nbytes for own in repeated)
    arrays -= len(repeated)
    look = looks.setdefault(_look(tree, module, below), len(looks))
    return Node(module, count, nbytes, arrays, frozenset(tied), look, below)


def _look(tree: ParameterTree, module: Module, below: dict[str, Node]) -> object:
    own = []
    for local, full in module.parameters.items():
        p = tree.entries[full]
        own.append((local, p.shape, p.dtype.name, p.codes, format_note(tree, p)))
    kind = str(module.layer) if module.layer else ""
    return kind, tuple(own), tuple((name, node.look) for name, node in below.items())


def children(node: Node, fold: bool) -> Iterator[tuple[str, Node, int]]:
    """`(label, node, times)`, runs of equal siblings as one where these fold."""
    siblings = ((name, child.look, child) for name, child in node.below.items())
    if fold:
        return ((label, alike[0], len(alike)) for label, alike in fold_siblings(siblings))
    return ((escape(name), child, 1) for name, _, child in siblings)


MODULE_HEADER = ("module", "layer", "arrays", "parameters", "bytes", "share")
MODULE_RIGHT = frozenset(MODULE_HEADER[2:])
MODULE_DROPPED = ("layer", "arrays"), ("share", "bytes", "parameters")


def as_modules(view: View) -> Iterator[str]:
    """Totals per module down to a depth. On a terminal equal siblings fold."""
    modules = _sorted_modules(view)
    total = view.tree.totals.nbytes
    rows, leads = [], []
    for path, times, node in modules[: view.limit or None]:
        nbytes = node.nbytes * times
        leads.append(f"{times} x " if times > 1 else "")
        sizes = [f"{node.arrays * times:,}", f"{node.count * times:,}", format_nbytes(nbytes)]
        share = f"{nbytes / total:.1%}" if total else ""
        rows.append([path or ".", node.kind, *sizes, share])
    header = list(MODULE_HEADER)
    if not any(row[1] for row in rows):
        header, rows = [header[0], *header[2:]], [[row[0], *row[2:]] for row in rows]
    yield from aligned(header, rows, view.screen, MODULE_RIGHT, *MODULE_DROPPED, leads)
    if len(rows) < len(modules):
        yield more(len(modules) - len(rows), len(modules))
    yield ""
    footer = format_totals(view.tree)
    yield footer if view.screen is None else view.screen.dim(footer)


def module_records(view: View) -> Records:
    """The same for programs: never folded, sizes in bytes."""
    rows = (
        {
            "name": path or ".",
            "layer": node.kind or None,
            "arrays": node.arrays,
            "count": node.count,
            "nbytes": node.nbytes,
        }
        for path, _, node in _sorted_modules(replace(view, screen=None))[: view.limit or None]
    )
    source = {"source": view.tree.source.path}
    totals = {"totals": asdict(view.tree.totals)}
    return Records(rows, ("name", "layer", "arrays", "count", "nbytes"), "modules", source, totals)


def _sorted_modules(view: View) -> list[_Row]:
    modules = list(_modules(view, outline(view.tree), "", 1, view.depth or 0))
    if view.order == "name":
        key = natural_key(view.tree.architecture.separator)
        modules.sort(key=lambda module: key(module.path))
    elif view.order == "size":
        modules.sort(key=lambda module: -module.node.nbytes * module.times)
    return modules


class _Row(NamedTuple):
    path: str
    times: int
    node: Node


def _modules(view: View, node: Node, path: str, times: int, depth: int) -> Iterator[_Row]:
    if node.arrays:
        yield _Row(path, times, node)
    if depth:
        for name, child, run in children(node, view.screen is not None):
            below = f"{path}{view.tree.architecture.separator}{name}" if path else name
            yield from _modules(view, child, below, times * run, depth - 1)
