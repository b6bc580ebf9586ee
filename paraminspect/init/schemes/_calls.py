"""Calls of schemes: arguments are checked, and calculating with a scheme is refused."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NoReturn

from paraminspect.errors import SchemeError
from paraminspect.init.distributions import Distribution
from paraminspect.init.schemes._target import Scheme, Target
from paraminspect.language import signature

SchemeFunction = Callable[..., Scheme]


def checked(function: SchemeFunction) -> SchemeFunction:
    """The function with its arguments checked by their annotations, its result made safe."""

    @functools.wraps(function)
    def construct(*arguments: Any, **keywords: Any) -> Scheme:
        bound = signature(function).bind(*arguments, **keywords)
        for name, value in bound.arguments.items():
            annotation = str(signature(function).parameters[name].annotation)
            kind, _, other = annotation.partition(" | ")
            if kind in _CHECKS and not (value is None and other == "None"):
                expected, kinds = _CHECKS[kind]
                is_wrong = isinstance(value, bool) or not isinstance(value, kinds)
                if is_wrong or (kind == "Number" and not math.isfinite(value)):
                    raise SchemeError(
                        f"{function.__name__}: {name} must be {expected}, got {value!r}"
                    )
        return Undrawn(function(*arguments, **keywords))

    return construct


_CHECKS = {
    "Number": ("a finite number", (int, float)),
    "Value": ("a number", (int, float)),
    "Size": ("an integer", (int,)),
    "Text": ("a string", (str,)),
}


class Undrawn:
    """A scheme that a user wrote, which says what to do when it is calculated with."""

    def __init__(self, apply: Scheme) -> None:
        self._apply = apply

    def __call__(self, target: Target) -> Distribution:
        return self._apply(target)

    def _refuse(self, *_: object) -> NoReturn:
        raise SchemeError("a scheme is drawn before it is calculated with: [normal(0, 1), 2 * x]")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = _refuse
    __truediv__ = __rtruediv__ = __pow__ = __lt__ = __gt__ = __le__ = __ge__ = __abs__ = _refuse
