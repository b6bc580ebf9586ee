"""Functions of our own, the same in the forwards of all frameworks: no framework has these names.

`shape(x)` is what `x.shape` is in the frameworks; the others are attention in one line.
"""

from __future__ import annotations

from typing import Any

from paraminspect.compute._arguments import array, checked_all, checked_shape, integer
from paraminspect.compute._functions import attend, causal_mask


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(x.shape)


def _causal_mask(length: int) -> Any:
    return causal_mask(checked_shape((length, length), 0)[0])


def _attend(q: Any, k: Any, v: Any, heads: int, mask: Any = None) -> Any:
    """Attention of `(..., length, width)` in heads; a mask is True where none may look."""
    return attend(q, k, v, heads, mask)[0]


_CHECKS = {
    **dict.fromkeys(("x", "q", "k", "v", "mask"), array),
    **dict.fromkeys(("length", "heads"), integer),
}

OWN = checked_all({"shape": _shape, "causal_mask": _causal_mask, "attend": _attend}, _CHECKS)
