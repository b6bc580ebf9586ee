"""Edits: functions from tree to tree. The tree given stays as it was, values are made when read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from paraminspect.arrays import Array, DType, copied
from paraminspect.arrays.casting import is_float
from paraminspect.arrays.indexing import Axis, Index, normalize, selected_shape
from paraminspect.arrays.packed import unpacked, viewed
from paraminspect.arrays.selection import Selection
from paraminspect.errors import ArgumentError, DTypeError, ParamInspectError, brief
from paraminspect.language import Expression, parse_expression
from paraminspect.operations.edit._edited import Edited
from paraminspect.operations.edit._formula import make_formula
from paraminspect.operations.edit._names import PRESENT, quoted_names
from paraminspect.operations.quantization import dequantized, recognise
from paraminspect.tree import Parameter, ParameterTree, check_tree
from paraminspect.tree.address import Address

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


_FROM = "the new array"


@dataclass(frozen=True)
class Change:
    """What an assignment does to one parameter: how many of its elements it sets."""

    parameter: Parameter
    count: int
    aliases: tuple[str, ...]
    """The other names under which they change."""


def assign(
    tree: ParameterTree,
    address: str | Address,
    value: str | Expression | Array | Parameter | ArrayLike,
    *,
    unsafe: bool = False,
) -> ParameterTree:
    """A tree in which the elements at `address` are set to `value`, in every matching parameter.

        >>> import numpy as np
        >>> import paraminspect as pi
        >>> tree = pi.ParameterTree({"w": pi.Parameter("w", np.zeros((2, 3)))})
        >>> pi.set(tree, {"w[0]": [1, 2, 3]})["w"].data
        array([[1., 2., 3.],
               [0., 0., 0.]])

    A value is what NumPy makes an array of, which is copied, or an expression. In an expression
    `x` is the present value, and other parameters stand by name in quotes. The
    result is broadcast as NumPy does, and cast to the dtype of the parameter; where that would
    lose more than rounding, reading raises `CastError`, unless it is `unsafe`. Setting one name of
    a tie sets the others too.
    """
    check_tree(tree)
    address = tree.address(address) if isinstance(address, str) else address
    if not isinstance(address, Address):
        raise ArgumentError(f"an address is a text like '0.weight[0]', got {brief(address)}")
    new = _as_value(value)
    edited = [
        replace(p, data=_edited(tree, p, address.index, axes, new, unsafe), scheme=None)
        for p, axes in _selections(tree, address)
    ]
    return tree.replace(edited)


def cast_tree(tree: ParameterTree, dtype: DType, *, unsafe: bool = False) -> ParameterTree:
    """A tree whose floating-point parameters have another such dtype, as `model.to(dtype)` does.

    Quantized weights become what they stand for, without the arrays that only these need; where
    they are not decoded, that is a `DTypeError`. What would lose more than rounding raises
    `CastError` when read, unless it is `unsafe`.
    """
    if not is_float(dtype):
        raise DTypeError(f"parameters can be cast to floating-point dtypes, {dtype} is none")
    if dtype.is_packed:
        raise DTypeError(f"values of the packed type {dtype} cannot be made")
    parts = recognise(tree).parts
    tree = dequantized(tree)
    tree = tree.subset(tree.entries.keys() - parts)
    present = parse_expression(PRESENT)
    cast = []
    for parameter in tree.parameters():
        if is_float(parameter.dtype) and parameter.dtype != dtype:
            base = unpacked(parameter.data)
            axes = normalize((...,), base.shape)
            formula = make_formula(present, {PRESENT: base}, base.shape, unsafe=unsafe)
            data = Edited(parameter.name, base, axes, formula, dtype=dtype, unsafe=unsafe)
            cast.append(replace(parameter, data=data))
    return tree.replace(cast)


def view_voids(tree: ParameterTree, dtype: DType) -> ParameterTree:
    """A tree whose arrays of mere bytes, as many as `dtype` has, are arrays of that dtype.

    NumPy and h5py save bfloat16 and float8 so. None at all is a `DTypeError`.
    """
    seen = [(p, viewed(p.data, dtype)) for p in tree.parameters()]
    found = [replace(p, data=data) for p, data in seen if data is not p.data]
    if not found:
        raise DTypeError(f"{tree.source.path}: no array is of bytes that {dtype} could be")
    return tree.replace(found)


def count_lost(before: ParameterTree, after: ParameterTree) -> dict[str, int]:
    """How many values each parameter loses that an edit of `before`, not unsafe, has changed.

    They are what reading raises a `CastError` for, and what an unsafe edit writes all the same.
    """
    counts = {}
    for parameter in after.parameters():
        data = parameter.data
        if isinstance(data, Edited) and data is not before.entries[parameter.name].data:
            counts[parameter.name] = sum(error.count for _, error in data.losses())
    return {name: count for name, count in counts.items() if count}


def changes(tree: ParameterTree, address: str | Address) -> list[Change]:
    """What an assignment to `address` would set; raises `AddressError` as the assignment would."""
    address = tree.address(address) if isinstance(address, str) else address
    return [
        Change(p, math.prod(axis.length for axis in axes), tuple(tree.aliases(p.name)))
        for p, axes in _selections(tree, address)
    ]


def parameters_used(tree: ParameterTree, expression: str) -> list[Parameter]:
    """The parameters that stand by name in an expression."""
    names = quoted_names(parse_expression(expression))
    return [tree.entries[name] for name in names if name in tree.entries]


def _selections(
    tree: ParameterTree, address: Address
) -> Iterator[tuple[Parameter, tuple[Axis, ...]]]:
    """Every parameter at the address, a tied one once, with what its index selects."""
    for name, axes in {tree.own_name(n): axes for n, axes in tree.places(address).items()}.items():
        parameter = tree.entries[name]
        if parameter.dtype.is_packed:
            raise DTypeError(f"{name}: values of the packed type {parameter.dtype} cannot be set")
        yield parameter, axes


def _as_value(value: Any) -> Expression | Array:
    if isinstance(value, str):
        return parse_expression(value)
    if isinstance(value, Parameter):
        return value.data
    return value if isinstance(value, Expression | Array) else copied(value)


def _edited(
    tree: ParameterTree,
    parameter: Parameter,
    index: Index | None,
    axes: tuple[Axis, ...],
    value: Expression | Array,
    unsafe: bool,
) -> Edited:
    base = parameter.data
    shape = selected_shape(axes)
    arrays: dict[str, Array] = {PRESENT: base if index is None else Selection(base, index)}
    if isinstance(value, Expression):
        expression = value
        for name in quoted_names(value):
            if name not in tree.entries:
                raise tree.no_match(name)
            arrays[name] = tree.entries[name].data
    else:
        expression = parse_expression(repr(_FROM))
        arrays[_FROM] = value
    try:
        formula = make_formula(expression, arrays, shape, unsafe=unsafe)
    except ParamInspectError as error:
        raise error.at(parameter.name) from None
    return Edited(parameter.name, base, axes, formula, unsafe=unsafe)
