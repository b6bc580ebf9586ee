"""Schemes that make structured arrays: identities, orthogonal matrices, interpolation kernels."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from paraminspect.arrays import Shape
from paraminspect.errors import SchemeError, counted
from paraminspect.init.distributions import (
    DeltaOrthogonal,
    Distribution,
    Normal,
    Orthogonal,
    Pattern,
    Uniform,
)
from paraminspect.init.schemes._target import Number, Scheme, Size, Target, Text

if TYPE_CHECKING:
    import numpy as np

    Values = np.ndarray[Any, Any]


def identity(gain: Number = 1.0) -> Scheme:
    """Gain on the diagonal, 0 elsewhere; 2 axes, of any lengths.

    torch.nn.init.eye_, keras Identity.
    """

    def apply(target: Target) -> Distribution:
        _check_ndim("identity", target.shape, 2, 2)
        return Pattern(partial(_diagonal, max(target.shape[1], 1), float(gain)))

    return apply


def _diagonal(columns: int, gain: float, start: int, stop: int) -> Values:
    at = _positions(start, stop)
    on_diagonal: Values = at // columns == at % columns
    return on_diagonal * gain


def dirac(groups: Size = 1) -> Scheme:
    """1 at the centre of the kernel from in-channel i to out-channel i, 0 elsewhere; 3-5 axes.

    torch.nn.init.dirac_: passes its input through, group by group.
    """

    def apply(target: Target) -> Distribution:
        shape = target.shape
        _check_ndim("dirac", shape, 3, 5)
        if target.layout == "in_out":
            raise SchemeError("dirac is PyTorch's: it needs the layout (out, in, *kernel)")
        if shape[0] % groups:
            raise SchemeError(f"dirac needs out {shape[0]} to be divisible by groups {groups}")
        return Pattern(partial(_passing, shape, max(shape[0] // groups, 1)))

    return apply


def _passing(shape: Shape, per_group: int, start: int, stop: int) -> Values:
    centre = _flat([size // 2 for size in shape[2:]], shape[2:])
    field = math.prod(shape[2:])
    at = _positions(start, stop)
    out, rest = at // max(field * shape[1], 1), at % max(field * shape[1], 1)
    same = out % per_group == rest // max(field, 1)
    at_centre: Values = same & (rest % max(field, 1) == centre)
    return at_centre * 1.0


def orthogonal(gain: Number = 1.0) -> Scheme:
    """gain·Q of the QR decomposition of a normal matrix, signs by diag(R); 2 axes or more.

    torch.nn.init.orthogonal_, keras Orthogonal, jax orthogonal [Saxe et al. 2013]. The matrix is
    (out, in·kernel) in the layout out_in, (kernel·in, out) in the layout in_out.
    """

    def apply(target: Target) -> Distribution:
        rows, columns = _matrix("orthogonal", target)
        return Orthogonal(float(gain), rows, columns)

    return apply


def orthogonal_svd(scale: Number = 1.414, rand_type: Text = "uniform") -> Scheme:
    """scale·U or scale·V of the SVD of a matrix drawn uniform in (-1, 1) or normal.

    mxnet Orthogonal [Saxe et al. 2013]: rand_type uniform or normal. For a model of MXNet
    `orthogonal` means this.
    """
    sources: dict[str, Uniform | Normal] = {
        "uniform": Uniform(-1.0, 1.0),
        "normal": Normal(0.0, 1.0),
    }
    if rand_type not in sources:
        raise SchemeError(f"rand_type must be uniform or normal, got {rand_type!r}")

    def apply(target: Target) -> Distribution:
        shape = target.shape
        _check_ndim("orthogonal_svd", shape, 1, None)
        matrix = shape[0], math.prod(shape[1:])
        return Orthogonal(float(scale), *matrix, "svd", sources[rand_type])

    return apply


def delta_orthogonal(gain: Number = 1.0) -> Scheme:
    """An orthogonal matrix at the centre of the kernel, 0 elsewhere; 3-5 axes, out >= in.

    jax delta_orthogonal [Xiao et al. 2018, algorithm 2].
    """

    def apply(target: Target) -> Distribution:
        shape = target.shape
        _check_ndim("delta_orthogonal", shape, 3, 5)
        kernel_first = target.known_layout == "in_out"
        inputs, outputs = shape[-2:] if kernel_first else (shape[1], shape[0])
        if inputs > outputs:
            raise SchemeError(f"delta_orthogonal needs out >= in, got in {inputs}, out {outputs}")
        return DeltaOrthogonal(float(gain), kernel_first)

    return apply


def bilinear() -> Scheme:
    """(1 - |x/f - c|)·(1 - |y/f - c|), f = ceil(width/2), c = (2f - 1 - f mod 2) / 2f; 4 axes.

    mxnet Bilinear: a transposed convolution that interpolates.
    """

    def apply(target: Target) -> Distribution:
        shape = target.shape
        _check_ndim("bilinear", shape, 4, 4)
        return Pattern(partial(_interpolating, shape[2:]))

    return apply


def _interpolating(kernel: Shape, start: int, stop: int) -> Values:
    height, width = max(kernel[0], 1), max(kernel[1], 1)
    f = math.ceil(kernel[1] / 2.0) or 1
    c = (2 * f - 1 - f % 2) / (2.0 * f)
    at = _positions(start, stop)
    x, y = at % width, at // width % height
    values: Values = (1 - abs(x / f - c)) * (1 - abs(y / f - c))
    return values


def lstm_bias(forget_bias: Number = 1.0) -> Scheme:
    """0, and forget_bias in the second quarter (the forget gate); 1 axis.

    mxnet LSTMBias, keras unit_forget_bias=True [Jozefowicz et al. 2015, section 2.2].
    """

    def apply(target: Target) -> Distribution:
        _check_ndim("lstm_bias", target.shape, 1, 1)
        if target.shape[0] % 4:
            raise SchemeError(
                f"lstm_bias needs 4 equal gates, got {counted(target.shape[0], 'value')}"
            )
        return Pattern(partial(_second_quarter, target.shape[0] // 4, float(forget_bias)))

    return apply


def _second_quarter(gate: int, value: float, start: int, stop: int) -> Values:
    at = _positions(start, stop)
    return ((gate <= at) & (at < 2 * gate)) * value


def _positions(start: int, stop: int) -> Values:
    import numpy as np

    return np.arange(start, stop)


def _flat(index: list[int], shape: Shape) -> int:
    flat = 0
    for i, size in zip(index, shape, strict=True):
        flat = flat * size + i
    return flat


def _matrix(name: str, target: Target) -> tuple[int, int]:
    """The shape of the matrix as which an array is made orthogonal."""
    shape = target.shape
    _check_ndim(name, shape, 2, None)
    if target.layout == "in_out":
        return math.prod(shape[:-1]), shape[-1]
    if target.layout is None and len(shape) > 2:
        _ = target.known_layout  # raises: it decides how more than 2 axes are flattened
    return shape[0], math.prod(shape[1:])


def _check_ndim(name: str, shape: Shape, least: int, most: int | None) -> None:
    if len(shape) < least or (most is not None and len(shape) > most):
        wanted = f"{least}" if least == most else f"{least} to {most}" if most else f"{least}+"
        raise SchemeError(
            f"{name} needs {wanted} {'axis' if most == 1 else 'axes'}, got shape {list(shape)}"
        )
