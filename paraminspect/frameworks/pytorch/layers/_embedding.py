"""Embeddings: a table of vectors."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.errors import ExpressionError
from paraminspect.frameworks._declare import declare
from paraminspect.frameworks._inputs import expect_axes
from paraminspect.frameworks.pytorch.layers._parameters import FACTORY, dtype_of, weight
from paraminspect.tree.layers import Build, Spec, fixed


def _table(a: SimpleNamespace, frozen: bool = False) -> dict[str, Spec]:
    n, padding = a.num_embeddings, a.padding_idx
    if padding is not None and not -n <= padding < n:
        raise ExpressionError(f"padding_idx must be from {-n} to {n - 1}, got {padding}")
    scheme = "normal(0, 1)" if padding is None else f"padded(normal(0, 1), {padding})"
    spec = weight((n, a.embedding_dim), scheme, dtype_of(a), not frozen)
    return {"weight": replace(spec, frozen=frozen)}


def _embedding(a: SimpleNamespace) -> Build:
    return fixed(_table(a, a._freeze), output=lambda shape: (*shape, a.embedding_dim))


def _embedding_bag(a: SimpleNamespace) -> Build:
    def output(shape: Shape) -> Shape:
        expect_axes(shape, 1)
        return (a.embedding_dim,)

    return fixed(_table(a), output=output)


EMBEDDINGS = dict(
    [
        declare(
            "Embedding(num_embeddings: Count, embedding_dim: Count, "
            "padding_idx: Integer | None = None, max_norm: Number | None = None, "
            "norm_type: Number = 2.0, scale_grad_by_freq: Flag = False, sparse: Flag = False, "
            f"_weight: Absent = None, _freeze: Flag = False, {FACTORY})",
            _embedding,
        ),
        declare(
            "EmbeddingBag(num_embeddings: Count, embedding_dim: Count, "
            "max_norm: Number | None = None, norm_type: Number = 2.0, "
            "scale_grad_by_freq: Flag = False, mode: Literal['sum', 'mean', 'max'] = 'mean', "
            "sparse: Flag = False, _weight: Absent = None, include_last_offset: Flag = False, "
            f"padding_idx: Integer | None = None, {FACTORY})",
            _embedding_bag,
        ),
    ]
)
"""Layer functions by name."""
