"""Shapes, pieces and joints of tensors, as `torch` and the methods of a tensor make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as np

from paraminspect.compute import _shaping as s
from paraminspect.compute._axes import along_axis, axes_of, axis_of, order_of, sizes_of, take_along
from paraminspect.compute._functions import plain
from paraminspect.frameworks.pytorch.compute.functions._arguments import dim_of, dims_of

Function = Callable[..., Any]


def _one_or_several(given: tuple[Any, ...], named: Any) -> Any:
    """What the function takes as one sequence, and the method of a tensor as several numbers."""
    if bool(given) == (named is not None):
        raise TypeError("give one shape or order")
    if named is not None:
        return named
    return given[0] if len(given) == 1 and isinstance(given[0], tuple | list) else given


def _reshape(input: Any, *sizes: Any, shape: Any = None) -> Any:
    return np.reshape(input, sizes_of(_one_or_several(sizes, shape)))


def _permute(input: Any, *order: Any, dims: Any = None) -> Any:
    return np.transpose(input, order_of(_one_or_several(order, dims), input.ndim))


def _flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    first, last = dim_of(start_dim, input), dim_of(end_dim, input)
    if first > last:
        raise ValueError(f"start_dim {start_dim} comes after end_dim {end_dim}")
    return np.reshape(input, (*input.shape[:first], -1, *input.shape[last + 1 :]))


def _unflatten(input: Any, dim: int, sizes: Any) -> Any:
    axis = axis_of(dim, input.ndim)
    return np.reshape(input, (*input.shape[:axis], *sizes_of(sizes), *input.shape[axis + 1 :]))


def _transpose(input: Any, dim0: int, dim1: int) -> Any:
    axes = dim_of(dim0, input), dim_of(dim1, input)
    return np.swapaxes(input, *axes) if input.ndim else input


def _swapped(input: Any, axis0: int, axis1: int) -> Any:
    return _transpose(input, axis0, axis1)


def _t(input: Any) -> Any:
    if input.ndim > 2:
        raise ValueError(f"at most two axes are expected, got shape {list(input.shape)}")
    return np.transpose(input)


def _moved(input: Any, source: Any, destination: Any) -> Any:
    return s.moved(input, source, destination)


def _unsqueeze(input: Any, dim: int) -> Any:
    return s.expanded(input, [axis_of(dim, input.ndim + 1)])


def _squeeze(input: Any, dim: Any = None) -> Any:
    """Without the axes of length 1 that are named; a longer one stays."""
    axes = dims_of(dim, input) if dim != () else ()
    return s.squeezed(input, [axis for axis in axes if input.shape[axis] == 1])


def _split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Pieces of one size, the last one smaller, or of the sizes of a list."""
    axis, size = axis_of(dim, tensor.ndim), split_size_or_sections
    length = tensor.shape[axis]
    if isinstance(size, tuple | list):
        sizes = sizes_of(size)
        if sum(sizes) != length or min(sizes, default=0) < 0:
            raise ValueError(f"sizes {list(sizes)} do not make up axis {dim} of length {length}")
        return s.pieces(tensor, sizes, axis)
    if type(size) is not int or size < 0 or (size == 0 and length):
        raise ValueError(f"a piece has a positive size, got {size!r}")
    whole = [size] * (length // size if size else 0)
    rest = [length - sum(whole)] if not whole or length > sum(whole) else []
    return s.pieces(tensor, [*whole, *rest], axis)


def _chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    if chunks < 1:
        raise ValueError(f"chunks must be positive, got {chunks}")
    return _split(input, max(-(-input.shape[axis_of(dim, input.ndim)] // chunks), 1), dim)


def _unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    axis = axis_of(dim, input.ndim)
    return tuple(along_axis(input, axis, i) for i in range(input.shape[axis]))


def _cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    return s.joined(tensors, dim)


def _stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    return s.stacked(tensors, dim)


def _tile(input: Any, *repeats: Any, dims: Any = None) -> Any:
    return s.tiled(input, _one_or_several(repeats, dims))


def _flip(input: Any, *axes: Any, dims: Any = None) -> Any:
    given = axes_of(_one_or_several(axes, dims), max(input.ndim, 1))
    return s.flipped(input, given if input.ndim else ())


def _gather(input: Any, dim: int, index: Any) -> Any:
    axis = axis_of(dim, input.ndim)
    indices = _checked(index, input.shape[axis])
    others = [n for i, n in enumerate(zip(index.shape, input.shape, strict=True)) if i != axis]
    if any(m > n for m, n in others):
        raise ValueError(f"index {list(index.shape)} is larger than input {list(input.shape)}")
    return take_along(input, indices, axis)


def _index_select(input: Any, dim: int, index: Any) -> Any:
    axis = axis_of(dim, input.ndim)
    if index.ndim > 1:
        raise ValueError(f"index must have one axis, got shape {list(index.shape)}")
    return along_axis(input, axis, np.reshape(_checked(index, input.shape[axis]), (-1,)))


def _checked(index: Any, length: int) -> Any:
    indices = plain(index)
    if indices.dtype.kind != "i":
        raise TypeError(f"index must hold integers, got {indices.dtype}")
    if indices.size and not 0 <= indices.min() <= indices.max() < length:
        raise IndexError(f"an index is out of range for an axis of length {length}")
    return indices


def item(x: Any, index: Any) -> Any:
    """`x[index]`; a tensor cannot be read backwards."""
    parts = index if isinstance(index, tuple) else (index,)
    if hasattr(x, "ndim") and any(
        isinstance(part, slice) and part.step is not None and part.step <= 0 for part in parts
    ):
        raise ValueError("a step must be positive: write flip(x, [0])")
    return x[index]


SHAPES: dict[str, Function] = {
    "reshape": _reshape,
    "view": _reshape,
    "permute": _permute,
    "flatten": _flatten,
    "ravel": lambda input: s.flat(input),
    "unflatten": _unflatten,
    "transpose": _transpose,
    "swapdims": lambda input, dim0, dim1: _transpose(input, dim0, dim1),
    "swapaxes": _swapped,
    "t": _t,
    **dict.fromkeys(("movedim", "moveaxis"), _moved),
    "unsqueeze": _unsqueeze,
    "squeeze": _squeeze,
    "chunk": _chunk,
    "unbind": _unbind,
    **dict.fromkeys(("cat", "concat", "concatenate"), _cat),
    "stack": _stack,
    "vstack": lambda tensors: s.stacked_rows(tensors),
    "hstack": lambda tensors: s.stacked_columns(tensors),
    "tile": _tile,
    "repeat_interleave": lambda input, repeats, dim=None: s.repeated(input, repeats, dim),
    "broadcast_to": lambda input, size: s.broadcast(input, _whole(input, size)),
    "roll": lambda input, shifts, dims=None: s.rolled(input, shifts, dims),
    "flip": _flip,
    "tril": lambda input, diagonal=0: s.triangle(input, diagonal, upper=False),
    "triu": lambda input, diagonal=0: s.triangle(input, diagonal, upper=True),
    "gather": _gather,
    "index_select": _index_select,
}


def _whole(x: Any, size: Any) -> tuple[int, ...]:
    """A shape in which -1 leaves an axis as it is."""
    sizes = sizes_of(size)
    own = (*[0] * (len(sizes) - x.ndim), *x.shape)
    return tuple(n if m == -1 else m for m, n in zip(sizes, own, strict=False))


OF_PYTHON: dict[str, Function] = {"split": _split}
"""Those of `torch` that do not take NumPy's names of arguments."""
