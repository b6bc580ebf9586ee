"""PyTorch: the layers of `torch.nn` with its argument names, order and defaults."""

from __future__ import annotations

from collections.abc import Mapping

from paraminspect.arrays import DTYPES, parse_dtype
from paraminspect.frameworks import Framework
from paraminspect.layers import (
    Build,
    Fans,
    Flag,
    Layer,
    Size,
    Spec,
    TypeName,
    chained,
    fixed,
    layer,
    same_shape,
)
from paraminspect.naming import name_by_path


@layer
def Linear(
    in_features: Size,
    out_features: Size,
    bias: Flag = True,
    device: None = None,
    dtype: TypeName | None = None,
) -> Build:
    """`y = x W^T + b`."""
    kind = parse_dtype(dtype) if dtype else DTYPES["float32"]
    bound = f"1/sqrt({in_features})"
    return fixed(
        {
            "weight": Spec(
                (out_features, in_features),
                "kaiming_uniform(a=5**0.5)",
                Fans(in_features, out_features),
                "out_in",
                kind,
            ),
            "bias": Spec((out_features,), f"uniform(-{bound}, {bound})", dtype=kind)
            if bias
            else None,
        },
        output=lambda shape: (*shape[:-1], out_features),
    )


@layer
def ReLU(inplace: Flag = False) -> Build:
    """`max(x, 0)`."""
    return fixed(output=same_shape)


def _sequential(children: Mapping[str, Layer]) -> Layer:
    return Layer("Sequential", chained(children))


def _module(children: Mapping[str, Layer]) -> Layer:
    return Layer("Module", chained(children))


FRAMEWORK = Framework(
    name="pytorch",
    layers={f.__name__: f for f in (Linear, ReLU)},
    sequential=_sequential,
    module=_module,
    name_parameters=name_by_path,
    metadata={"format": "pt"},
)
