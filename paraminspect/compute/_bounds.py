"""Bounds on what the functions of a `forward` make, by their names, before they run."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from paraminspect.errors import ExpressionError
from paraminspect.language import sizes as of

Function = Callable[..., Any]


def bounded_all(functions: Mapping[str, Function]) -> dict[str, Function]:
    """The functions, each refused before it would make too much."""
    return {name: _bounded(name, function) for name, function in functions.items()}


def _bounded(name: str, function: Function) -> Function:
    by_number = name == "chunk" or "indices_or_sections" in inspect.signature(function).parameters

    @functools.wraps(function)
    def apply(*arguments: Any, **keywords: Any) -> Any:
        given = [*arguments, *keywords.values()]
        arrays = [value for value in given if of.is_array(value)]
        of.check_count(SIZES.get(name, _elementwise)(given, arrays))
        _check_pieces(name, by_number, arguments, keywords)
        result = function(*arguments, **keywords)
        of.check_result(result)
        return result

    # `inspect` and `call` ask a function for its arguments and whether it binds them itself.
    apply.binds_itself = getattr(function, "binds_itself", False)  # type: ignore[attr-defined]
    return apply


def _elementwise(given: list[Any], arrays: list[Any]) -> int:
    """Broadcast arrays, or joined ones."""
    lists = [of.elements(value) for value in given if isinstance(value, list | tuple)]
    return max(of.broadcast(*(x.shape for x in arrays)), *lists, 0)


def _matmul(given: list[Any], arrays: list[Any]) -> int:
    return of.matrix_product(*(x.shape for x in arrays[:2])) if len(arrays) > 1 else 0


def _along_the_last(given: list[Any], arrays: list[Any]) -> int:
    """The last axis of the first with one of the second; `linear` adds a bias."""
    if len(arrays) < 2 or not all(x.shape for x in arrays[:2]):
        return 0
    left, right = (x.shape for x in arrays[:2])
    return of.count(left[:-1]) * (of.count(right) // max(int(left[-1]), 1))


def _outer(given: list[Any], arrays: list[Any]) -> int:
    return of.count(of.count(x.shape) for x in arrays)


def _tensordot(given: list[Any], arrays: list[Any]) -> int:
    axes = next((value for value in given if not of.is_array(value)), 2)
    if len(arrays) < 2:
        return 0
    shape = arrays[0].shape
    if isinstance(axes, int):
        summed = shape[len(shape) - axes :] if axes > 0 else ()
    else:
        first = axes[0] if isinstance(axes, list | tuple) and axes else ()
        places = [first] if isinstance(first, int) else first
        summed = [shape[i] for i in places if isinstance(i, int) and -len(shape) <= i < len(shape)]
    return _outer(given, arrays) // max(of.count(summed), 1) ** 2


def _einsum(given: list[Any], arrays: list[Any]) -> int:
    """The product of the lengths of all labels that the result keeps."""
    rule = next((value for value in given if isinstance(value, str)), "").replace(" ", "")
    terms, arrow, result = rule.partition("->")
    lengths: dict[str, int] = {}
    dots = 1
    for term, x in zip(terms.split(","), arrays, strict=False):
        before, _, after = term.partition("...")
        shape = x.shape
        lengths |= dict(zip(before, shape, strict=False))
        lengths |= dict(zip(reversed(after), reversed(shape), strict=False))
        if "..." in term:
            dots = max(dots, of.count(shape[len(before) : len(shape) - len(after)]))
    kept = result if arrow else [label for label in lengths if terms.count(label) == 1]
    return dots * of.count(lengths.get(label, 1) for label in kept)


def _repeated(given: list[Any], arrays: list[Any]) -> int:
    """Every number counts as a repetition, but for an axis, which is small."""
    numbers = [
        n for value in given for n in (value if isinstance(value, list | tuple) else [value])
    ]
    times: int = of.count(abs(n) for n in numbers if type(n) is int and n not in (0, -1))
    return sum(of.count(x.shape) for x in arrays) * times


def _taken(given: list[Any], arrays: list[Any]) -> int:
    """What is beside the axis, for each row that an index chooses; the axis may be any."""
    if len(arrays) < 2:
        return 0
    shape = arrays[0].shape
    axis = next((value for value in given if type(value) is int), None)
    inside = axis is not None and -len(shape) <= axis < len(shape)
    row = of.count(shape) // max(shape[axis], 1) if inside and axis is not None else 1
    return of.count(arrays[-1].shape) * row


def _attend(given: list[Any], arrays: list[Any]) -> int:
    """The scores: each query with each key, in every head."""
    if len(arrays) < 2 or any(x.ndim < 2 for x in arrays[:2]):
        return 0
    heads = next((value for value in given if type(value) is int), 1)
    query, key = (x.shape for x in arrays[:2])
    return of.count(query[:-1]) * int(key[-2]) * max(heads, 1)


def _arange(given: list[Any], arrays: list[Any]) -> int:
    bounds = [value for value in given if type(value) in (int, float)][:3]
    if len(bounds) != len(given) or not bounds:
        return 0
    start, stop, step = (0, *bounds, 1) if len(bounds) == 1 else (*bounds, 1)[:3]
    count = (stop - start) / step if step else 0
    return int(count) if abs(count) < 2**63 else 2**63


def _squared(given: list[Any], arrays: list[Any]) -> int:
    return int(given[0]) ** 2 if given and type(given[0]) is int else 0


def _broadcast(given: list[Any], arrays: list[Any]) -> int:
    """The sizes that the array is repeated to; -1 leaves one as it is."""
    sizes = next((value for value in given if isinstance(value, list | tuple)), ())
    shape = tuple(abs(n) for n in sizes if type(n) is int)
    return of.broadcast(*(x.shape for x in arrays[:1]), shape)


def _joined(given: list[Any], arrays: list[Any]) -> int:
    return sum(of.elements(value) for value in given)


SIZES: dict[str, Callable[[list[Any], list[Any]], int]] = {
    **dict.fromkeys(("matmul", "mm", "bmm", "batch_dot"), _matmul),
    **dict.fromkeys(("dot", "inner", "linear"), _along_the_last),
    **dict.fromkeys(("outer", "kron"), _outer),
    **dict.fromkeys(("repeat", "tile", "repeat_interleave"), _repeated),
    **dict.fromkeys(("take", "index_select"), _taken),
    "broadcast_to": _broadcast,
    "concat": _joined,
    "tensordot": _tensordot,
    "einsum": _einsum,
    "attend": _attend,
    "arange": _arange,
    "causal_mask": _squared,
}
"""How many elements a function makes, by name; others work element by element, or join."""

SPLITTING = ("split", "chunk", "unbind", "unstack")


def _check_pieces(
    name: str, by_number: bool, arguments: tuple[Any, ...], keywords: Mapping[str, Any]
) -> None:
    """Refuse more pieces than a list may have, of which each would be an object."""
    if name not in SPLITTING or not arguments or not of.is_array(arguments[0]):
        return
    shape = arguments[0].shape
    axis = keywords.get("dim", keywords.get("axis", arguments[2] if len(arguments) > 2 else 0))
    if type(axis) is not int or not -len(shape) <= axis < len(shape):
        return
    number = next((n for n in (*arguments[1:], *keywords.values()) if type(n) is int and n > 0), 1)
    whole = name in ("unbind", "unstack")
    pieces = shape[axis] if whole else number if by_number else shape[axis] // number
    if pieces > of.MAXIMUM_ITEMS:
        raise ExpressionError(f"{name} makes {pieces} pieces: the limit is {of.MAXIMUM_ITEMS}")
