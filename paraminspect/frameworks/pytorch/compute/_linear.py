"""Linear layers, embeddings, reshaping."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute._computation import Compute
from paraminspect.compute._expect import expect_last
from paraminspect.compute._functions import flatten, leaky_relu, plain
from paraminspect.compute._run import Part
from paraminspect.compute._steady import mean, where
from paraminspect.compute._windows import first_maximum
from paraminspect.errors import ShapeError, counted


def linear(part: Part, x: Any) -> Any:
    """X @ weight.T + bias."""
    weight, bias = part.p["weight"], part.p.get("bias")
    expect_last(x, weight.shape[1], "in_features")
    y = np.matmul(x, weight.T)
    return y if bias is None else y + bias


def conv1d_of_transformers(part: Part, x: Any) -> Any:
    """X @ weight + bias, the weight stored `(in, out)` (`transformers.pytorch_utils.Conv1D`)."""
    expect_last(x, part.p["weight"].shape[0], "nx")
    return np.matmul(x, part.p["weight"]) + part.p["bias"]


def bilinear(part: Part, x1: Any, x2: Any) -> Any:
    """x1 @ weight[k] @ x2 + bias[k] for each output k."""
    weight, bias = part.p["weight"], part.p.get("bias")
    expect_last(x1, weight.shape[1], "in1_features")
    expect_last(x2, weight.shape[2], "in2_features")
    y = np.einsum("...i,kij,...j->...k", x1, weight, x2)
    return y if bias is None else y + bias


def embedding(part: Part, x: Any) -> Any:
    """The rows of the weight that the integers in `x` choose; the padding row gets no gradient."""
    weight = part.p["weight"]
    _check_indices(x, weight.shape[0])
    rows = weight[x]
    if getattr(part.a, "padding_idx", None) is None:
        return rows
    padding = (x == part.a.padding_idx % weight.shape[0])[..., None]
    return where(padding, plain(rows), rows)


def embedding_bag(part: Part, x: Any) -> Any:
    """The mean, sum or maximum of the rows that each bag `x[i, :]` chooses."""
    if x.ndim != 2:
        raise ShapeError(f"EmbeddingBag takes bags of equal size (bags, size), got {list(x.shape)}")
    rows = embedding(part, x)
    if part.a.mode == "max":
        return first_maximum(np.swapaxes(rows, 1, 2))
    return np.sum(rows, axis=1) if part.a.mode == "sum" else mean(rows, axis=1)


def _check_indices(x: Any, count: int) -> None:
    if not numpy.issubdtype(x.dtype, numpy.integer):
        raise ShapeError(f"an embedding takes integers, got {x.dtype}")
    outside = (x < 0) | (x >= count)
    if outside.any():
        raise ShapeError(f"index {x[outside].flat[0]} is not one of the {counted(count, 'row')}")


def flattening(part: Part, x: Any) -> Any:
    """`nn.Flatten`."""
    return flatten(x, part.a.start_dim, part.a.end_dim)


def unflattening(part: Part, x: Any) -> Any:
    """`nn.Unflatten`."""
    axis = part.a.dim % x.ndim
    return np.reshape(x, (*x.shape[:axis], *part.a.unflattened_size, *x.shape[axis + 1 :]))


def prelu(part: Part, x: Any) -> Any:
    """X where it is positive, else weight * x; one weight for all or one per channel."""
    weight = part.p["weight"]
    if weight.shape[0] > 1:
        weight = np.reshape(weight, (-1, *[1] * (x.ndim - 2)))
    return leaky_relu(x, weight)


LINEAR: dict[str, Compute] = {
    "Linear": linear,
    "LazyLinear": linear,
    "Conv1D": conv1d_of_transformers,
    "Bilinear": bilinear,
    "Embedding": embedding,
    "EmbeddingBag": embedding_bag,
    "Flatten": flattening,
    "Unflatten": unflattening,
    "PReLU": prelu,
}
"""Layer kind to computation."""
