"""Layers that work element by element: activations, dropout, noise, augmentation, the input."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError, ExpressionError
from paraminspect.frameworks.keras._initializers import SEED
from paraminspect.frameworks.keras.layers._declare import layer, weight
from paraminspect.frameworks.keras.layers._shapes import data_format_of, known
from paraminspect.tree.layers import Build, Built


def _elementwise(a: SimpleNamespace) -> Build:
    data_format_of(a.kind, getattr(a, "data_format", None))
    return lambda shape: Built(output=shape)


def _dropout(a: SimpleNamespace) -> Build:
    name = "stddev" if a.kind == "GaussianNoise" else "rate"
    if not 0 <= getattr(a, name) <= 1:
        raise ExpressionError(f"{a.kind}: {name} must be from 0 to 1, got {getattr(a, name)!r}")
    data_format_of(a.kind, getattr(a, "data_format", None))
    ndim = int(a.kind[-2]) + 1 if a.kind.startswith("Spatial") else None
    return lambda shape: Built(output=shape if shape is None else known(a.kind, shape, ndim))


def _prelu(a: SimpleNamespace) -> Build:
    shared = [a.shared_axes] if isinstance(a.shared_axes, int) else a.shared_axes or []

    def build(shape: Shape | None) -> Built:
        shape = known(a.kind, shape)
        sizes = list(shape)
        for axis in shared:
            # Keras subtracts the batch from a negative axis too: -1 is the last but one.
            if not -len(sizes) <= axis - 1 < len(sizes):
                raise DefinitionError(
                    f"{a.kind}: shared_axes {axis!r} is not an axis of its input {list(shape)}"
                )
            sizes[axis - 1] = 1
        return Built({"alpha": weight(a, tuple(sizes), "alpha_initializer")}, output=shape)

    return build


def _input(a: SimpleNamespace) -> Build:
    whole = a.batch_shape
    shape = whole[1:] if isinstance(whole, list | tuple) else a.shape
    if (a.shape is None) == (whole is None) or not _is_shape(shape):
        raise ExpressionError(
            f"{a.kind} needs the shape of one example, like {a.kind}((28, 28, 1))"
        )
    stated = tuple(shape)

    def build(given: Shape | None) -> Built:
        if given not in (None, stated):
            raise DefinitionError(f"{a.kind}: {list(stated)} is not the input {list(given or ())}")
        return Built(output=stated)

    return build


def _is_shape(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(type(n) is int and n > 0 for n in value)


# fmt: off
PLAIN = dict(
    [
        layer("PReLU(alpha_initializer='Zeros', alpha_regularizer=None, alpha_constraint=None, "
              "shared_axes: Integers | None = None, **kwargs)", _prelu),
        layer("InputLayer(shape=None, batch_size=None, dtype=None, sparse=None, ragged=None, "
              "batch_shape=None, input_tensor=None, optional=False, name: Text | None = None)",
              _input),
        layer(f"Dropout(rate: Number, noise_shape=None, {SEED}, **kwargs)", _dropout),
        layer(f"AlphaDropout(rate: Number, noise_shape=None, {SEED}, **kwargs)", _dropout),
        layer(f"GaussianDropout(rate: Number, {SEED}, **kwargs)", _dropout),
        layer(f"GaussianNoise(stddev: Number, {SEED}, **kwargs)", _dropout),
        layer(f"SpatialDropout1D(rate: Number, {SEED}, name: Text | None = None, dtype=None)",
              _dropout),
        layer(f"SpatialDropout2D(rate: Number, data_format=None, {SEED}, "
              "name: Text | None = None, dtype=None)", _dropout),
        layer(f"SpatialDropout3D(rate: Number, data_format=None, {SEED}, "
              "name: Text | None = None, dtype=None)", _dropout),
        *(layer(signature, _elementwise) for signature in (
            "Activation(activation, **kwargs)",
            "ActivityRegularization(l1: Number = 0.0, l2: Number = 0.0, **kwargs)",
            "ELU(alpha: Number = 1.0, **kwargs)",
            "Identity(**kwargs)",
            "LeakyReLU(negative_slope: Number = 0.3, **kwargs)",
            "Masking(mask_value: Number = 0.0, **kwargs)",
            f"RandomBrightness(factor, value_range=(0, 255), {SEED}, **kwargs)",
            f"RandomContrast(factor, value_range=(0, 255), {SEED}, **kwargs)",
            f"RandomFlip(mode='horizontal_and_vertical', {SEED}, data_format=None, **kwargs)",
            f"RandomRotation(factor, fill_mode='reflect', interpolation='bilinear', {SEED}, "
            "fill_value=0.0, data_format=None, **kwargs)",
            "RandomTranslation(height_factor, width_factor, fill_mode='reflect', "
            f"interpolation='bilinear', {SEED}, fill_value=0.0, data_format=None, **kwargs)",
            "RandomZoom(height_factor, width_factor=None, fill_mode='reflect', "
            f"interpolation='bilinear', {SEED}, fill_value=0.0, data_format=None, **kwargs)",
            "ReLU(max_value=None, negative_slope: Number = 0.0, threshold: Number = 0.0, **kwargs)",
            "Rescaling(scale, offset=0.0, **kwargs)",
            "Softmax(axis=-1, **kwargs)",
        )),
    ]
)
# fmt: on
"""Layer functions by name."""
