"""Values that a generator and a test make alike: by name, in float64, of a size that keeps signals."""

import zlib

import numpy as np

PERIOD = 10_007
"""Numbers that are drawn for a parameter and repeated: millions would take seconds."""


def drawn(name, shape):
    """The values of the parameter `name`: variances are positive, scales near 1."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    count = min(int(np.prod(shape)), PERIOD)
    if name.endswith(("variance", "running_var")):
        numbers = rng.uniform(0.5, 1.5, count)
    elif name.endswith(("gamma", "norm1.weight", "norm2.weight")):
        numbers = rng.normal(1.0, 0.1, count)
    else:
        fan_in = np.prod(shape) / max(shape) if len(shape) > 1 else 10
        numbers = rng.normal(0.0, 1 / np.sqrt(fan_in), count)
    return np.resize(numbers, shape)


def given(shape, below):
    """An input: of floats, or of integers below a number."""
    rng = np.random.default_rng(7)
    return rng.integers(0, below, shape) if below else rng.standard_normal(shape)
