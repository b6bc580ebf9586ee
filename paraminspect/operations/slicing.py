"""Slices of a tree: what addresses point to, named, and read when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from paraminspect.arrays import Array, DType, Unset, count_elements
from paraminspect.arrays.packed import unpacked
from paraminspect.arrays.plausible import check_plausible
from paraminspect.arrays.selection import Selection
from paraminspect.errors import AddressError, DTypeError, UnsetError
from paraminspect.operations.tying import untie
from paraminspect.tree import Parameter, ParameterTree, check_tree
from paraminspect.tree.address import format_index


@dataclass(frozen=True)
class Slice:
    """The part of a parameter that an index selects."""

    name: str
    index: str | None
    """As it is typed, without the brackets; None for the whole parameter."""
    data: Array
    """Its values; of a packed type that nobody can decode, the bytes as uint8."""
    dtype: DType
    """The type of the elements in the file."""
    note: str = ""
    """What a reader of the values has to know."""

    @property
    def title(self) -> str:
        """`NAME[INDEX]`."""
        return self.name if self.index is None else f"{self.name}[{self.index}]"


def slice_tree(tree: ParameterTree, addresses: str | Sequence[str]) -> list[Slice]:
    """The slices at an address, or at several, in their order, a pattern's in that of the tree.

        >>> import numpy as np
        >>> import paraminspect as pi
        >>> tree = pi.ParameterTree({"w": np.arange(6).reshape(2, 3)})
        >>> [(s.title, s.data[...]) for s in pi.slice(tree, "w[1]")]
        [('w[1]', array([3, 4, 5]))]

    Only what is selected is read, and only when it is asked for. Raises `AddressError` for an
    address that matches nothing, points outside a shape or selects no element, `UnsetError` for a
    parameter without values.
    """
    check_tree(tree)
    slices = []
    for text in [addresses] if isinstance(addresses, str) else addresses:
        address = tree.address(text)
        index = None if address.index is None else format_index(address.index)
        for name in tree.matching(address) if address.index is None else tree.places(address):
            parameter = tree.entries[name]
            data, note = _readable(tree, parameter)
            if address.index is not None:
                if data.shape != parameter.shape:
                    raise DTypeError(
                        f"{name!r}: elements of {parameter.dtype} cannot be told apart in its"
                        " bytes: slice it without an index"
                    )
                data = Selection(data, address.index)
            nbytes = data.dtype.nbytes(count_elements(data.shape))
            check_plausible(name, parameter.data, nbytes)
            slices.append(Slice(name, index, data, parameter.dtype, note))
    return slices


def tree_of_slices(tree: ParameterTree, slices: Sequence[Slice]) -> ParameterTree:
    """A tree of the slices alone, each under the name of its parameter, with what the tree knows.

    Names that are tied stay so if both are sliced alike. Raises `AddressError` for two slices of
    one parameter.
    """
    by_name: dict[str, Slice] = {}
    for slice_ in slices:
        if slice_.name in by_name:
            pair = f"{by_name[slice_.name].title} and {slice_.title}"
            raise AddressError(f"{pair} would have one name, {slice_.name!r}: write two files")
        by_name[slice_.name] = slice_
    kept = tree.subset(by_name)
    for alias, own in list(kept.ties.items()):
        if by_name[alias].index != by_name[own].index:
            kept = untie(kept, alias)
    return kept.replace(
        replace(parameter, data=by_name[parameter.name].data)
        for parameter in kept.parameters()
        if by_name[parameter.name].index is not None
    )


def _readable(tree: ParameterTree, parameter: Parameter) -> tuple[Array, str]:
    if isinstance(parameter.data, Unset):
        raise UnsetError(
            f"{tree.source.path}: {parameter.name!r} has no values: it is a definition;"
            " draw them with `init`, or slice a checkpoint"
        )
    data = unpacked(parameter.data)
    if data is parameter.data:
        return data, ""
    if data.dtype == parameter.dtype:
        return data, f"{parameter.dtype}: two elements a byte, taken from the low half first"
    return data, f"{parameter.dtype}: the packed bytes as they are stored, not decoded"
