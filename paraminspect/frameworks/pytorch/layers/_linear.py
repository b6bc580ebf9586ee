"""Linear layers."""

from __future__ import annotations

import math
import sys
from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.errors import ExpressionError
from paraminspect.frameworks._declare import declare
from paraminspect.frameworks._inputs import expect_length
from paraminspect.frameworks.pytorch.layers._parameters import (
    FACTORY,
    KAIMING,
    dtype_of,
    weight,
    within,
)
from paraminspect.tree.layers import Build, Built, Fans, Layer, Spec, UnknownInputError, fixed


def _linear(a: SimpleNamespace) -> Build:
    return _of_features(a, a.in_features)


def _of_features(a: SimpleNamespace, in_features: int) -> Build:
    dtype = dtype_of(a)

    def output(shape: Shape) -> Shape:
        expect_length(shape, -1, in_features, "features")
        return (*shape[:-1], a.out_features)

    return fixed(
        {
            "weight": weight((a.out_features, in_features), KAIMING, dtype),
            "bias": Spec((a.out_features,), within(in_features), dtype=dtype) if a.bias else None,
        },
        output=output,
    )


def _lazy_linear(a: SimpleNamespace) -> Build:
    _of_features(a, 0)  # refuses what no input can mend

    def build(shape: Shape | None) -> Built:
        if not shape:
            raise UnknownInputError("LazyLinear")
        return _of_features(a, shape[-1])(shape)

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


def _conv1d(a: SimpleNamespace) -> Build:
    """`transformers.pytorch_utils.Conv1D`: a linear layer with its weight transposed."""

    def output(shape: Shape) -> Shape:
        expect_length(shape, -1, a.nx, "features")
        return (*shape[:-1], a.nf)

    return fixed(
        {
            "weight": Spec((a.nx, a.nf), "normal(0, 0.02)", Fans(a.nx, a.nf), "in_out"),
            "bias": Spec((a.nf,), "zeros"),
        },
        output=output,
    )


def _adaptive_softmax(a: SimpleNamespace) -> Build:
    cutoffs = [*a.cutoffs] if isinstance(a.cutoffs, tuple | list) else []
    if not cutoffs or cutoffs != sorted(set(cutoffs)) or cutoffs[-1] >= a.n_classes:
        raise ExpressionError(
            f"cutoffs must be a list that grows and stays below n_classes, got {a.cutoffs}"
        )
    if a.div_value <= 0 or math.log2(a.div_value) * len(cutoffs) >= sys.float_info.max_exp:
        raise ExpressionError(f"div_value must be above 0 and not too large, got {a.div_value}")
    linear = LINEAR["Linear"]
    head = linear(a.in_features, cutoffs[0] + len(cutoffs), a.head_bias, dtype=a.dtype)
    tails: dict[str, Layer | None] = {}
    for i, (low, high) in enumerate(zip(cutoffs, [*cutoffs[1:], a.n_classes], strict=True)):
        hidden = int(a.in_features // (a.div_value ** (i + 1)))
        pair = {
            "0": linear(a.in_features, hidden, False, dtype=a.dtype),
            "1": linear(hidden, high - low, False, dtype=a.dtype),
        }
        tails[str(i)] = Layer("Sequential", fixed({}, pair))
    return fixed({}, {"head": head, "tail": Layer("ModuleList", fixed({}, tails))})


LINEAR = dict(
    [
        declare(
            f"Linear(in_features: Count, out_features: Count, bias: Flag = True, {FACTORY})",
            _linear,
        ),
        declare(f"LazyLinear(out_features: Count, bias: Flag = True, {FACTORY})", _lazy_linear),
        declare(
            "Bilinear(in1_features: Size, in2_features: Count, out_features: Count, "
            f"bias: Flag = True, {FACTORY})",
            _bilinear,
        ),
        declare("Conv1D(nf: Count, nx: Count)", _conv1d),
        declare(
            "AdaptiveLogSoftmaxWithLoss(in_features: Count, n_classes: Size, cutoffs: Sizes, "
            f"div_value: Number = 4.0, head_bias: Flag = False, {FACTORY})",
            _adaptive_softmax,
        ),
    ]
)
"""Layer functions by name."""
