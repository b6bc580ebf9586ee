"""PyTorch's random numbers."""

from __future__ import annotations

from paraminspect.init.generators import Generator, RandomNumbers


def _open(seed: int) -> Generator:
    from paraminspect.init.generators._pytorch import PyTorch

    return PyTorch(seed)


RANDOM_NUMBERS = (
    RandomNumbers(
        "pytorch-2.13",
        ("pytorch",),
        "torch.manual_seed(seed) and constructing the model, on CPU",
        _open,
        "pytorch",
    ),
)
