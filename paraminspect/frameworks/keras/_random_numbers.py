"""Keras's random numbers, on each backend."""

from __future__ import annotations

from collections.abc import Callable

from paraminspect.init.generators import Generator, RandomNumbers


def _on_tensorflow(seed: int) -> Generator:
    from paraminspect.init.generators._keras import Keras
    from paraminspect.init.generators.streams._keras_backends import TensorFlow

    return Keras(TensorFlow(), seed)


def _on_jax(seed: int) -> Generator:
    from paraminspect.init.generators._keras import Keras
    from paraminspect.init.generators.streams._keras_backends import JAX

    return Keras(JAX(), seed)


def _on_torch(seed: int) -> Generator:
    from paraminspect.init.generators._keras import Keras
    from paraminspect.init.generators.streams._keras_backends import Torch

    return Keras(Torch(), seed)


def _numbers(
    name: str, alias: str, backend: str, opened: Callable[[int], Generator]
) -> RandomNumbers:
    how = "keras.utils.set_random_seed(seed) and constructing the model, backend on CPU"
    return RandomNumbers(name, (alias,), f"{how}: {backend}", opened, "keras")


RANDOM_NUMBERS = (
    _numbers("keras-3.15-tensorflow", "keras", "TensorFlow", _on_tensorflow),
    _numbers("keras-3.15-jax", "keras-jax", "JAX", _on_jax),
    _numbers("keras-3.15-torch", "keras-torch", "torch", _on_torch),
)
