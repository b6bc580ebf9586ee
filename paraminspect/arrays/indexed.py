"""Arrays that are read at an index: all that an `Array` shares with the others but its `read`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from paraminspect.arrays import count_elements
from paraminspect.arrays.indexing import gather
from paraminspect.arrays.numpy_like import NumpyLike, frozen
from paraminspect.errors import OutOfBoundsError

if TYPE_CHECKING:
    import numpy as np

MOST_RUNS = 1024
"""Stretches of rows that are read one by one; if there are more, what lies between them too."""


class Indexed(NumpyLike):
    """An `Array` whose values at any NumPy index come from `read`, and little more is read."""

    __slots__ = ()

    def read(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Elements `start` to `stop` of the flattened array, 1-D, in native byte order."""
        raise NotImplementedError

    def check_range(self, start: int, stop: int) -> None:
        """Raise `OutOfBoundsError` unless these are elements of the flattened array."""
        if not 0 <= start <= stop <= count_elements(self.shape):
            raise OutOfBoundsError(
                f"elements {start} to {stop} are outside shape {list(self.shape)}"
            )

    def gather(self, index: Any) -> np.ndarray[Any, Any]:
        """The values at a basic index, as a new array."""
        return gather(self, index)

    def __getitem__(self, index: Any, /) -> Any:
        items = index if isinstance(index, tuple) else (index,)
        is_basic = all(map(_is_basic, items))
        return frozen(self.gather(index) if is_basic else _pick(self, items), index)


def _is_basic(item: Any) -> bool:
    if isinstance(item, slice) or item is ...:
        return True
    return hasattr(item, "__index__") and not _is_truth(item) and not getattr(item, "ndim", 0)


def _is_truth(item: Any) -> bool:
    return isinstance(item, bool) or str(getattr(item, "dtype", "")) == "bool"


def _pick(array: Indexed, items: Sequence[Any]) -> np.ndarray[Any, Any]:
    """The values at an index with lists, masks or None, as NumPy means it.

    A box that holds them all is read, on the first axis that has a list only at the places in it,
    and NumPy picks from this box.
    """
    import numpy as np

    box: list[list[slice]] = []
    picked: list[Any] = []
    for item in _one_for_each_axis(items, len(array.shape)):
        if item is None:
            picked.append(None)
            continue
        axis = len(box)
        is_first = all(len(stretches) == 1 for stretches in box)
        stretches, inside = _within(item, axis, array.shape[axis], is_first)
        box.append(stretches)
        picked.append(inside)
    axis = next((i for i, stretches in enumerate(box) if len(stretches) > 1), 0)
    whole = [stretches[0] for stretches in box]
    if not whole:
        return np.array(array.gather(())[tuple(picked)])
    parts = [array.gather((*whole[:axis], s, *whole[axis + 1 :])) for s in box[axis]]
    return np.array(np.concatenate(parts, axis)[tuple(picked)])


def _one_for_each_axis(items: Sequence[Any], ndim: int) -> list[Any]:
    """The items with masks as lists of places, and slices for the axes that are not named."""
    import numpy as np

    filled: list[Any] = []
    for item in items:
        if item is None or _is_basic(item):
            filled.append(item)
            continue
        places = np.asarray(item)
        if places.dtype == bool and places.ndim:
            filled += map(_Mask, np.nonzero(places), places.shape)
        elif places.dtype.kind in "iu" or not places.size:
            filled.append(places.astype(np.intp))
        else:
            what = "integers, slices, lists of integers, masks, None and '...'"
            raise OutOfBoundsError(f"an index is made of {what}, got {item!r}")
    given = sum(item is not None and item is not ... for item in filled)
    if given > ndim or sum(item is ... for item in filled) > 1:
        raise OutOfBoundsError(f"{given} indices for {ndim} axes")
    at = next((i for i, item in enumerate(filled) if item is ...), len(filled))
    filled[at : at + 1] = [slice(None)] * (ndim - given)
    return filled


class _Mask:
    """The places of a mask on one of its axes, which must be as long as that of the array."""

    def __init__(self, places: np.ndarray[Any, Any], length: int) -> None:
        self.places = places
        self.length = length


def _within(item: Any, axis: int, length: int, is_first: bool) -> tuple[list[slice], Any]:
    """What is to be read on an axis, and the item that picks from it."""
    import numpy as np

    if isinstance(item, slice):
        return [item], slice(None)
    if isinstance(item, _Mask):
        if item.length != length:
            raise OutOfBoundsError(
                f"a mask of length {item.length} does not fit axis {axis} with size {length}"
            )
        item = item.places
    places = np.asarray(item)
    outside = places[(places < -length) | (places >= length)]
    if outside.size:
        where = f"axis {axis} with size {length}"
        raise OutOfBoundsError(f"index {outside.flat[0]} is out of bounds for {where}")
    places = places % max(length, 1)
    if not places.size:
        return [slice(0, 0)], places
    different, inside = np.unique(places, return_inverse=True)
    ends = np.flatnonzero(np.diff(different) != 1) + 1
    if not is_first or len(ends) >= MOST_RUNS:
        low = int(different[0])
        return [slice(low, int(different[-1]) + 1)], places - low
    runs = np.split(different, ends)
    return [slice(int(run[0]), int(run[-1]) + 1) for run in runs], inside.reshape(places.shape)
