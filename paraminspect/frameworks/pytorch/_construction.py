"""What constructing a PyTorch model draws, in order: layer by layer as they are constructed.

A shared layer draws once, where it is constructed; deep copies get the values of their original;
a lazy layer draws at its first forward, after all others. Rules of `init:` run at the end as
`for p in model.parameters(): ...` does, or below a module of `post_init` as soon as it is
constructed, as transformers' `post_init()` does, which makes ties only afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from paraminspect.frameworks._modelling import Construction
from paraminspect.tree import Module
from paraminspect.tree.layers import Built, Drawn, Spec


@dataclass
class _Array:
    """One array of one constructed layer; deep copies of the layer have it under several names.

    `turn` sorts by the order of construction. With `again` its last scheme is drawn only then.
    """

    spec: Spec
    turn: tuple[bool, int, int]
    names: list[str] = field(default_factory=list)
    again: int | None = None


def construct(construction: Construction) -> Sequence[Drawn]:
    """The draws of the constructors and of the rules."""
    arrays = sorted(_arrays(construction), key=lambda array: array.turn)
    turns: list[tuple[tuple[bool, int, int], list[str], Spec]] = []
    for array in arrays:
        schemes = (*array.spec.overwritten, array.spec.scheme)
        first = schemes if array.again is None else schemes[:-1]
        turns += [(array.turn, array.names, replace(array.spec, scheme=s)) for s in first]
    order = {name: i for i, (name, _, _) in enumerate(construction.arrays())}
    for array in arrays:
        if array.again is not None:
            again = array.again
            turns += [((False, again, order[n]), [n], array.spec) for n in array.names]
    turns.sort(key=lambda turn: turn[0])
    return list(_with_rules(construction, [(names, spec) for _, names, spec in turns]))


def _arrays(construction: Construction) -> list[_Array]:
    arrays: dict[tuple[int, str], _Array] = {}
    _visit(construction.built, construction.root, None, arrays)
    for array in arrays.values():
        array.names = [name for name in dict.fromkeys(array.names) if name in construction.owners]
    return list(arrays.values())


def _visit(
    built: Built, module: Module, again: int | None, arrays: dict[tuple[int, str], _Array]
) -> None:
    lazy = built.layer.kind.startswith("Lazy")
    if built.redrawn and again is None:
        again = built.layer.serial
    local_names = zip(built.parameters.items(), module.parameters.values(), strict=True)
    for (local, spec), name in local_names:
        owner, own_local = built.owner(local)
        turn = (lazy, len(arrays) if lazy else owner.serial, len(arrays))
        twice = again if len(spec.shape) > 1 else None
        key = (owner.serial, own_local)
        arrays.setdefault(key, _Array(spec, turn, again=twice)).names.append(name)
    for child, below in zip(built.children.values(), module.children.values(), strict=True):
        _visit(child, below, again, arrays)


def _with_rules(
    construction: Construction, turns: Sequence[tuple[list[str], Spec]]
) -> Iterator[Drawn]:
    """The constructors' draws, and those of the rules when their modules are constructed."""
    last = {name: i for i, (names, _) in enumerate(turns) for name in names}
    waiting = {n: spec for names, spec in turns for n in names if _rule(construction, n)}
    stages = {
        max(i for name, i in last.items() if name.startswith(f"{module}.")): f"{module}."
        for module in construction.post_init
    }
    for i, (names, spec) in enumerate(turns):
        kept = (construction.owners[name] for name in names)
        yield Drawn(tuple(name for name in kept if name), spec)
        if i in stages:
            below = [name for name in last if name in waiting and name.startswith(stages[i])]
            yield from _ruled(construction, {n: waiting.pop(n) for n in below})
    yield from _ruled(construction, waiting)


def _ruled(construction: Construction, waiting: dict[str, Spec]) -> Iterator[Drawn]:
    for name, _, _ in construction.arrays():
        owner = construction.owners[name]
        if name in waiting and (owner or construction.post_init):
            rule = _rule(construction, name)
            assert rule is not None
            yield Drawn((owner,) if owner else (), replace(waiting[name], scheme=rule))


def _rule(construction: Construction, name: str) -> str | None:
    return construction.rules.get(construction.owners[name] or name)
