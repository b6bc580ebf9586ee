"""Schemes scaled by fans: one general form per framework family, specializations in a line.

PyTorch and MXNet scale in another order than Keras and JAX; the last bit of a bound depends on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from paraminspect.errors import SchemeError, nearest
from paraminspect.init.distributions import (
    TRUNCATED_STD,
    Constant,
    Distribution,
    Normal,
    TruncatedNormal,
    Uniform,
)
from paraminspect.init.schemes._target import Number, Scheme, Target, Text
from paraminspect.tree.layers import Fans

GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "conv_transpose1d": 1.0,
    "conv_transpose2d": 1.0,
    "conv_transpose3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4,
}
"""Gain of each nonlinearity (`torch.nn.init.calculate_gain`); that of leaky_relu has a slope."""


def calculate_gain(nonlinearity: str, slope: float = 0.01) -> float:
    """The gain that keeps the variance through a nonlinearity (`torch.nn.init.calculate_gain`)."""
    if nonlinearity == "leaky_relu":
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in GAINS:
        known = ", ".join([*GAINS, "leaky_relu"])
        ending = nearest(nonlinearity, [*GAINS, "leaky_relu"])
        raise SchemeError(f"unknown nonlinearity {nonlinearity!r}, known are {known}{ending}")
    return GAINS[nonlinearity]


def _uniform_of_std(std: float) -> Distribution:
    bound = math.sqrt(3.0) * std
    return Uniform(-bound, bound)


def xavier_uniform(gain: Number = 1.0) -> Scheme:
    """U(-a, a), a = gain·sqrt(6 / (fan_in + fan_out)).

    torch.nn.init.xavier_uniform_ [Glorot & Bengio 2010, eq. 16].
    """
    return lambda target: _uniform_of_std(_xavier_std(target, gain))


def xavier_normal(gain: Number = 1.0) -> Scheme:
    """N(0, std²), std = gain·sqrt(2 / (fan_in + fan_out)).

    torch.nn.init.xavier_normal_ [Glorot & Bengio 2010, eq. 12].
    """
    return lambda target: Normal(0.0, _xavier_std(target, gain))


def _xavier_std(target: Target, gain: float) -> float:
    fans = target.known_fans
    if not sum(fans):
        raise SchemeError(f"fan_in + fan_out is 0 for shape {list(target.shape)}")
    return gain * math.sqrt(2.0 / float(sum(fans)))


def kaiming_uniform(
    a: Number = 0, mode: Text = "fan_in", nonlinearity: Text = "leaky_relu"
) -> Scheme:
    """U(-b, b), b = gain·sqrt(3 / fan), gain of the nonlinearity (slope a for leaky_relu).

    torch.nn.init.kaiming_uniform_ [He et al. 2015, eq. 10 and 15].
    """
    return _kaiming(a, mode, nonlinearity, _uniform_of_std)


def kaiming_normal(
    a: Number = 0, mode: Text = "fan_in", nonlinearity: Text = "leaky_relu"
) -> Scheme:
    """N(0, std²), std = gain / sqrt(fan), gain of the nonlinearity (slope a for leaky_relu).

    torch.nn.init.kaiming_normal_ [He et al. 2015, eq. 10 and 15]. Not cut, unlike he_normal.
    """
    return _kaiming(a, mode, nonlinearity, lambda std: Normal(0.0, std))


def _kaiming(
    a: float, mode: str, nonlinearity: str, of_std: Callable[[float], Distribution]
) -> Scheme:
    gain = calculate_gain(nonlinearity, a)
    _check_choice("mode", mode, ("fan_in", "fan_out"))

    def apply(target: Target) -> Distribution:
        if 0 in target.shape:
            return Constant(0.0)
        fan = getattr(target.known_fans, mode)
        return of_std(gain / math.sqrt(fan))

    return apply


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        ending = nearest(value, choices)
        raise SchemeError(f"{name} must be one of {', '.join(choices)}, got {value!r}{ending}")


MODES: dict[str, Callable[[Fans], float]] = {
    "fan_in": lambda fans: fans.fan_in,
    "fan_out": lambda fans: fans.fan_out,
    "fan_avg": lambda fans: (fans.fan_in + fans.fan_out) / 2.0,
    "fan_geo_avg": lambda fans: math.sqrt(fans.fan_in * fans.fan_out),
}
"""What `variance_scaling` divides by."""

DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


def variance_scaling(
    scale: Number = 1.0, mode: Text = "fan_in", distribution: Text = "truncated_normal"
) -> Scheme:
    """Variance scale / fan; normal cut at ±2 std and corrected for it, plain normal, or uniform.

    keras VarianceScaling, jax variance_scaling. distribution: truncated_normal, untruncated_normal,
    uniform; mode: fan_in, fan_out, fan_avg, fan_geo_avg (jax).
    """
    if scale <= 0:
        raise SchemeError(f"scale must be positive, got {scale}")
    if distribution == "normal":
        raise SchemeError(
            "normal is truncated_normal in Keras and untruncated_normal in JAX: write which"
        )
    _check_choice("mode", mode, tuple(MODES))
    _check_choice("distribution", distribution, DISTRIBUTIONS)

    def apply(target: Target) -> Distribution:
        variance = scale / max(1.0, MODES[mode](target.known_fans))
        if distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return Uniform(-limit, limit, variance)
        std = math.sqrt(variance)
        if distribution == "truncated_normal":
            return TruncatedNormal(0.0, std / TRUNCATED_STD, -2.0, 2.0, True, variance)
        return Normal(0.0, std, variance)

    return apply


def glorot_uniform() -> Scheme:
    """U(-a, a), a = sqrt(6 / (fan_in + fan_out)).

    keras GlorotUniform, jax glorot_uniform [Glorot & Bengio 2010, eq. 16].
    """
    return variance_scaling(1.0, "fan_avg", "uniform")


def glorot_normal() -> Scheme:
    """Normal of std sqrt(2 / (fan_in + fan_out)), cut at ±2 std and corrected for it.

    keras GlorotNormal, jax glorot_normal [Glorot & Bengio 2010, eq. 12].
    """
    return variance_scaling(1.0, "fan_avg", "truncated_normal")


def he_uniform() -> Scheme:
    """U(-a, a), a = sqrt(6 / fan_in).

    keras HeUniform, jax he_uniform [He et al. 2015, eq. 10].
    """
    return variance_scaling(2.0, "fan_in", "uniform")


def he_normal() -> Scheme:
    """Normal of std sqrt(2 / fan_in), cut at ±2 std and corrected for it.

    keras HeNormal, jax he_normal [He et al. 2015, eq. 10].
    """
    return variance_scaling(2.0, "fan_in", "truncated_normal")


def lecun_uniform() -> Scheme:
    """U(-a, a), a = sqrt(3 / fan_in).

    keras LecunUniform, jax lecun_uniform [LeCun et al. 1998, section 4.6].
    """
    return variance_scaling(1.0, "fan_in", "uniform")


def lecun_normal() -> Scheme:
    """Normal of std sqrt(1 / fan_in), cut at ±2 std and corrected for it.

    keras LecunNormal, jax lecun_normal [Klambauer et al. 2017].
    """
    return variance_scaling(1.0, "fan_in", "truncated_normal")


def xavier(rnd_type: Text = "uniform", factor_type: Text = "avg", magnitude: Number = 3) -> Scheme:
    """U(-s, s) or N(0, s²), s = sqrt(magnitude / fan); fan: avg, in or out.

    mxnet Xavier: rnd_type uniform or gaussian. The default is xavier_uniform.
    """
    _check_choice("rnd_type", rnd_type, ("uniform", "gaussian"))
    _check_choice("factor_type", factor_type, tuple(_FACTORS))
    if magnitude < 0:
        raise SchemeError(f"magnitude must not be negative, got {magnitude}")

    def apply(target: Target) -> Distribution:
        factor = MODES[_FACTORS[factor_type]](target.known_fans)
        if not factor:
            raise SchemeError(f"the fan is 0 for shape {list(target.shape)}")
        scale = math.sqrt(magnitude / factor)
        return Uniform(-scale, scale) if rnd_type == "uniform" else Normal(0.0, scale)

    return apply


_FACTORS = {"avg": "fan_avg", "in": "fan_in", "out": "fan_out"}


def msraprelu(factor_type: Text = "avg", slope: Number = 0.25) -> Scheme:
    """N(0, s²), s = sqrt(2 / (1 + slope²) / fan); fan: avg, in or out.

    mxnet MSRAPrelu [He et al. 2015, eq. 15].
    """
    return xavier("gaussian", factor_type, 2.0 / (1 + slope**2))
