"""Initializers: how schemes are written, and which there are.

A scheme is a call in the expression language, `kaiming_uniform(a=5**0.5)`; a bare name is a call
without arguments, a bare number a constant. A list is drawn in turn: each item is a scheme that
draws anew, or an expression of `x`, the value so far: `[uniform(-10, 10), x * (abs(x) >= 5)]`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from paraminspect.address import Address
from paraminspect.arrays import Array
from paraminspect.distributions import Change, Constant, Distribution, Steps
from paraminspect.edit import assign
from paraminspect.errors import ParamInspectError, SchemeError
from paraminspect.expressions import CONSTANTS, Expression, call, parse_expression
from paraminspect.initializers import _basic, _matrices, _scaled
from paraminspect.initializers._calls import SchemeFunction, Undrawn, checked
from paraminspect.initializers._numbers import FUNCTIONS
from paraminspect.initializers._target import LAYOUTS, Scheme, Target, fans_of
from paraminspect.initializers._user import UserFunctions, user_scheme
from paraminspect.tree import Parameter, ParameterTree

__all__ = [
    "ALIASES",
    "FAMILIES",
    "LAYOUTS",
    "SCHEMES",
    "Scheme",
    "SchemeFunction",
    "Target",
    "UserFunctions",
    "fans_of",
    "parse_scheme",
    "user_scheme",
]

FAMILIES: dict[str, dict[str, SchemeFunction]] = {
    "PyTorch": {
        "zeros": _basic.zeros,
        "ones": _basic.ones,
        "constant": _basic.constant,
        "uniform": _basic.uniform,
        "normal": _basic.normal,
        "trunc_normal": _basic.trunc_normal,
        "xavier_uniform": _scaled.xavier_uniform,
        "xavier_normal": _scaled.xavier_normal,
        "kaiming_uniform": _scaled.kaiming_uniform,
        "kaiming_normal": _scaled.kaiming_normal,
        "orthogonal": _matrices.orthogonal,
        "sparse": _basic.sparse,
        "identity": _matrices.identity,
        "dirac": _matrices.dirac,
        "padded": _basic.padded,
    },
    "Keras and JAX": {
        "random_uniform": _basic.random_uniform,
        "random_normal": _basic.random_normal,
        "truncated_normal": _basic.truncated_normal,
        "variance_scaling": _scaled.variance_scaling,
        "glorot_uniform": _scaled.glorot_uniform,
        "glorot_normal": _scaled.glorot_normal,
        "he_uniform": _scaled.he_uniform,
        "he_normal": _scaled.he_normal,
        "lecun_uniform": _scaled.lecun_uniform,
        "lecun_normal": _scaled.lecun_normal,
        "delta_orthogonal": _matrices.delta_orthogonal,
    },
    "MXNet": {
        "Uniform": _basic.scaled_uniform,
        "Normal": _basic.scaled_normal,
        "xavier": _scaled.xavier,
        "msraprelu": _scaled.msraprelu,
        "orthogonal_svd": _matrices.orthogonal_svd,
        "bilinear": _matrices.bilinear,
        "lstm_bias": _matrices.lstm_bias,
    },
}
"""Name to function, by whose words they are."""

SCHEMES: dict[str, SchemeFunction] = {
    name: function for family in FAMILIES.values() for name, function in family.items()
}

ALIASES: dict[str, str] = {
    "zero": "zeros", "Zeros": "zeros", "Zero": "zeros",
    "one": "ones", "Ones": "ones", "One": "ones",
    "Constant": "constant",
    "eye": "identity", "Identity": "identity", "IdentityInitializer": "identity",
    "RandomUniform": "random_uniform", "RandomNormal": "random_normal",
    "TruncatedNormal": "truncated_normal", "VarianceScaling": "variance_scaling",
    "GlorotUniform": "glorot_uniform", "GlorotNormal": "glorot_normal",
    "HeUniform": "he_uniform", "HeNormal": "he_normal",
    "LecunUniform": "lecun_uniform", "LecunNormal": "lecun_normal",
    "Orthogonal": "orthogonal", "OrthogonalInitializer": "orthogonal",
    "Xavier": "xavier", "MSRAPrelu": "msraprelu", "Bilinear": "bilinear",
    "LSTMBias": "lstm_bias", "lstmbias": "lstm_bias",
}  # fmt: skip
"""What else the frameworks write. torch.nn.init's trailing underscore may stay."""

