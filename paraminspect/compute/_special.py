"""The error function, which NumPy lacks, to the last digits of float64, with its derivative."""

from __future__ import annotations

from typing import Any

import numpy
from autograd.extend import defvjp, primitive

# Rational Chebyshev approximations of erf on |x| <= 0.46875, and of erfc on (0.46875, 4] and
# beyond [W. J. Cody 1969, Math. Comp. 23, p. 631]; the coefficients of netlib's specfun.
_A = (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2,
      3.20937758913846947e3)  # fmt: skip
_B = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3,
      2.84423683343917062e3)  # fmt: skip
_C = (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1,
      2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
      1.23033935479799725e3)  # fmt: skip
_D = (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2,
      1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3,
      1.23033935480374942e3)  # fmt: skip
_P = (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1,
      1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4)  # fmt: skip
_Q = (1.0, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1,
      6.05183413124413191e-2, 2.33520497626869185e-3)  # fmt: skip

SMALL, LARGE = 0.46875, 4.0
LARGEST = 26.0
"""From here on erfc is below the smallest float64: keeps 1 / y**2 and exp(-y**2) harmless."""


@primitive
def erf(x: Any) -> Any:
    """The error function of each element, in the dtype of `x`, relative error below 1e-15."""
    given = numpy.asarray(x)
    y = numpy.abs(given, dtype=numpy.float64)
    result = numpy.empty_like(y)
    small, large = y <= SMALL, y > LARGE
    middle = ~(small | large)
    square = y[small] ** 2
    result[small] = y[small] * numpy.polyval(_A, square) / numpy.polyval(_B, square)
    near = y[middle]
    result[middle] = 1 - numpy.exp(-near * near) * numpy.polyval(_C, near) / numpy.polyval(_D, near)
    far = numpy.minimum(y[large], LARGEST)
    inverse = 1 / far**2
    tail = inverse * numpy.polyval(_P, inverse) / numpy.polyval(_Q, inverse)
    result[large] = 1 - numpy.exp(-far * far) / far * (1 / numpy.sqrt(numpy.pi) - tail)
    return numpy.where(numpy.isnan(y), numpy.nan, numpy.copysign(result, given)).astype(given.dtype)


def _erf_vjp(_: Any, x: Any) -> Any:
    return lambda g: g * numpy.exp(-x * x) * numpy.asarray(2 / numpy.sqrt(numpy.pi), g.dtype)


defvjp(erf, _erf_vjp)
