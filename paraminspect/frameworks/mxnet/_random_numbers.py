"""MXNet's random numbers."""

from __future__ import annotations

from paraminspect.init.generators import Generator, RandomNumbers


def _open(seed: int) -> Generator:
    from paraminspect.init.generators._mxnet import MXNet

    return MXNet(seed)


RANDOM_NUMBERS = (
    RandomNumbers(
        "mxnet-1.9",
        ("mxnet",),
        "mx.random.seed(seed) and net.initialize(), on CPU",
        _open,
        "mxnet",
    ),
)
