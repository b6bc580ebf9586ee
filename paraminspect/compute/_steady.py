"""Functions whose gradients have the dtype of what they flow back to.

autograd's own divide by int64 of NumPy and add zeros of float64, and since NumPy 2 a model in
float32 then goes backward in float64: slower, and not as the frameworks do.
"""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy
from autograd.extend import defvjp, primitive
from autograd.numpy.numpy_vjps import unbroadcast_f


@primitive
def where(condition: Any, x: Any, y: Any) -> Any:
    """`x` where the condition holds, else `y`, broadcast."""
    return numpy.where(condition, x, y)


def _nothing(g: Any) -> Any:
    return numpy.zeros((), g.dtype)


defvjp(
    where,
    None,
    lambda _, c, x, y: unbroadcast_f(x, lambda g: where(c, g, _nothing(g))),
    lambda _, c, x, y: unbroadcast_f(y, lambda g: where(c, _nothing(g), g)),
)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean along one axis, several, or all."""
    total = np.sum(x, axis=axis, keepdims=keepdims)
    return total / (np.size(x) // max(np.size(total), 1))


def variance(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean of the squared distances from the mean."""
    centred = x - mean(x, axis, keepdims=True)
    return mean(centred * centred, axis, keepdims)


@primitive
def maximum(x: Any, y: Any) -> Any:
    """The larger, element by element; equal ones share the gradient."""
    return numpy.maximum(x, y)


@primitive
def minimum(x: Any, y: Any) -> Any:
    """The smaller, element by element; equal ones share the gradient."""
    return numpy.minimum(x, y)


def _halved(g: Any, chosen: Any, equal: Any) -> Any:
    return where(chosen, where(equal, g / 2, g), _nothing(g))


for _function in (maximum, minimum):
    defvjp(
        _function,
        lambda ans, x, y: unbroadcast_f(x, lambda g: _halved(g, x == ans, x == y)),
        lambda ans, x, y: unbroadcast_f(y, lambda g: _halved(g, y == ans, x == y)),
    )


@primitive
def largest(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest along one axis, several, or all; equal ones share the gradient."""
    return numpy.max(x, axis=axis, keepdims=keepdims)


@primitive
def smallest(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest along one axis, several, or all; equal ones share the gradient."""
    return numpy.min(x, axis=axis, keepdims=keepdims)


def _shared(ans: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    kept = numpy.sum(numpy.empty(x.shape, bool), axis=axis, keepdims=True).shape

    def vjp(g: Any) -> Any:
        chosen = x == np.reshape(ans, kept)
        count = numpy.sum(chosen, axis=axis, keepdims=True, dtype=g.dtype)
        return where(chosen, np.reshape(g, kept) / count, _nothing(g))

    return vjp


defvjp(largest, _shared, argnums=(0,))
defvjp(smallest, _shared, argnums=(0,))


@primitive
def normalized(x: Any, axes: tuple[int, ...], eps: float) -> Any:
    """`x` less its mean, over the root of its variance plus `eps`, along `axes`.

    Sums are float64, as torch's are on a CPU, and the gradient is one formula [Ioffe & Szegedy
    2015, section 3]: step by step, float32 loses what large terms that cancel leave behind.
    """
    centred, root = _centred(x, axes, eps)
    return centred / root


def _centred(x: Any, axes: tuple[int, ...], eps: float) -> tuple[Any, Any]:
    centred = x - _wide_mean(x, axes)
    return centred, numpy.sqrt(_wide_mean(centred * centred, axes) + eps).astype(x.dtype)


def _wide_mean(x: Any, axes: tuple[int, ...]) -> Any:
    return numpy.mean(x, axes, numpy.float64, keepdims=True).astype(x.dtype)


def _normalized_vjp(y: Any, x: Any, axes: tuple[int, ...], eps: float) -> Any:
    _, root = _centred(x, axes, eps)
    return lambda g: (g - _wide_mean(g, axes) - y * _wide_mean(g * y, axes)) / root


defvjp(normalized, _normalized_vjp, argnums=(0,))


@primitive
def root(x: Any) -> Any:
    """The square root of a norm: its derivative at 0, which is infinite, is cut to 0."""
    return numpy.sqrt(x)


defvjp(
    root,
    lambda ans, x: lambda g: where(ans > 0, g / (2 * where(ans > 0, ans, 1 + ans)), _nothing(g)),
)
