"""Our own random numbers, by name: the generator itself is imported when it is opened."""

from __future__ import annotations

from paraminspect.init.generators._generator import Generator, RandomNumbers


def _native(seed: int) -> Generator:
    from paraminspect.init.generators._native import Native

    return Native(seed)


NATIVE = RandomNumbers(
    "native", (), "keyed by seed, name and block: adding a layer changes no other", _native
)
"""Our own."""
