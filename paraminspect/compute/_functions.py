"""Tensor functions that layers share, over NumPy as autograd sees it.

What a `forward` calls are the frameworks' own functions (`functions` in their folders).
"""

from __future__ import annotations

import math
from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute._special import erf
from paraminspect.compute._steady import where
from paraminspect.errors import ShapeError


def relu(x: Any) -> Any:
    """max(x, 0); the derivative at 0 is 0. NaN stays NaN, as everywhere here."""
    return where(x <= 0, numpy.zeros((), x.dtype), x)


def relu6(x: Any) -> Any:
    """min(max(x, 0), 6)."""
    return where(x >= 6, numpy.asarray(6, x.dtype), relu(x))


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """X where it is positive, else negative_slope * x."""
    return where(x > 0, x, negative_slope * x)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (np.tanh(0.5 * x) + 1)


def silu(x: Any) -> Any:
    """X * sigmoid(x) [Elfwing 2018]."""
    return x * sigmoid(x)


def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """log(1 + exp(beta * x)) / beta, linear above the threshold as in PyTorch."""
    scaled = x * beta
    return where(scaled > threshold, x, np.logaddexp(scaled, numpy.zeros((), x.dtype)) / beta)


def logsigmoid(x: Any) -> Any:
    """The logarithm of sigmoid, without overflow."""
    return -softplus(-x, threshold=math.inf)


def gelu(x: Any, approximate: str = "none") -> Any:
    """X * Phi(x) [Hendrycks & Gimpel 2016]; `approximate='tanh'` is their formula with tanh."""
    if approximate == "tanh":
        inner = float(numpy.sqrt(2 / numpy.pi)) * (x + 0.044715 * x * x * x)
        return 0.5 * x * (1 + np.tanh(inner))
    return 0.5 * x * (1 + erf(x * float(numpy.sqrt(0.5))))


def elu(x: Any, alpha: float = 1.0) -> Any:
    """X where it is positive, else alpha * (exp(x) - 1) [Clevert 2016]."""
    return where(x > 0, x, alpha * np.expm1(where(x > 0, numpy.zeros((), x.dtype), x)))


def celu(x: Any, alpha: float = 1.0) -> Any:
    """X where it is positive, else alpha * (exp(x / alpha) - 1) [Barron 2017]."""
    return where(x > 0, x, elu(x / alpha, alpha))


def shrink(x: Any, limit: float, away: float) -> Any:
    """0 up to `limit` from 0, else `x`, moved by `away` towards 0."""
    shrunk = where(x < 0, x + away, x - away)
    return where(np.abs(x) <= limit, numpy.zeros((), x.dtype), shrunk)


def above(x: Any, threshold: float, value: float) -> Any:
    """X where it is above a threshold, else a value."""
    return where(x <= threshold, numpy.asarray(value, x.dtype), x)


def gated(x: Any, axis: int) -> Any:
    """The first half of an axis times the sigmoid of the second [Dauphin 2017]."""
    if x.ndim < 1 or x.shape[axis] % 2:
        raise ShapeError(f"an even axis is halved, got axis {axis} of shape {list(x.shape)}")
    value, gate = split(x, x.shape[axis] // 2, axis)
    return value * sigmoid(gate)


def selu(x: Any) -> Any:
    """The self-normalizing ELU [Klambauer 2017]."""
    return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717)


def hardsigmoid(x: Any) -> Any:
    """relu6(x + 3) / 6."""
    return relu6(x + 3) / 6


def hardswish(x: Any) -> Any:
    """X * relu6(x + 3) / 6 [Howard 2019]."""
    return x * hardsigmoid(x)


def mish(x: Any) -> Any:
    """X * tanh(softplus(x)) [Misra 2019]."""
    return x * np.tanh(softplus(x))


def softmax(x: Any, dim: int | tuple[int, ...] = -1) -> Any:
    """exp(x), divided by its sum along an axis, or several."""
    return np.exp(log_softmax(x, dim))


def log_softmax(x: Any, dim: int | tuple[int, ...] = -1) -> Any:
    """The logarithm of softmax, without overflow."""
    shifted = x - plain(np.max(x, axis=dim, keepdims=True))
    return shifted - np.log(np.sum(np.exp(shifted), axis=dim, keepdims=True))


def plain(x: Any) -> Any:
    """The plain array under autograd's boxes: what no gradient goes through."""
    while hasattr(x, "_value"):
        x = x._value
    return x


def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Axes `start_dim` to `end_dim` as one."""
    first, last = start_dim % x.ndim, end_dim % x.ndim
    return np.reshape(x, (*x.shape[:first], -1, *x.shape[last + 1 :]))


def split(x: Any, size: int, dim: int = 0) -> list[Any]:
    """Pieces of `size` along an axis."""
    starts = range(0, x.shape[dim], size)
    before = (slice(None),) * (dim % x.ndim)
    return [x[(*before, slice(start, start + size))] for start in starts]


def causal_mask(length: int) -> Any:
    """`(length, length)`, True where a position must not look: at later ones."""
    return numpy.triu(numpy.ones((length, length), bool), 1)


def masked_fill(x: Any, mask: Any, value: float) -> Any:
    """`x`, with `value` where the mask is True."""
    return where(mask, numpy.asarray(value, x.dtype), x)


def attend(
    q: Any, k: Any, v: Any, heads: int, mask: Any = None, *, is_safe: bool = False
) -> tuple[Any, Any]:
    """Scaled dot-product attention of `(..., length, width)` in heads [Vaswani 2017, eq. 1].

    Where a mask leaves nothing to attend, the result is NaN, or 0 if `is_safe`.
    """

    def cut(x: Any) -> Any:
        return np.swapaxes(np.reshape(x, (*x.shape[:-1], heads, x.shape[-1] // heads)), -2, -3)

    q, k, v = cut(q), cut(k), cut(v)
    scores = np.matmul(q, np.swapaxes(k, -1, -2)) * float(q.shape[-1]) ** -0.5
    if mask is not None:
        missing = scores.shape[-1] - mask.shape[-1]  # bias_k and zeros are always attended
        mask = numpy.pad(mask, [(0, 0)] * (mask.ndim - 1) + [(0, missing)])
        scores = masked_fill(scores, mask, -numpy.inf) if mask.dtype == bool else scores + mask
    weights = _safe_softmax(scores) if is_safe else softmax(scores)
    y = np.swapaxes(np.matmul(weights, v), -2, -3)
    return np.reshape(y, (*y.shape[:-2], -1)), weights


def _safe_softmax(scores: Any) -> Any:
    """The softmax along the last axis, 0 where all scores are -inf."""
    is_empty = (plain(scores) == -numpy.inf).all(axis=-1, keepdims=True)
    return masked_fill(softmax(masked_fill(scores, is_empty, 0.0)), is_empty, 0.0)
