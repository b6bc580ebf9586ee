"""Folding: equal siblings that differ only in their number are shown once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from paraminspect.errors import escape
from paraminspect.tree import Module, Parameter, ParameterTree

_NUMBER = re.compile(r"\d+")


class Folded(NamedTuple):
    """A line that stands for `times` parameters, of which `name` is the first."""

    label: str
    name: str
    times: int


def fold_parameters(tree: ParameterTree) -> Iterator[Folded]:
    """The parameters of a tree, those of equal siblings as one."""
    return fold_names((name, _look_of(tree, name, p)) for name, p in tree.entries.items())


def _look_of(tree: ParameterTree, name: str, p: Parameter) -> object:
    return name if name in tree.ties else (p.shape, p.dtype, p.trainable, p.scheme)


def fold_names(looks: Iterable[tuple[str, object]]) -> Iterator[Folded]:
    """`12 x h.{0..11}.attn.bias` for names of one look that differ in their first number alone."""
    groups: dict[object, list[str]] = {}
    for name, look in looks:
        groups.setdefault((_form(name), look), []).append(name)
    for names in groups.values():
        numbers = [int(found[0]) for n in names if (found := _NUMBER.search(n))]
        if len(names) > 1 and numbers == list(range(numbers[0], numbers[0] + len(names))):
            span = f"{{{numbers[0]}..{numbers[-1]}}}"
            label = _NUMBER.sub(span, escape(names[0]), count=1)
            yield Folded(f"{len(names)} x {label}", names[0], len(names))
        else:
            yield from (Folded(escape(name), name, 1) for name in names)


def _form(name: str) -> str:
    form = _NUMBER.sub("#", name, count=1)
    # Bare numbers are positions in a Sequential: `0.weight` and `2.weight` are different layers.
    return name if form.startswith("#") else form


def fold_modules(tree: ParameterTree, module: Module) -> list[tuple[str, Module, int]]:
    """Children with runs of equal, numbered siblings as one: `({0..11}, the first, 12)`."""
    folded: list[tuple[str, Module, int]] = []
    run: list[str] = []
    look: object = None

    def close() -> None:
        if run:
            first, last = run[0], run[-1]
            label = first if len(run) == 1 else _span(first, last)
            folded.append((label, module.children[first], len(run)))
            run.clear()

    for name, child in module.children.items():
        mine = (_NUMBER.sub("#", name, count=1), _look(tree, child))
        if not (run and look == mine and name != mine[0]):
            close()
        run.append(name)
        look = mine
    close()
    return folded


def _span(first: str, last: str) -> str:
    """`({0..11})`-like label of a run; only numbered names fold."""
    low, high = _NUMBER.findall(first)[0], _NUMBER.findall(last)[0]
    return _NUMBER.sub(f"{{{low}..{high}}}", first, count=1)


def _look(tree: ParameterTree, module: Module) -> object:
    own = tuple(
        (local, tree.entries[full].shape, tree.entries[full].dtype)
        for local, full in module.parameters.items()
    )
    below = tuple((name, _look(tree, child)) for name, child in module.children.items())
    return (str(module.layer) if module.layer else ""), own, below
