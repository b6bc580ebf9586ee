"""Bare parameters and buffers, which a module of its own would register."""

from __future__ import annotations

from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.errors import ExpressionError
from paraminspect.frameworks._arguments import MAXIMUM_AXES
from paraminspect.frameworks._declare import declare
from paraminspect.frameworks.pytorch.layers._parameters import FILLED, STORED, dtype_of, spec_of
from paraminspect.language import parse_expression
from paraminspect.tree.layers import Build, Spec, fixed


def _parameter(a: SimpleNamespace) -> Build:
    shape, dtype = _shape(a), dtype_of(a, FILLED if a.requires_grad else STORED)
    scheme = parse_expression(a.init).text
    return fixed({"": spec_of(shape, scheme, dtype, a.requires_grad)})


def _buffer(a: SimpleNamespace) -> Build:
    scheme, dtype = parse_expression(a.init).text, dtype_of(a, STORED)
    return fixed({"": Spec(_shape(a), scheme, dtype=dtype, trainable=False)})


def _shape(a: SimpleNamespace) -> Shape:
    if len(a.shape) > MAXIMUM_AXES:
        raise ExpressionError(f"an array has at most {MAXIMUM_AXES} axes, got {len(a.shape)}")
    return tuple(a.shape)


BARE = dict(
    [
        declare(
            "Parameter(*shape: Count, init: Text = 'normal(0, 1)', "
            "dtype: TypeName | None = None, requires_grad: Flag = True)",
            _parameter,
        ),
        declare(
            "Buffer(*shape: Count, init: Text = 'zeros', dtype: TypeName | None = None)", _buffer
        ),
    ]
)
"""Layer functions by name."""
