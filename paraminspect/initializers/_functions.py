"""What a scheme may calculate with: of numbers in its arguments, of `x` in its steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "sqrt": lambda x: math.sqrt(x) if isinstance(x, int | float) else _of_numpy("sqrt", x),
    "where": lambda condition, x, y: _of_numpy("where", condition, x, y),
}


def _of_numpy(name: str, *values: Any) -> Any:
    import numpy as np

    return getattr(np, name)(*values)
