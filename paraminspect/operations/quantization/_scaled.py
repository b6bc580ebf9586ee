"""Scaled arrays: codes times the scales of their blocks, made when they are read."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from paraminspect.arrays import DTYPES, Array, DType, Shape, count_elements
from paraminspect.arrays.indexed import Indexed
from paraminspect.errors import CastError, DTypeError
from paraminspect.operations.quantization._conventions import grid
from paraminspect.operations.quantization._recognising import recognise
from paraminspect.tree import ParameterTree

if TYPE_CHECKING:
    import numpy as np


def dequantized(tree: ParameterTree, names: Container[str] | None = None) -> ParameterTree:
    """A tree in which quantized weights (all, or those of `names`) are what they stand for.

    What is not decoded is a `DTypeError`. The scales stay; a cast leaves them out.
    """
    made = []
    recognised = recognise(tree).weights
    for name, parameter in tree.entries.items():
        found = recognised.get(name)
        if names is not None and name not in names:
            continue
        if found is None:
            if parameter.codes is not None and parameter.codes.weights:
                raise DTypeError(f"{name!r} is quantized, and what decodes it is not there")
            continue
        parameter = tree.entries[tree.own_name(name)]
        if found.scale is None:
            unfit = "" if found.count is not None else ", of shapes that it does not have"
            raise DTypeError(
                f"{name!r} is quantized ({found.what}{unfit}), which is not decoded:"
                " the library that wrote it can"
            ).at(tree.source.path)
        data = Scaled(name, parameter.data, tree.entries[found.scale].data)
        made.append(replace(parameter, data=data, codes=None))
    return tree.replace(made)


class Scaled(Indexed):
    """Codes times scales, in float32 (float64 if the scales are), as the libraries compute them.

    Formula: `weight[..., i, j] = codes[..., i, j] * scales[..., i // rows, j // columns]`
    [DeepSeek-V3, inference/kernel.py, weight_dequant]; `rows` and `columns` are those of a block.
    """

    def __init__(self, name: str, codes: Array, scales: Array) -> None:
        blocks = grid(codes.shape, scales.shape)
        if blocks is None:
            raise DTypeError(
                f"{name!r}: scales {list(scales.shape)} do not fit {list(codes.shape)}"
            )
        self.shape: Shape = codes.shape
        self.dtype: DType = DTYPES["float64" if scales.dtype.name == "float64" else "float32"]
        self._name = name
        self._codes = codes
        self._scales = scales
        self._block_rows, self._block_columns = blocks
        self._columns = max((1, *codes.shape)[-1], 1)
        is_one = count_elements(scales.shape) == 1
        self._rows = count_elements(codes.shape[:-1]) if is_one else codes.shape[-2]
        self._scale_rows = -(-self._rows // self._block_rows)
        self._scale_columns = -(-self._columns // self._block_columns)

    def read(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Elements `start` to `stop` of the flattened array, made now."""
        import numpy as np

        self.check_range(start, stop)
        codes = self._codes.read(start, stop).astype(self.dtype.to_numpy())
        if start == stop:
            return codes
        with np.errstate(all="ignore"):
            result: np.ndarray[Any, Any] = codes * self._factors(start, stop)
        lost = np.isfinite(codes) & ~np.isfinite(result)
        if lost.any() and np.isfinite(self._factors(start, stop)[lost]).any():
            position = start + int(np.argmax(lost))
            raise CastError(f"{self._name}: times its scale it does not fit {self.dtype}", position)
        return result

    def _factors(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """The scale of each of the elements, or the one of all of them."""
        import numpy as np

        first, last = start // self._columns, (stop - 1) // self._columns
        rows = np.arange(first, last + 1)
        scale_rows = rows // self._rows * self._scale_rows + rows % self._rows // self._block_rows
        width = self._scale_columns
        low = int(scale_rows[0])
        read = self._scales.read(low * width, (int(scale_rows[-1]) + 1) * width)
        scales = read.astype(self.dtype.to_numpy()).reshape(-1, width)[scale_rows - low]
        begin = start - first * self._columns
        size = self._block_columns
        if first == last:  # a row may be longer than a block
            scales = scales[:, begin // size : -(-(begin + stop - start) // size)]
            columns, begin = size * scales.shape[1], begin % size
        else:
            columns = self._columns
        factors: np.ndarray[Any, Any] = scales.repeat(size, axis=1)[:, :columns].reshape(-1)
        return factors[begin : begin + stop - start]
