"""Sizes of what an expression gives: arrays too are bounded, before memory is taken for them.

Arrays are known by their `shape` and `dtype`: this module needs no NumPy.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from paraminspect.errors import ExpressionError

MAXIMUM_ITEMS = 10_000
"""Length of the longest string, and what a list and the lists in it hold together."""

MAXIMUM_ELEMENTS = 1 << 28
"""Elements of an array that an expression makes."""

Sizes = Sequence[int]


def is_array(value: Any) -> bool:
    """Whether it has the shape and the dtype of an array."""
    return hasattr(value, "dtype") and isinstance(getattr(value, "shape", None), tuple)


def count(sizes: Iterable[int]) -> int:
    """Elements of an array with axes of these sizes."""
    return math.prod(sizes)


def check_count(count: int) -> None:
    """Refuse a result of so many elements."""
    if count > MAXIMUM_ELEMENTS:
        raise ExpressionError(f"the result has over {MAXIMUM_ELEMENTS} elements")


def check_operands(op: ast.AST, left: Any, right: Any) -> None:
    """Refuse what an operator would make of two arrays if it is too large."""
    if is_array(left) and is_array(right):
        size = matrix_product if isinstance(op, ast.MatMult) else broadcast
        check_count(size(left.shape, right.shape))


def check_item(value: Any, index: Any) -> None:
    """Refuse an index that repeats an array too often: only one with arrays or lists can."""
    parts = index if isinstance(index, tuple) else (index,)
    if is_array(value) and any(is_array(part) or isinstance(part, list) for part in parts):
        left = list(value.shape)
        chosen: Sizes = ()
        for axis, part in enumerate(part for part in parts if part is not None):
            if is_array(part) or isinstance(part, list):
                chosen = _wider(chosen, part.shape if is_array(part) else (len(part),))
            if not isinstance(part, slice) and axis < len(left):
                left[axis] = 1
        check_count(math.prod(chosen) * math.prod(left))


def check_result(value: Any) -> None:
    """Refuse a result that is too large, or lists in lists without end."""
    if is_array(value):
        check_count(math.prod(value.shape))
    elif isinstance(value, str) and len(value) > MAXIMUM_ITEMS:
        raise ExpressionError(f"a value is too large: the limit is {MAXIMUM_ITEMS} items")
    elif isinstance(value, list | tuple):
        _check_items(value)


def _check_items(value: Sequence[Any]) -> None:
    for count, _ in enumerate(_items(value), 1):
        if count > MAXIMUM_ITEMS:
            raise ExpressionError(f"a value is too large: the limit is {MAXIMUM_ITEMS} items")


def _items(value: Sequence[Any]) -> Iterator[Any]:
    """What a list holds, and the lists in it, however deep."""
    waiting = [iter(value)]
    while waiting:
        for item in waiting[-1]:
            yield item
            if isinstance(item, list | tuple):
                waiting.append(iter(item))
                break
        else:
            waiting.pop()


def elements(value: Any) -> int:
    """How many elements an array has, or the arrays of a list have together."""
    arrays = _items([value])
    return sum(math.prod(item.shape) for item in arrays if is_array(item))


def broadcast(*shapes: Sizes) -> int:
    """Elements of what is computed element by element; 0 where the shapes do not fit."""
    merged: Sizes = ()
    for shape in shapes:
        merged = _wider(merged, shape)
        if any(
            size not in (1, wide)
            for size, wide in zip(reversed(shape), reversed(merged), strict=False)
        ):
            return 0
    return math.prod(merged)


def _wider(one: Sizes, other: Sizes) -> Sizes:
    """Axis by axis, from the last on, the length that is not 1."""
    length = max(len(one), len(other))
    pairs = zip(_filled(one, length), _filled(other, length), strict=True)
    return [m if n == 1 else n if m == 1 else max(m, n) for m, n in pairs]


def _filled(shape: Sizes, length: int) -> Sizes:
    return (*[1] * (length - len(shape)), *shape)


def matrix_product(left: Sizes, right: Sizes) -> int:
    """Elements of `left @ right`."""
    if len(left) < 2 or len(right) < 2:
        return math.prod(left[:-1]) * math.prod(
            (*right[:-2], *right[-1:]) if len(right) > 1 else ()
        )
    return broadcast(left[:-2], right[:-2]) * left[-2] * right[-1]
