"""Lengths of axes that a definition leaves open: `input: [null, null, 3]`."""

from __future__ import annotations

from typing import Any


class _Unknown(int):
    """What is computed of it is unknown too; it fits wherever a length must be large enough."""

    def _unknown(self, *_: Any) -> _Unknown:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _unknown
    __floordiv__ = __rfloordiv__ = __neg__ = __pos__ = _unknown

    def __mod__(self, other: Any) -> int:
        """0: it is taken to be divisible."""
        return 0

    def __repr__(self) -> str:
        return "null"

    __str__ = __repr__


UNKNOWN = _Unknown(2**31 - 1)
"""A length that is not known; a parameter cannot have it."""
