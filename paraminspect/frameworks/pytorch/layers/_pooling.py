"""Pooling, adaptive and fractional too, and its inverse."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError, ExpressionError
from paraminspect.frameworks._declare import Maker, declare
from paraminspect.frameworks._inputs import expect_axes, per_axis
from paraminspect.tree.layers import Build, Layer, fixed


def _pooled(ndim: int, averages: bool = False) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        kernel = per_axis(a.kernel_size, ndim, "kernel_size")
        stride = kernel if a.stride is None else per_axis(a.stride, ndim, "stride")
        padding = per_axis(getattr(a, "padding", 0), ndim, "padding")
        dilation = per_axis(getattr(a, "dilation", 1), ndim, "dilation")

        def size(n: int, i: int) -> int:
            """The length of an axis after pooling (`torch.nn.MaxPool2d`, H_out)."""
            steps: int = n + 2 * padding[i] - dilation[i] * (kernel[i] - 1) - 1
            up = stride[i] - 1 if a.ceil_mode else 0
            count: int = (steps + up) // stride[i] + 1
            # The last window must begin inside the input or its left padding.
            past = a.ceil_mode and (count - 1) * stride[i] >= n + padding[i]
            return count - 1 if past else count

        def output(shape: Shape) -> Shape | None:
            expect_axes(shape, ndim, ndim + 1)
            for p, k in zip(padding, kernel, strict=True):
                if 2 * p > k:
                    raise DefinitionError(f"padding {p} is more than half of kernel_size {k}")
            sizes = tuple(size(n, i) for i, n in enumerate(shape[-ndim:]))
            # `avg_pool3d` alone wants the kernel to fit without the padding.
            covered = averages and ndim == 3 and any(map(operator.lt, shape[-ndim:], kernel))
            if covered or min(sizes) < 1:
                raise DefinitionError(f"an input of {list(shape)} is too small for it")
            return _one_output(a, (*shape[:-ndim], *sizes))

        return fixed(output=output)

    return make


def _one_output(a: SimpleNamespace, shape: Shape) -> Shape | None:
    """The shape, unless there are two outputs: then nothing can follow in a sequence."""
    return None if getattr(a, "return_indices", False) else shape


def _power_pooled(ndim: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        if a.norm_type == 0:
            raise ExpressionError("norm_type must not be 0")
        return _pooled(ndim, averages=True)(a)

    return make


def _adapted(ndim: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        given = per_axis(a.output_size, ndim, "output_size")

        def output(shape: Shape) -> Shape | None:
            expect_axes(shape, ndim, ndim + 1)
            sizes = zip(given, shape[-ndim:], strict=True)
            return _one_output(a, (*shape[:-ndim], *(n if w is None else w for w, n in sizes)))

        return fixed(output=output)

    return make


def _fractional(ndim: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        if (a.output_size is None) == (a.output_ratio is None):
            raise ExpressionError("give either output_size or output_ratio")
        kernel = per_axis(a.kernel_size, ndim, "kernel_size")
        wanted = None if a.output_size is None else per_axis(a.output_size, ndim, "output_size")
        ratio = (1.0,) * ndim if wanted else per_axis(a.output_ratio, ndim, "output_ratio")
        if not wanted and not all(0 < one < 1 for one in ratio):
            raise ExpressionError(f"output_ratio must be between 0 and 1, got {a.output_ratio}")

        def output(shape: Shape) -> Shape | None:
            expect_axes(shape, ndim, ndim + 1)
            given = shape[-ndim:]
            sizes = wanted or tuple(int(n * one) for n, one in zip(given, ratio, strict=True))
            for n, size, k in zip(given, sizes, kernel, strict=True):
                if size + k - 1 > n - (ndim == 3):  # `fractional_max_pool3d` wants one to spare
                    raise DefinitionError(f"kernel_size {k} is too large for {list(shape)}")
            return _one_output(a, (*shape[:-ndim], *sizes))

        return fixed(output=output)

    return make


def _two_inputs(ndim: int) -> Maker:
    """`MaxUnpool`: it needs the indices too, so in a sequence nothing can follow it."""

    def make(a: SimpleNamespace) -> Build:
        for name in ("kernel_size", "padding"):
            per_axis(getattr(a, name), ndim, name)
        return fixed()

    return make


_WINDOW = "kernel_size: Sizes, stride: Sizes | None = None"


def _declarations(n: int) -> Iterator[tuple[str, Callable[..., Layer]]]:
    wanted = "output_size: Counts" if n == 1 else "output_size: OptionalCounts"
    divisor = "" if n == 1 else ", divisor_override: Integer | None = None"
    yield declare(
        f"MaxPool{n}d({_WINDOW}, padding: Counts = 0, dilation: Sizes = 1, "
        "return_indices: Flag = False, ceil_mode: Flag = False)",
        _pooled(n),
    )
    yield declare(
        f"AvgPool{n}d({_WINDOW}, padding: Counts = 0, ceil_mode: Flag = False, "
        f"count_include_pad: Flag = True{divisor})",
        _pooled(n, averages=True),
    )
    window = _WINDOW.replace("Sizes", "Size", 1) if n == 1 else _WINDOW
    yield declare(
        f"LPPool{n}d(norm_type: Number, {window}, ceil_mode: Flag = False)", _power_pooled(n)
    )
    yield declare(f"AdaptiveAvgPool{n}d({wanted})", _adapted(n))
    yield declare(f"AdaptiveMaxPool{n}d({wanted}, return_indices: Flag = False)", _adapted(n))
    yield declare(f"MaxUnpool{n}d({_WINDOW}, padding: Counts = 0)", _two_inputs(n))
    if n > 1:
        yield declare(
            f"FractionalMaxPool{n}d(kernel_size: Sizes, output_size: Sizes | None = None, "
            "output_ratio: Number | Numbers | None = None, return_indices: Flag = False, "
            "_random_samples: Absent = None)",
            _fractional(n),
        )


POOLING = dict(declaration for n in (1, 2, 3) for declaration in _declarations(n))
"""Layer functions by name."""
