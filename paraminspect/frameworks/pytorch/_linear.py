"""Linear layers, embeddings, and bare parameters and buffers."""

from __future__ import annotations

import math
from types import SimpleNamespace

from paraminspect.arrays import DTYPES, DType, Shape, parse_dtype
from paraminspect.errors import DefinitionError, ExpressionError
from paraminspect.frameworks._declare import declare
from paraminspect.layers import Build, Built, Fans, Layer, Spec, fixed, same_shape

FACTORY = "device=None, dtype: TypeName | None = None"
"""The last arguments of every layer that makes parameters."""

KAIMING = "kaiming_uniform(a=5**0.5)"


def dtype_of(a: SimpleNamespace) -> DType:
    """The dtype that a layer's `dtype=` asks for."""
    return parse_dtype(a.dtype) if a.dtype else DTYPES["float32"]


def within(fan: int) -> str:
    """The scheme U(-1/sqrt(fan), 1/sqrt(fan)); torch fills with zeros where fan is 0."""
    return f"uniform(-1/sqrt({fan}), 1/sqrt({fan}))" if fan else "zeros"


def weight(shape: Shape, scheme: str, dtype: DType) -> Spec:
    """A weight with fans as `torch.nn.init._calculate_fan_in_and_fan_out` counts them."""
    field = math.prod(shape[2:])
    return Spec(shape, scheme, Fans(shape[1] * field, shape[0] * field), "out_in", dtype)


def linear(in_features: int, out_features: int, bias: bool, dtype: DType) -> Build:
    """What `nn.Linear` builds."""
    return fixed(
        {
            "weight": weight((out_features, in_features), KAIMING, dtype),
            "bias": Spec((out_features,), within(in_features), dtype=dtype) if bias else None,
        },
        output=lambda shape: (*shape[:-1], out_features),
    )


def linear_layer(in_features: int, out_features: int, bias: bool, dtype: DType) -> Layer:
    """An `nn.Linear` inside another layer."""
    call = f"Linear({in_features}, {out_features}{'' if bias else ', bias=False'})"
    arguments = {"in_features": in_features, "out_features": out_features, "bias": bias}
    return Layer("Linear", linear(in_features, out_features, bias, dtype), arguments, call)


def _lazy_linear(a: SimpleNamespace) -> Build:
    def build(shape: Shape | None) -> Built:
        if not shape:
            raise DefinitionError("LazyLinear needs the shape of its input: give `input:`")
        return linear(shape[-1], a.out_features, a.bias, dtype_of(a))(shape)

    return build


def _bilinear(a: SimpleNamespace) -> Build:
    shape = (a.out_features, a.in1_features, a.in2_features)
    scheme, dtype = within(a.in1_features), dtype_of(a)
    return fixed(
        {
            "weight": weight(shape, scheme, dtype),
            "bias": Spec((a.out_features,), scheme, dtype=dtype) if a.bias else None,
        }
    )


def _embedding(a: SimpleNamespace) -> Build:
    n = a.num_embeddings
    if a.padding_idx is not None and not -n <= a.padding_idx < n:
        raise ExpressionError(f"padding_idx must be within num_embeddings, got {a.padding_idx}")
    scheme = "normal(0, 1)" if a.padding_idx is None else f"padded(normal(0, 1), {a.padding_idx})"
    spec = weight((n, a.embedding_dim), scheme, dtype_of(a))
    return fixed({"weight": spec}, output=lambda shape: (*shape, a.embedding_dim))


def _prelu(a: SimpleNamespace) -> Build:
    spec = Spec((a.num_parameters,), f"constant({a.init!r})", dtype=dtype_of(a))
    return fixed({"weight": spec}, output=same_shape)


def _conv1d(a: SimpleNamespace) -> Build:
    dtype = DTYPES["float32"]
    return fixed(
        {
            "weight": Spec((a.nx, a.nf), "normal(0, 0.02)", Fans(a.nx, a.nf), "in_out", dtype),
            "bias": Spec((a.nf,), "zeros", dtype=dtype),
        },
        output=lambda shape: (*shape[:-1], a.nf),
    )


def _adaptive_softmax(a: SimpleNamespace) -> Build:
    cutoffs = [*a.cutoffs]
    if not cutoffs or cutoffs != sorted(set(cutoffs)) or cutoffs[-1] >= a.n_classes:
        raise ExpressionError(f"cutoffs must grow and stay below n_classes, got {a.cutoffs}")
    dtype = dtype_of(a)
    head = linear_layer(a.in_features, cutoffs[0] + len(cutoffs), a.head_bias, dtype)
    tails: dict[str, Layer | None] = {}
    for i, (low, high) in enumerate(zip(cutoffs, [*cutoffs[1:], a.n_classes], strict=True)):
        hidden = int(a.in_features // (a.div_value ** (i + 1)))
        pair = {
            "0": linear_layer(a.in_features, hidden, False, dtype),
            "1": linear_layer(hidden, high - low, False, dtype),
        }
        tails[str(i)] = Layer("Sequential", fixed({}, pair))
    return fixed({}, {"head": head, "tail": Layer("ModuleList", fixed({}, tails))})


def _bare(a: SimpleNamespace, trainable: bool) -> Build:
    return fixed({"": Spec(tuple(a.shape), a.init, dtype=dtype_of(a), trainable=trainable)})


LINEAR = [
    declare(
        f"Linear(in_features: Size, out_features: Size, bias: Flag = True, {FACTORY})",
        lambda a: linear(a.in_features, a.out_features, a.bias, dtype_of(a)),
    ),
    declare(f"LazyLinear(out_features: Size, bias: Flag = True, {FACTORY})", _lazy_linear),
    declare(
        "Bilinear(in1_features: Size, in2_features: Size, out_features: Size, bias: Flag = True, "
        f"{FACTORY})",
        _bilinear,
    ),
    declare(
        "Embedding(num_embeddings: Size, embedding_dim: Size, padding_idx=None, max_norm=None, "
        "norm_type=2.0, scale_grad_by_freq=False, sparse=False, _weight=None, _freeze=False, "
        f"{FACTORY})",
        _embedding,
    ),
    declare(
        "EmbeddingBag(num_embeddings: Size, embedding_dim: Size, max_norm=None, norm_type=2.0, "
        "scale_grad_by_freq=False, mode='mean', sparse=False, _weight=None, "
        f"include_last_offset=False, padding_idx=None, {FACTORY})",
        _embedding,
    ),
    declare(f"PReLU(num_parameters: Size = 1, init: Number = 0.25, {FACTORY})", _prelu),
    declare("Conv1D(nf: Size, nx: Size)", _conv1d),
    declare(
        "AdaptiveLogSoftmaxWithLoss(in_features: Size, n_classes: Size, cutoffs: Sizes, "
        f"div_value: Number = 4.0, head_bias: Flag = False, {FACTORY})",
        _adaptive_softmax,
    ),
    declare(
        "Parameter(*shape: Size, init: Text = 'normal(0, 1)', dtype: TypeName | None = None)",
        lambda a: _bare(a, trainable=True),
    ),
    declare(
        "Buffer(*shape: Size, init: Text = 'zeros', dtype: TypeName | None = None)",
        lambda a: _bare(a, trainable=False),
    ),
]
"""Names and layer functions."""
