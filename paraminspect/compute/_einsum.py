"""Einstein sums in which an operand may name an axis twice: autograd's own cannot."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy


def einsum(rule: Any, *operands: Any) -> Any:
    """`numpy.einsum`; what an operand has twice, `ii`, is its diagonal first."""
    if not isinstance(rule, str):
        raise TypeError(f"the rule of an einsum is a text, got {rule!r}")
    terms, arrow, result = rule.replace(" ", "").partition("->")
    names = terms.split(",")
    if not arrow:
        once = sorted(n for n in set(terms) - {",", "."} if terms.count(n) == 1)
        result = ("..." if "..." in terms else "") + "".join(once)
    if len(names) != len(operands):
        raise ValueError(f"{rule!r} is of {len(names)} arrays, got {len(operands)}")
    pairs = [_without_twins(name, x) for name, x in zip(names, operands, strict=True)]
    terms = ",".join(name for name, _ in pairs)
    return np.einsum(f"{terms}->{result}", *(x for _, x in pairs))


def _without_twins(name: str, x: Any) -> tuple[str, Any]:
    for label in dict.fromkeys(name.replace(".", "")):
        while name.count(label) > 1:
            first, second = (_axis(name, x, at) for at in (name.index(label), name.rindex(label)))
            if x.shape[first] != x.shape[second]:
                raise ValueError(f"{label!r} has lengths {x.shape[first]} and {x.shape[second]}")
            x = np.moveaxis(x, (first, second), (-2, -1))
            places = numpy.arange(x.shape[-1])
            x = x[..., places, places]
            name = name[: name.index(label)] + name[name.index(label) + 1 :]
            name = name[: name.rindex(label)] + name[name.rindex(label) + 1 :] + label
    return name, x


def _axis(name: str, x: Any, at: int) -> int:
    """The axis of a label: behind dots it is counted from the last."""
    return at - len(name) + x.ndim if "..." in name[:at] else at
