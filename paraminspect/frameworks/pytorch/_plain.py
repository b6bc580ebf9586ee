"""Layers without parameters: activations, pooling, dropout, padding, reshaping."""

from __future__ import annotations

import math
from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.frameworks._declare import Maker, declare
from paraminspect.frameworks.pytorch._convolution import per_axis
from paraminspect.layers import Build, fixed, same_shape


def _elementwise(a: SimpleNamespace) -> Build:
    return fixed(output=same_shape)


def _opaque(a: SimpleNamespace) -> Build:
    """A layer whose output shape nobody has needed."""
    return fixed()


def _pooled(ndim: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        kernel = per_axis(a.kernel_size, ndim, "kernel_size")
        stride = kernel if a.stride is None else per_axis(a.stride, ndim, "stride")
        padding = per_axis(getattr(a, "padding", 0), ndim, "padding")
        dilation = per_axis(getattr(a, "dilation", 1), ndim, "dilation")

        def size(n: int, i: int) -> int:
            """The length of an axis after pooling (`torch.nn.MaxPool2d`, H_out)."""
            steps = n + 2 * padding[i] - dilation[i] * (kernel[i] - 1) - 1
            up = stride[i] - 1 if a.ceil_mode else 0
            count = (steps + up) // stride[i] + 1
            # The last window must begin inside the input or its left padding.
            past = a.ceil_mode and (count - 1) * stride[i] >= n + padding[i]
            return count - 1 if past else count

        return fixed(output=lambda s: (*s[:-ndim], *(size(n, i) for i, n in enumerate(s[-ndim:]))))

    return make


def _adapted(ndim: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        wanted = (a.output_size,) * ndim if not isinstance(a.output_size, tuple) else a.output_size

        def output(shape: Shape) -> Shape:
            sizes = zip(wanted, shape[-ndim:], strict=True)
            return (*shape[:-ndim], *(n if w is None else w for w, n in sizes))

        return fixed(output=output)

    return make


def _padded(ndim: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        pairs = per_axis(a.padding, 2 * ndim, "padding")

        def output(shape: Shape) -> Shape:
            # torch gives the pairs from the last axis backwards.
            grown = [
                n + pairs[2 * i] + pairs[2 * i + 1] for i, n in enumerate(reversed(shape[-ndim:]))
            ]
            return (*shape[:-ndim], *reversed(grown))

        return fixed(output=output)

    return make


def _flattened(a: SimpleNamespace) -> Build:
    def output(shape: Shape) -> Shape:
        whole = (1, *shape)  # the axes that Flatten names count the batch
        first = a.start_dim % len(whole)
        last = a.end_dim % len(whole)
        flat = (*whole[:first], math.prod(whole[first : last + 1]), *whole[last + 1 :])
        return flat[1:]

    return fixed(output=output)


def _unflattened(a: SimpleNamespace) -> Build:
    def output(shape: Shape) -> Shape:
        axis = a.dim - 1 if a.dim > 0 else len(shape) + a.dim
        return (*shape[:axis], *a.unflattened_size, *shape[axis + 1 :])

    return fixed(output=output)


# fmt: off
PLAIN = [
    declare("AdaptiveAvgPool1d(output_size)", _adapted(1)),
    declare("AdaptiveAvgPool2d(output_size)", _adapted(2)),
    declare("AdaptiveAvgPool3d(output_size)", _adapted(3)),
    declare("AdaptiveMaxPool1d(output_size, return_indices=False)", _adapted(1)),
    declare("AdaptiveMaxPool2d(output_size, return_indices=False)", _adapted(2)),
    declare("AdaptiveMaxPool3d(output_size, return_indices=False)", _adapted(3)),
    declare("AlphaDropout(p=0.5, inplace=False)", _elementwise),
    declare("AvgPool1d(kernel_size, stride=None, padding=0, ceil_mode=False, "
            "count_include_pad=True)", _pooled(1)),
    declare("AvgPool2d(kernel_size, stride=None, padding=0, ceil_mode=False, "
            "count_include_pad=True, divisor_override=None)", _pooled(2)),
    declare("AvgPool3d(kernel_size, stride=None, padding=0, ceil_mode=False, "
            "count_include_pad=True, divisor_override=None)", _pooled(3)),
    declare("CELU(alpha=1.0, inplace=False)", _elementwise),
    declare("ChannelShuffle(groups)", _elementwise),
    declare("CircularPad1d(padding)", _padded(1)),
    declare("CircularPad2d(padding)", _padded(2)),
    declare("CircularPad3d(padding)", _padded(3)),
    declare("ConstantPad1d(padding, value)", _padded(1)),
    declare("ConstantPad2d(padding, value)", _padded(2)),
    declare("ConstantPad3d(padding, value)", _padded(3)),
    declare("CosineSimilarity(dim=1, eps=1e-08)", _opaque),
    declare("Dropout(p=0.5, inplace=False)", _elementwise),
    declare("Dropout1d(p=0.5, inplace=False)", _elementwise),
    declare("Dropout2d(p=0.5, inplace=False)", _elementwise),
    declare("Dropout3d(p=0.5, inplace=False)", _elementwise),
    declare("ELU(alpha=1.0, inplace=False)", _elementwise),
    declare("FeatureAlphaDropout(p=0.5, inplace=False)", _elementwise),
    declare("Flatten(start_dim=1, end_dim=-1)", _flattened),
    declare("Fold(output_size, kernel_size, dilation=1, padding=0, stride=1)", _opaque),
    declare("FractionalMaxPool2d(kernel_size, output_size=None, output_ratio=None, "
            "return_indices=False, _random_samples=None)", _opaque),
    declare("FractionalMaxPool3d(kernel_size, output_size=None, output_ratio=None, "
            "return_indices=False, _random_samples=None)", _opaque),
    declare("GELU(approximate='none')", _elementwise),
    declare("GLU(dim=-1)", _opaque),
    declare("Hardshrink(lambd=0.5)", _elementwise),
    declare("Hardsigmoid(inplace=False)", _elementwise),
    declare("Hardswish(inplace=False)", _elementwise),
    declare("Hardtanh(min_val=-1.0, max_val=1.0, inplace=False, min_value=None, "
            "max_value=None)", _elementwise),
    declare("Identity(*args, **kwargs)", _elementwise),
    declare("LPPool1d(norm_type, kernel_size, stride=None, ceil_mode=False)", _pooled(1)),
    declare("LPPool2d(norm_type, kernel_size, stride=None, ceil_mode=False)", _pooled(2)),
    declare("LPPool3d(norm_type, kernel_size, stride=None, ceil_mode=False)", _pooled(3)),
    declare("LeakyReLU(negative_slope=0.01, inplace=False)", _elementwise),
    declare("LocalResponseNorm(size, alpha=0.0001, beta=0.75, k=1.0)", _elementwise),
    declare("LogSigmoid(*args, **kwargs)", _elementwise),
    declare("LogSoftmax(dim=None)", _elementwise),
    declare("MaxPool1d(kernel_size, stride=None, padding=0, dilation=1, "
            "return_indices=False, ceil_mode=False)", _pooled(1)),
    declare("MaxPool2d(kernel_size, stride=None, padding=0, dilation=1, "
            "return_indices=False, ceil_mode=False)", _pooled(2)),
    declare("MaxPool3d(kernel_size, stride=None, padding=0, dilation=1, "
            "return_indices=False, ceil_mode=False)", _pooled(3)),
    declare("MaxUnpool1d(kernel_size, stride=None, padding=0)", _opaque),
    declare("MaxUnpool2d(kernel_size, stride=None, padding=0)", _opaque),
    declare("MaxUnpool3d(kernel_size, stride=None, padding=0)", _opaque),
    declare("Mish(inplace=False)", _elementwise),
    declare("PairwiseDistance(p=2.0, eps=1e-06, keepdim=False)", _opaque),
    declare("PixelShuffle(upscale_factor)", _opaque),
    declare("PixelUnshuffle(downscale_factor)", _opaque),
    declare("RReLU(lower=0.125, upper=0.3333333333333333, inplace=False)", _elementwise),
    declare("ReLU(inplace=False)", _elementwise),
    declare("ReLU6(inplace=False)", _elementwise),
    declare("ReflectionPad1d(padding)", _padded(1)),
    declare("ReflectionPad2d(padding)", _padded(2)),
    declare("ReflectionPad3d(padding)", _padded(3)),
    declare("ReplicationPad1d(padding)", _padded(1)),
    declare("ReplicationPad2d(padding)", _padded(2)),
    declare("ReplicationPad3d(padding)", _padded(3)),
    declare("SELU(inplace=False)", _elementwise),
    declare("SiLU(inplace=False)", _elementwise),
    declare("Sigmoid(*args, **kwargs)", _elementwise),
    declare("Softmax(dim=None)", _elementwise),
    declare("Softmax2d(*args, **kwargs)", _elementwise),
    declare("Softmin(dim=None)", _elementwise),
    declare("Softplus(beta=1.0, threshold=20.0)", _elementwise),
    declare("Softshrink(lambd=0.5)", _elementwise),
    declare("Softsign(*args, **kwargs)", _elementwise),
    declare("Tanh(*args, **kwargs)", _elementwise),
    declare("Tanhshrink(*args, **kwargs)", _elementwise),
    declare("Threshold(threshold, value, inplace=False)", _elementwise),
    declare("Unflatten(dim, unflattened_size)", _unflattened),
    declare("Unfold(kernel_size, dilation=1, padding=0, stride=1)", _opaque),
    declare("Upsample(size=None, scale_factor=None, mode='nearest', align_corners=None, "
            "recompute_scale_factor=None)", _opaque),
    declare("UpsamplingBilinear2d(size=None, scale_factor=None)", _opaque),
    declare("UpsamplingNearest2d(size=None, scale_factor=None)", _opaque),
    declare("ZeroPad1d(padding)", _padded(1)),
    declare("ZeroPad2d(padding)", _padded(2)),
    declare("ZeroPad3d(padding)", _padded(3)),
]
# fmt: on
"""Names and layer functions."""
