"""Schemes that need no fans: constants, plain distributions, and patterns.

The first line of a docstring is the formula, the rest the source: the list of schemes shows both.
"""

from __future__ import annotations

from paraminspect.errors import SchemeError
from paraminspect.init.distributions import (
    Constant,
    Distribution,
    Normal,
    Padded,
    Sparse,
    TruncatedNormal,
    Uniform,
)
from paraminspect.init.schemes._target import Number, Scheme, Size, Target, Value


def zeros() -> Scheme:
    """0.

    torch.nn.init.zeros_, keras Zeros, mxnet Zero.
    """
    return constant(0.0)


def ones() -> Scheme:
    """1.

    torch.nn.init.ones_, keras Ones, mxnet One.
    """
    return constant(1.0)


def constant(value: Value = 0.0) -> Scheme:
    """The value; a bare number is short for it: 0.weight=42.

    torch.nn.init.constant_, keras Constant, mxnet Constant.
    """
    return lambda target: Constant(value)


def uniform(a: Number | None = None, b: Number | None = None) -> Scheme:
    """U(a, b), by default U(0, 1); a framework may have another default.

    torch.nn.init.uniform_; a single number is refused, as it differs between frameworks.
    """
    if (a is None) != (b is None):
        raise SchemeError(
            "uniform needs both bounds: a single number means U(a, 1) in PyTorch,"
            " U(-scale, scale) in MXNet and U(0, scale) in JAX"
        )
    low, high = (0.0, 1.0) if a is None or b is None else (float(a), float(b))
    if low > high:
        raise SchemeError(f"uniform needs a <= b, got uniform({a}, {b})")
    return lambda target: Uniform(low, high)


def normal(mean: Number | None = None, std: Number | None = None) -> Scheme:
    """N(mean, std²), by default N(0, 1); a framework may have another default.

    torch.nn.init.normal_; a single number is refused, as it differs between frameworks.
    """
    if mean is not None and std is None:
        raise SchemeError(
            "normal needs mean and std: a single number is the mean in PyTorch and Keras,"
            " the standard deviation in MXNet and JAX"
        )
    spread = 1.0 if std is None else float(std)
    if spread < 0:
        raise SchemeError(f"the standard deviation must not be negative, got {std}")
    return lambda target: Normal(float(mean or 0.0), spread)


def uniform_(a: Number = 0.0, b: Number = 1.0) -> Scheme:
    """U(a, b).

    torch.nn.init.uniform_, with its own defaults.
    """
    return uniform(a, b)


def normal_(mean: Number = 0.0, std: Number = 1.0) -> Scheme:
    """N(mean, std²).

    torch.nn.init.normal_, with its own defaults.
    """
    return normal(mean, std)


def constant_(val: Value) -> Scheme:
    """The value.

    torch.nn.init.constant_, with its own name of the argument.
    """
    return constant(val)


def random_uniform(minval: Number = -0.05, maxval: Number = 0.05) -> Scheme:
    """U(minval, maxval).

    keras RandomUniform.
    """
    return uniform(minval, maxval)


def random_normal(mean: Number = 0.0, stddev: Number = 0.05) -> Scheme:
    """N(mean, stddev²).

    keras RandomNormal.
    """
    return normal(mean, stddev)


def scaled_uniform(scale: Number = 0.07) -> Scheme:
    """U(-scale, scale).

    mxnet Uniform.
    """
    return uniform(-scale, scale)


def scaled_normal(sigma: Number = 0.01) -> Scheme:
    """N(0, sigma²).

    mxnet Normal.
    """
    return normal(0.0, sigma)


def trunc_normal(mean: Number = 0.0, std: Number = 1.0, a: Value = -2.0, b: Value = 2.0) -> Scheme:
    """N(mean, std²), drawn again outside [a, b]: the bounds are values.

    torch.nn.init.trunc_normal_.
    """
    _check_std(std)
    if not a < b:
        raise SchemeError(f"trunc_normal needs a < b, got a={a}, b={b}")
    return lambda target: TruncatedNormal(
        float(mean), float(std), float(a), float(b), relative=False
    )


def truncated_normal(
    mean: Number = 0.0, stddev: Number = 0.05, lower: Value = -2.0, upper: Value = 2.0
) -> Scheme:
    """N(mean, stddev²), drawn again outside mean + [lower, upper]·stddev.

    keras TruncatedNormal; jax truncated_normal (whose default stddev is 0.01). Not std-corrected.
    """
    _check_std(stddev)
    if not lower < upper:
        raise SchemeError(f"truncated_normal needs lower < upper, got {lower} and {upper}")
    return lambda target: TruncatedNormal(
        float(mean), float(stddev), float(lower), float(upper), relative=True
    )


def _check_std(std: float) -> None:
    if std <= 0:
        raise SchemeError(f"the standard deviation must be positive, got {std}")


def sparse(sparsity: Number, std: Number = 0.01) -> Scheme:
    """N(0, std²) with ceil(sparsity·rows) zeros in each column; 2 axes.

    torch.nn.init.sparse_ [Martens 2010, section 5].
    """
    if not 0 <= sparsity <= 1:
        raise SchemeError(f"sparsity is a share from 0 to 1, got {sparsity}")

    def apply(target: Target) -> Distribution:
        if len(target.shape) != 2:
            raise SchemeError(f"sparse needs 2 axes, got shape {list(target.shape)}")
        return Sparse(float(sparsity), float(std))

    return apply


def padded(scheme: Scheme, row: Size) -> Scheme:
    """As the scheme, but one row is 0.

    torch.nn.Embedding(padding_idx=3) is padded(normal(0, 1), 3).
    """
    if not callable(scheme) or type(row) is not int:
        raise SchemeError("padded takes a scheme and the number of a row: padded(normal(0, 1), 3)")

    def apply(target: Target) -> Distribution:
        if not target.shape or not -target.shape[0] <= row < target.shape[0]:
            raise SchemeError(f"row {row} is outside of shape {list(target.shape)}")
        return Padded(scheme(target), row)

    return apply
