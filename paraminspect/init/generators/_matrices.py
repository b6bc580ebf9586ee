"""Structured random arrays, drawn whole: orthogonal, delta-orthogonal, sparse, user-made."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from paraminspect.arrays import DTYPES, DType, Shape
from paraminspect.arrays.casting import cast
from paraminspect.arrays.lazy import Make
from paraminspect.errors import SchemeError
from paraminspect.init.distributions import DeltaOrthogonal, Orthogonal, Sparse

Floats = np.ndarray[Any, np.dtype[Any]]


def matrix_shape(distribution: Orthogonal) -> tuple[int, int]:
    """The shape of the matrix that is drawn: for `qr` at least as many rows as columns."""
    rows, columns = distribution.rows, distribution.columns
    if distribution.method == "svd":
        return rows, columns
    return max(rows, columns), min(rows, columns)


def made_orthonormal(read: Make, distribution: Orthogonal) -> Floats:
    """The orthogonal matrix made of what `read` draws."""
    rows, columns = matrix_shape(distribution)
    return orthonormal(read(0, rows * columns).reshape(rows, columns), distribution)


def orthonormal(matrix: Floats, distribution: Orthogonal) -> Floats:
    """The orthogonal matrix of the shape wanted, made of a drawn one of `matrix_shape`.

    The signs make it unique: the diagonal of R is positive [Mezzadri 2007, section 5].
    """
    if distribution.method == "svd":
        u, _, v = np.linalg.svd(matrix, full_matrices=False)
        chosen: Floats = u if u.shape == matrix.shape else v
        chosen *= matrix.dtype.type(distribution.gain)
        return chosen
    q, r = np.linalg.qr(matrix)
    q = q * np.sign(np.diag(r))
    if distribution.rows < distribution.columns:
        q = q.T
    result: Floats = np.ascontiguousarray(q) * q.dtype.type(distribution.gain)
    return result


def shaped(matrix: Floats, distribution: Orthogonal, shape: Shape) -> Floats:
    """The matrix as an array of a shape, with its columns along the axis that is wanted."""
    axis = distribution.column_axis
    if axis is None:
        return matrix.reshape(shape)
    others = shape[:axis] + shape[axis + 1 :]
    return np.moveaxis(matrix.reshape(*others, shape[axis]), -1, axis)


def inner_orthogonal(distribution: DeltaOrthogonal, shape: Shape) -> Orthogonal:
    """The square matrix, of the size of the outputs, whose first rows are at the centre."""
    outputs = shape[-1] if distribution.kernel_first else shape[0]
    return Orthogonal(distribution.gain, outputs, outputs)


def at_centre(matrix: Floats, distribution: DeltaOrthogonal, shape: Shape) -> Floats:
    """The matrix, of `inner_orthogonal`, at the centre of a kernel that is zero elsewhere."""
    values = np.zeros(shape, matrix.dtype)
    kernel_first = values if distribution.kernel_first else np.moveaxis(values, (0, 1), (-1, -2))
    *kernel, inputs, _ = kernel_first.shape
    rows = matrix.T if distribution.transposed else matrix
    kernel_first[tuple((size - 1) // 2 for size in kernel)] = rows[:inputs]
    return values


def zeros_per_column(distribution: Sparse, rows: int) -> int:
    """How many values of a column are zero (`torch.nn.init.sparse_`)."""
    return math.ceil(distribution.sparsity * rows)


def checked(values: Any, shape: Shape, dtype: DType) -> Floats:
    """What a user's function made, if it is numbers of the shape that was asked for."""
    array = np.asarray(values)
    if array.dtype.kind not in "biufc" and array.dtype.name not in DTYPES:
        raise SchemeError(f"the function made {array.dtype}, not numbers")
    if array.shape != shape:
        raise SchemeError(f"the function made shape {list(array.shape)}, not {list(shape)}")
    # A copy: the function may go on writing to what it gave.
    return np.array(cast(array.reshape(-1), dtype)).reshape(shape)