OF_FRAMEWORK: dict[str, dict[str, str]] = {
    "mxnet": {"Orthogonal": "orthogonal_svd", "orthogonal": "orthogonal_svd"}
}
"""Names that mean another scheme in one framework."""

ABSENT: dict[str, str] = {
    "Mixed": "give a --rule for each pattern, or `init:` in the definition",
    "Load": "give --rule 'PATTERN=@FILE.npy', or fill a checkpoint by --missing-from",
    "FusedRNN": "each matrix has a name of its own here: give a --rule for each",
    "STFT": "its kernels are computed, not drawn: give them by @FILE.npy",
    "STFTInitializer": "its kernels are computed, not drawn: give them by @FILE.npy",
}
"""Initializers of the frameworks that are not offered, with what to do instead."""

_VALUE = "x"
"""The name of the value so far."""


def parse_scheme(
    text: str,
    framework: str | None = None,
    own: Mapping[str, SchemeFunction] | None = None,
) -> Scheme:
    """The scheme that a user wrote; raises `SchemeError`. `own` are the user's own functions."""
    try:
        return _parse(text, framework, own or {})
    except SchemeError:
        raise
    except ParamInspectError as error:
        raise SchemeError(str(error)) from None


def _parse(text: str, framework: str | None, own: Mapping[str, SchemeFunction]) -> Scheme:
    expression = parse_expression(text)
    offered = {n: checked(own[n]) if n in expression.names else _unused for n in own}
    functions = {**_functions(framework), **offered}
    for name in expression.names:
        if name in ABSENT and name not in functions:
            raise SchemeError(f"{name} is no scheme of one parameter: {ABSENT[name]}")
    parts = expression.items()
    if parts is None:
        return _scheme(expression, functions)
    steps = [_step(part, functions) for part in parts]
    if not steps or isinstance(steps[0], Change):
        raise SchemeError(f"the first step must be a scheme that draws x, got {text}")
    return functools.partial(_in_steps, tuple(steps))


def _unused() -> Scheme:
    """Stands for a function of the user's that need not be loaded."""
    raise AssertionError


def _in_steps(steps: tuple[Scheme | Change, ...], target: Target) -> Distribution:
    return Steps(tuple(s if isinstance(s, Change) else s(target) for s in steps))


def _step(expression: Expression, functions: Mapping[str, SchemeFunction]) -> Scheme | Change:
    if _VALUE in expression.names:
        return Change(functools.partial(_changed, expression))
    return _scheme(expression, functions)


def _changed(expression: Expression, array: Array) -> Array:
    """What the command `set` would make of an array."""
    name = expression.text
    tree = ParameterTree({name: Parameter(name, array)})
    changed: Array = assign(tree, Address(name), expression)[name].data
    return changed


def _scheme(expression: Expression, functions: Mapping[str, SchemeFunction]) -> Scheme:
    if _VALUE in expression.names:
        raise SchemeError(
            f"x is the value so far: draw it first, as in [normal(0, 1), {expression.text}]"
        )
    known = {**functions, **FUNCTIONS, **functions}  # in errors schemes come first
    value = expression.evaluate(_BareNames(functions), known)
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
        return lambda target: Constant(number)
    if not isinstance(value, Undrawn):
        raise SchemeError(f"expected a scheme like normal(0, 0.02), got {expression.text!r}")
    return value


class _BareNames(Mapping[str, Any]):
    """The names that a scheme may use: numbers, and schemes that are called without arguments."""

    def __init__(self, functions: Mapping[str, SchemeFunction]) -> None:
        self._functions = functions

    def __getitem__(self, name: str) -> Any:
        return CONSTANTS[name] if name in CONSTANTS else call(self._functions[name], name, [], {})

    def __iter__(self) -> Iterator[str]:
        return iter([*CONSTANTS, *self._functions])

    def __len__(self) -> int:
        return len(CONSTANTS) + len(self._functions)


@functools.cache
def _functions(framework: str | None) -> dict[str, SchemeFunction]:
    """Every scheme under every name that a user of a framework may write."""
    aliases = {**ALIASES, **OF_FRAMEWORK.get(framework or "", {})}
    table = {**SCHEMES, **{alias: SCHEMES[name] for alias, name in aliases.items()}}
    named = {**table, **{f"{name}_": function for name, function in table.items()}}
    return {name: checked(function) for name, function in named.items()}
