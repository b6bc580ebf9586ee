"""Frameworks by name: our own, and those that installed packages offer."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from paraminspect.errors import DefinitionError, nearest
from paraminspect.frameworks._framework import Framework

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from paraminspect.compute import Computation
    from paraminspect.frameworks._modelling import Modelling
    from paraminspect.init.schemes import SchemeFunction

FRAMEWORKS = ("pytorch", "keras", "mxnet", "jax")
"""Our own, each a folder of this package whose module `_record` has the value `FRAMEWORK`."""

GROUP = "paraminspect.frameworks"
"""The entry-point group in which a package offers a `Framework` under its name."""


def load_framework(name: str) -> Framework:
    """The record of a framework; raises `DefinitionError` for a name that none has."""
    framework = _found(name)
    if framework is None:
        raise _unknown(name, [one.name for one in frameworks()])
    return framework


def load_modelling(name: str) -> tuple[Framework, Modelling]:
    """A framework that has layers, with what a definition of it is made of."""
    framework = _found(name)
    if framework is None or framework.modelling is None:
        raise _unknown(name, defined())
    return framework, framework.modelling()


def _found(name: str) -> Framework | None:
    if name in FRAMEWORKS:
        record: Framework = importlib.import_module(f"{GROUP}.{name}._record").FRAMEWORK
        return record
    return next((_loaded(point) for point in _installed() if point.name == name), None)


def _installed() -> Iterable[EntryPoint]:
    from importlib.metadata import entry_points  # which takes longer to import than all of this

    return entry_points(group=GROUP)


def _loaded(point: EntryPoint) -> Framework:
    """What a package offers; the package may be broken, which must be said of it by name."""
    try:
        record = point.load()
    except Exception as error:  # whatever the package raises
        raise DefinitionError(
            f"{point.name} of {GROUP}: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(record, Framework) or record.name != point.name:
        raise DefinitionError(f"{point.name} of {GROUP} is not a Framework of this name")
    return record


def frameworks() -> Iterator[Framework]:
    """Every framework: our own first."""
    installed = {point.name for point in _installed()} - {*FRAMEWORKS}
    return map(load_framework, [*FRAMEWORKS, *sorted(installed)])


def defined() -> list[str]:
    """The names of the frameworks of which definitions are."""
    return [framework.name for framework in frameworks() if framework.modelling is not None]


def _unknown(name: str, known: list[str]) -> DefinitionError:
    """The error of a name that no framework has, with the one that is meant."""
    meant = meant_by(name)
    hint = f", did you mean {meant!r}?" if meant in known else nearest(name, known)
    return DefinitionError(f"unknown framework {name!r}, expected one of {', '.join(known)}{hint}")


def meant_by(name: str) -> str:
    """The framework that has a name as another of its own, in any case; '' if none has."""
    return next((one.name for one in frameworks() if name.lower() in one.aliases), "")


def framework_of(name: str | None, metadata: Mapping[str, str]) -> str | None:
    """Whose a tree is: the framework that it names, else the one that has left its metadata."""
    if name is not None or not metadata:
        return name
    for framework in frameworks():
        if framework.metadata and framework.metadata.items() <= metadata.items():
            return framework.name
    return None


def load_computation(name: str) -> Computation | None:
    """What a framework computes, None where that is not known."""
    computation = load_framework(name).computation
    return None if computation is None else computation()


def load_words(name: str | None) -> Mapping[str, SchemeFunction]:
    """The names that a framework gives to schemes; none without a framework."""
    return {} if name is None else load_framework(name).words()


def foreign(name: str, here: Framework) -> str | None:
    """Whose a name is that `here` has no layer of, and what it is called here; None: nobody's."""
    others = {
        one.name: one.modelling()
        for one in frameworks()
        if one.modelling is not None and one.name != here.name
    }
    owners = {
        other: owner
        for other, owner in others.items()
        if name in owner.layers or name in owner.absent
    }
    if not owners or here.modelling is None:
        return None
    called = [n for owner in owners.values() if (n := _called(name, owner, here.modelling()))]
    ending = f"it is {' or '.join(called[0])}" if called else "there is none of this name"
    what = "layer" if any(name in owner.layers for owner in owners.values()) else "name"
    return f"{name} is a {what} of {' and '.join(owners)}: in {here.name} {ending}"


def _called(name: str, owner: Modelling, here: Modelling) -> tuple[str, ...]:
    layer = owner.layers.get(name)
    aliases = {name, *(other for other, one in owner.layers.items() if one is layer)}
    concepts = (c for c, names in owner.concepts.items() if aliases.intersection(names))
    return next((here.concepts[c] for c in concepts if c in here.concepts), ())
