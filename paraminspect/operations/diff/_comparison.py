"""Differences between two trees: names, shapes, dtypes, ties and values.

Everything that can be told from names and headers comes first; values are read block by block.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from numbers import Real
from typing import Any

from paraminspect.arrays import DType, Opaque, Shape, count_elements
from paraminspect.arrays.plausible import check_plausible
from paraminspect.errors import ArgumentError, DTypeError, brief
from paraminspect.operations.diff._numbers import Tolerance
from paraminspect.operations.diff._values import (
    Pair,
    ValueDifference,
    arrays_differ,
    comparable,
    compare_arrays,
)
from paraminspect.operations.fitting import is_definition, pair_under_one_naming, torn_ties
from paraminspect.runtime import Progress, unwatched
from paraminspect.tree import Parameter, ParameterTree, check_tree


class Change(StrEnum):
    """In what two trees can differ."""

    MISSING = "missing"
    """A name is only in LEFT."""
    EXTRA = "extra"
    """A name is only in RIGHT."""
    SHAPE = "shape"
    DTYPE = "dtype"
    TIE = "tie"
    VALUE = "value"


@dataclass(frozen=True)
class Difference:
    """One difference; `left` and `right` are the shapes, dtypes or own names that differ."""

    name: str
    kind: Change
    left: Shape | DType | str | None = None
    right: Shape | DType | str | None = None
    values: ValueDifference | None = None


def diff_trees(
    left: ParameterTree,
    right: ParameterTree,
    *,
    rtol: float = 0.0,
    atol: float = 0.0,
    nan_differs: bool = False,
    ignore: Change | str | Collection[Change | str] = (),
) -> Comparison:
    """The differences of two trees: a record that is true if there are any.

        >>> import paraminspect as pi
        >>> import numpy as np
        >>> one = pi.ParameterTree({"w": pi.Parameter("w", np.zeros(3))})
        >>> two = pi.set(one, {"w[0]": 5})
        >>> found = pi.diff(one, two)
        >>> bool(found), found.same, len(found), [(d.name, str(d.kind)) for d in found]
        (True, False, 1, [('w', 'value')])

    Numbers are equal if `|left - right| <= atol + rtol * |right|`, as in `numpy.isclose`; NaN
    equals NaN unless `nan_differs`. `ignore` names kinds of differences that do not count. Raises
    `ArgumentError` for arguments of another kind; iterating reads values, and raises what a reader
    of the files raises, `CheckpointError`.

    A definition has no values: against one, names, shapes and dtypes are compared, the names as
    the definition tells them (see `fitting`). A declared tie differs only if the checkpoint holds
    two arrays whose values differ.
    """
    check_tree(left)
    check_tree(right)
    tolerance = Tolerance(_from_zero("rtol", rtol), _from_zero("atol", atol), nan_differs)
    left, right = pair_under_one_naming(left, right)
    return Comparison(
        left,
        right,
        tolerance,
        frozenset(map(_change, [ignore] if isinstance(ignore, str) else ignore)),
    )


def _from_zero(name: str, value: Any) -> float:
    if not (isinstance(value, Real) and float(value) >= 0):
        raise ArgumentError(f"{name} must be a number from 0 on, got {brief(value)}")
    return float(value)


def _change(kind: Any) -> Change:
    if kind not in list(Change):
        raise ArgumentError(f"ignore: expected some of {', '.join(Change)}, got {brief(kind)}")
    return Change(kind)


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """A comparison of two trees: iterate for its differences, in the order of the left tree.

    It is true, and not `same`, if the trees differ: this reads values up to the first difference.
    Iterating finds all of them, `len` is their number; what was found once is kept.
    """

    left: ParameterTree
    right: ParameterTree
    tolerance: Tolerance
    ignore: frozenset[Change]

    @cached_property
    def arrays(self) -> dict[str, tuple[Parameter, Parameter]]:
        """Pairs of parameters by name: of the names in both, those of a tied array once."""
        seen = set()
        pairs = {}
        left_ties, right_ties = self.left.ties, self.right.ties
        for name, parameter in self.left.entries.items():
            other = self.right.entries.get(name)
            own = left_ties.get(name, name), right_ties.get(name, name)
            if other is not None and own not in seen:
                seen.add(own)
                pairs[name] = parameter, other
        return pairs

    @property
    def against_definition(self) -> bool:
        """Whether one side, and only one, is a definition."""
        return is_definition(self.left) != is_definition(self.right)

    @cached_property
    def skipped(self) -> frozenset[Change]:
        """What is not compared: it is ignored, or a definition does not tell it."""
        if is_definition(self.left) or is_definition(self.right):
            return self.ignore | {Change.VALUE}
        return self.ignore

    @property
    def metadata(self) -> list[str]:
        """Keys of the metadata whose values differ: told, and no difference of the parameters."""
        if self.against_definition:
            return []
        one, two = (_metadata(tree) for tree in (self.left, self.right))
        return sorted(key for key in one.keys() | two if one.get(key) != two.get(key))

    @property
    def nbytes(self) -> int:
        """Bytes of the values that are compared, of both sides together."""
        return sum(
            array.dtype.nbytes(count_elements(array.shape))
            for pair in self._comparable.values()
            for array in pair
        )

    def __iter__(self) -> Iterator[Difference]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __bool__(self) -> bool:
        return self.differs

    def __repr__(self) -> str:
        return f"Comparison({self.left.source.path!r}, {self.right.source.path!r})"

    @cached_property
    def found(self) -> tuple[Difference, ...]:
        """All differences."""
        return tuple(self.differences())

    @property
    def same(self) -> bool:
        """Whether there is no difference."""
        return not self.differs

    def differences(self, progress: Progress = unwatched) -> Iterator[Difference]:
        """Each difference when it is found; `progress` is told of bytes as they are done."""
        yield from self._structure()
        names = list(self._comparable)
        found = compare_arrays(list(self._comparable.values()), self.tolerance, progress)
        for name, values in zip(names, found, strict=True):
            if values is not None:
                yield Difference(name, Change.VALUE, values=values)

    @cached_property
    def differs(self) -> bool:
        """Whether there is any difference; reading stops soon after the first."""
        if "found" in vars(self):
            return bool(self.found)
        if next(self._structure(), None) is not None:
            return True
        return arrays_differ(list(self._comparable.values()), self.tolerance)

    @cached_property
    def _comparable(self) -> dict[str, Pair]:
        if Change.VALUE in self.skipped:
            return {}
        pairs = {}
        for name, (one, two) in self.arrays.items():
            if one.shape != two.shape:
                continue
            _check_readable(one)
            _check_readable(two)
            if comparable(one.data, two.data):
                pairs[name] = one.data, two.data
            elif Change.DTYPE in self.skipped:
                raise DTypeError(
                    f"{name!r}: {one.dtype} and {two.dtype} cannot be compared by value"
                )
        return pairs

    def _structure(self) -> Iterator[Difference]:
        for difference in self._all_structure():
            if difference.kind not in self.skipped:
                yield difference

    def _all_structure(self) -> Iterator[Difference]:
        left, right = self.left.entries, self.right.entries
        for name in left:
            if name not in right:
                yield Difference(name, Change.MISSING)
        for name in right:
            if name not in left:
                yield Difference(name, Change.EXTRA)
        for name, (one, two) in self.arrays.items():
            if one.shape != two.shape:
                yield Difference(name, Change.SHAPE, one.shape, two.shape)
            if one.dtype != two.dtype:
                yield Difference(name, Change.DTYPE, one.dtype, two.dtype)
        yield from self._ties()

    def _ties(self) -> Iterator[Difference]:
        """Names that are tied otherwise, whichever of the tied names the array is stored under."""
        if not (self.left.ties or self.right.ties):
            return
        if self.against_definition:
            yield from self._torn_ties()
            return
        common = self.left.entries.keys() & self.right.entries.keys()
        one, two = _groups(self.left, common), _groups(self.right, common)
        for name in self.left.entries:
            if name in common and one[name] != two[name]:
                owners = _owner(self.left, one[name], name), _owner(self.right, two[name], name)
                if owners[0] != owners[1]:
                    yield Difference(name, Change.TIE, *owners)

    def _torn_ties(self) -> Iterator[Difference]:
        """Loading unties what only the checkpoint ties, and cannot hold two arrays in one."""
        if Change.TIE in self.skipped:
            return
        if is_definition(self.left):
            for alias, own in torn_ties(self.left, self.right):
                yield Difference(alias, Change.TIE, own, alias)
        else:
            for alias, own in torn_ties(self.right, self.left):
                yield Difference(alias, Change.TIE, alias, own)


def _check_readable(parameter: Parameter) -> None:
    data = parameter.data
    if isinstance(data, Opaque) and data.packed_bytes is None:
        raise DTypeError(f"{parameter.name!r}: values of the type {data.dtype} {data.why}").unless(
            exclude=parameter.name
        )
    check_plausible(parameter.name, data, parameter.nbytes)


def _metadata(tree: ParameterTree) -> dict[str, str]:
    """The metadata without the ties that it records: these are compared as ties."""
    return {key: value for key, value in tree.metadata.items() if key not in tree.ties}


def _groups(tree: ParameterTree, common: Collection[str]) -> dict[str, frozenset[str]]:
    """For each name the names of its array that are in `common`."""
    members: dict[str, set[str]] = {}
    for name in tree.entries:
        if name in common:
            members.setdefault(tree.own_name(name), set()).add(name)
    frozen = {own: frozenset(names) for own, names in members.items()}
    return {name: frozen[tree.own_name(name)] for name in tree.entries if name in common}


def _owner(tree: ParameterTree, group: frozenset[str], name: str) -> str:
    own = tree.own_name(name)
    return own if own in group else next(n for n in tree.entries if n in group)
