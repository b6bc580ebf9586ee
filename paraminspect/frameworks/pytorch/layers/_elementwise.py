"""Layers that keep the shape and have few or no parameters: activations, softmax, dropout."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError, ExpressionError
from paraminspect.frameworks._declare import declare
from paraminspect.frameworks._inputs import batch_axis, expect_axes, expect_length
from paraminspect.frameworks.pytorch.layers._parameters import FACTORY, FILLED, dtype_of
from paraminspect.tree.layers import Build, Layer, Spec, fixed, same_shape


def _same(a: SimpleNamespace) -> Build:
    return fixed(output=same_shape)


def _two_inputs(a: SimpleNamespace) -> Build:
    """A layer that compares two inputs: in a sequence nothing can follow it."""
    return fixed()


def _prelu(a: SimpleNamespace) -> Build:
    def output(shape: Shape) -> Shape:
        if a.num_parameters != 1:
            expect_length(shape, 0, a.num_parameters, "channels")
        return shape

    dtype = dtype_of(a, FILLED)
    spec = Spec((a.num_parameters,), f"constant({a.init!r})", dtype=dtype)
    return fixed({"weight": spec}, output=output)


def _along_an_axis(a: SimpleNamespace) -> Build:
    def output(shape: Shape) -> Shape:
        if a.dim is not None:
            batch_axis(a.dim, shape)
        return shape

    return fixed(output=output)


def _of_axes(*allowed: int) -> Callable[[SimpleNamespace], Build]:
    def output(shape: Shape) -> Shape:
        expect_axes(shape, *allowed)
        return shape

    return lambda a: fixed(output=output)


def _halved(a: SimpleNamespace) -> Build:
    """`GLU`: one half gates the other."""

    def output(shape: Shape) -> Shape | None:
        axis = batch_axis(a.dim, shape)
        if axis == 0:
            return None  # the batch is halved: examples are no longer told apart
        if shape[axis - 1] % 2:
            raise DefinitionError(f"expected an even size along dim {a.dim}, got {list(shape)}")
        return (*shape[: axis - 1], shape[axis - 1] // 2, *shape[axis:])

    return fixed(output=output)


def _hardtanh(a: SimpleNamespace) -> Build:
    low = a.min_val if a.min_value is None else a.min_value
    high = a.max_val if a.max_value is None else a.max_value
    if high <= low:
        raise ExpressionError(f"max_val {high} must be greater than min_val {low}")
    return fixed(output=same_shape)


def _rrelu(a: SimpleNamespace) -> Build:
    if a.lower > a.upper:
        raise ExpressionError(f"lower {a.lower} must not be above upper {a.upper}")
    return fixed(output=same_shape)


def _celu(a: SimpleNamespace) -> Build:
    if a.alpha == 0:
        raise ExpressionError("alpha must not be 0")
    return fixed(output=same_shape)


_IN_PLACE = "inplace: Flag = False"
_DROPOUT = f"p: Probability = 0.5, {_IN_PLACE}"
_DIM = "dim: Integer | None = None"


def _all(signatures: list[str], make: Callable[[SimpleNamespace], Build]) -> list[Declared]:
    return [declare(signature, make) for signature in signatures]


Declared = tuple[str, Callable[..., Layer]]

_WITHOUT_ARGUMENTS = ("LogSigmoid", "Sigmoid", "Softsign", "Tanh", "Tanhshrink")
_WITH_IN_PLACE = ("Hardsigmoid", "Hardswish", "Mish", "ReLU", "ReLU6", "SELU", "SiLU")
_DROPOUTS = ("Dropout", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout")

_SAME = [
    "Identity(*args, **kwargs)",
    *(f"{name}()" for name in _WITHOUT_ARGUMENTS),
    *(f"{name}({_IN_PLACE})" for name in _WITH_IN_PLACE),
    *(f"{name}({_DROPOUT})" for name in _DROPOUTS),
    f"ELU(alpha: Number = 1.0, {_IN_PLACE})",
    "GELU(approximate: Literal['none', 'tanh'] = 'none')",
    "Hardshrink(lambd: Number = 0.5)",
    f"LeakyReLU(negative_slope: Number = 0.01, {_IN_PLACE})",
    "Softplus(beta: Number = 1.0, threshold: Number = 20.0)",
    "Softshrink(lambd: Number = 0.5)",
    f"Threshold(threshold: Number, value: Number, {_IN_PLACE})",
]

ELEMENTWISE: dict[str, Callable[..., Layer]] = dict(
    [
        *_all(_SAME, _same),
        declare(f"CELU(alpha: Number = 1.0, {_IN_PLACE})", _celu),
        declare(
            "Hardtanh(min_val: Number = -1.0, max_val: Number = 1.0, "
            f"{_IN_PLACE}, min_value: Number | None = None, max_value: Number | None = None)",
            _hardtanh,
        ),
        declare(
            f"RReLU(lower: Number = 0.125, upper: Number = 0.3333333333333333, {_IN_PLACE})",
            _rrelu,
        ),
        declare(f"PReLU(num_parameters: Count = 1, init: Number = 0.25, {FACTORY})", _prelu),
        declare("GLU(dim: Integer = -1)", _halved),
        declare(f"Dropout1d({_DROPOUT})", _of_axes(1, 2)),
        declare("Softmax2d()", _of_axes(2, 3)),
        *_all([f"{name}({_DIM})" for name in ("LogSoftmax", "Softmax", "Softmin")], _along_an_axis),
        *_all(
            [
                "CosineSimilarity(dim: Integer = 1, eps: Number = 1e-08)",
                "PairwiseDistance(p: Number = 2.0, eps: Number = 1e-06, keepdim: Flag = False)",
            ],
            _two_inputs,
        ),
    ]
)
"""Layer functions by name."""
