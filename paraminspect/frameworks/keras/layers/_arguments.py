"""Arguments that change no parameter, and are checked all the same: activations and penalties."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from paraminspect.errors import ExpressionError, nearest
from paraminspect.frameworks._declare import declare_call
from paraminspect.language import format_value

# fmt: off
ACTIVATIONS = (
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish",
    "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink",
    "threshold",
)
"""Every name that `keras.activations.get` knows."""
# fmt: on


@dataclass(frozen=True)
class Regularizer:
    """A penalty on the values of a parameter."""

    call: str

    def __str__(self) -> str:
        return self.call


@dataclass(frozen=True)
class Constraint:
    """What the values of a parameter are projected to after a step."""

    call: str

    def __str__(self) -> str:
        return self.call


def _penalty(
    type_: type[Regularizer] | type[Constraint], signature: str
) -> tuple[str, Callable[..., Regularizer | Constraint]]:
    return declare_call(signature, lambda declared, given: type_(declared.call(given)))


PENALTIES = dict(
    [
        _penalty(Regularizer, "L1(l1: Number = 0.01)"),
        _penalty(Regularizer, "L2(l2: Number = 0.01)"),
        _penalty(Regularizer, "L1L2(l1: Number = 0.0, l2: Number = 0.0)"),
        _penalty(
            Regularizer,
            "OrthogonalRegularizer(factor: Number = 0.01, "
            "mode: Literal['rows', 'columns'] = 'rows')",
        ),
        _penalty(Constraint, "MaxNorm(max_value: Number = 2, axis: Integers = 0)"),
        _penalty(
            Constraint,
            "MinMaxNorm(min_value: Number = 0.0, max_value: Number = 1.0, rate: Number = 1.0, "
            "axis: Integers = 0)",
        ),
        _penalty(Constraint, "NonNeg()"),
        _penalty(Constraint, "UnitNorm(axis: Integers = 0)"),
    ]
)
"""What may be called in a `..._regularizer` or `..._constraint`."""

_REGULARIZERS = ("L1", "L2", "L1L2", "OrthogonalRegularizer")
_CONSTRAINTS = ("MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm")
_KNOWN: dict[str, tuple[tuple[str, ...], type | None, str]] = {
    "activation": (ACTIVATIONS, None, "an activation like 'relu'"),
    "regularizer": (
        (*_REGULARIZERS, "l1", "l2", "l1l2", "orthogonal_regularizer"),
        Regularizer,
        "a regularizer like 'l2' or L2(0.01)",
    ),
    "constraint": (
        (*_CONSTRAINTS, "max_norm", "min_max_norm", "non_neg", "unit_norm"),
        Constraint,
        "a constraint like 'max_norm' or MaxNorm(2)",
    ),
}


def check_choices(kind: str, arguments: Mapping[str, Any]) -> None:
    """Refuse an activation, regularizer or constraint that Keras does not know."""
    for name, value in arguments.items():
        if value is None or name.rpartition("_")[2] not in _KNOWN:
            continue
        names, type_, expected = _KNOWN[name.rpartition("_")[2]]
        if type_ and isinstance(value, type_):
            continue
        if not isinstance(value, str) or value not in names:
            ending = nearest(value, names) if isinstance(value, str) else ""
            raise ExpressionError(
                f"{kind}: {name} must be {expected}, got {format_value(value)}{ending}"
            )
