"""Linear layers, embeddings, reshaping."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute._call import Call, Compute, expect_last
from paraminspect.compute._functions import flatten, leaky_relu, plain
from paraminspect.compute._steady import mean, where
from paraminspect.compute._windows import first_maximum
from paraminspect.errors import ShapeError, counted


def linear(call: Call, x: Any) -> Any:
    """X @ weight.T + bias."""
    weight, bias = call.p["weight"], call.p.get("bias")
    expect_last(x, weight.shape[1], "in_features")
    y = np.matmul(x, weight.T)
    return y if bias is None else y + bias


def conv1d_of_transformers(call: Call, x: Any) -> Any:
    """X @ weight + bias, the weight stored `(in, out)` (`transformers.pytorch_utils.Conv1D`)."""
    expect_last(x, call.p["weight"].shape[0], "nx")
    return np.matmul(x, call.p["weight"]) + call.p["bias"]


def bilinear(call: Call, x1: Any, x2: Any) -> Any:
    """x1 @ weight[k] @ x2 + bias[k] for each output k."""
    weight, bias = call.p["weight"], call.p.get("bias")
    expect_last(x1, weight.shape[1], "in1_features")
    expect_last(x2, weight.shape[2], "in2_features")
    y = np.einsum("...i,kij,...j->...k", x1, weight, x2)
    return y if bias is None else y + bias


def embedding(call: Call, x: Any) -> Any:
    """The rows of the weight that the integers in `x` choose; the padding row gets no gradient."""
    weight = call.p["weight"]
    _check_indices(x, weight.shape[0])
    rows = weight[x]
    if getattr(call.a, "padding_idx", None) is None:
        return rows
    padding = (x == call.a.padding_idx % weight.shape[0])[..., None]
    return where(padding, plain(rows), rows)


def embedding_bag(call: Call, x: Any) -> Any:
    """The mean, sum or maximum of the rows that each bag `x[i, :]` chooses."""
    if x.ndim != 2:
        raise ShapeError(f"EmbeddingBag takes bags of equal size (bags, size), got {list(x.shape)}")
    rows = embedding(call, x)
    if call.a.mode == "max":
        return first_maximum(np.swapaxes(rows, 1, 2))
    return np.sum(rows, axis=1) if call.a.mode == "sum" else mean(rows, axis=1)


def _check_indices(x: Any, count: int) -> None:
    if not numpy.issubdtype(x.dtype, numpy.integer):
        raise ShapeError(f"an embedding takes integers, got {x.dtype}")
    outside = (x < 0) | (x >= count)
    if outside.any():
        raise ShapeError(f"index {x[outside].flat[0]} is not one of the {counted(count, 'row')}")


def flattening(call: Call, x: Any) -> Any:
    """`nn.Flatten`."""
    return flatten(x, call.a.start_dim, call.a.end_dim)


def unflattening(call: Call, x: Any) -> Any:
    """`nn.Unflatten`."""
    axis = call.a.dim % x.ndim
    return np.reshape(x, (*x.shape[:axis], *call.a.unflattened_size, *x.shape[axis + 1 :]))


def prelu(call: Call, x: Any) -> Any:
    """X where it is positive, else weight * x; one weight for all or one per channel."""
    weight = call.p["weight"]
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
