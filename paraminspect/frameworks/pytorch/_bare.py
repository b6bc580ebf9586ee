"""Bare parameters and buffers, which a module of its own would register."""

from __future__ import annotations

from types import SimpleNamespace

from paraminspect.expressions import parse_expression
from paraminspect.frameworks._declare import declare
from paraminspect.frameworks.pytorch._parameters import FILLED, STORED, dtype_of, spec_of
from paraminspect.layers import Build, Spec, fixed


def _parameter(a: SimpleNamespace) -> Build:
    shape, dtype = tuple(a.shape), dtype_of(a, FILLED if a.requires_grad else STORED)
    scheme = parse_expression(a.init).text
    return fixed({"": spec_of(shape, scheme, dtype, a.requires_grad)})


def _buffer(a: SimpleNamespace) -> Build:
    scheme, dtype = parse_expression(a.init).text, dtype_of(a, STORED)
    return fixed({"": Spec(tuple(a.shape), scheme, dtype=dtype, trainable=False)})


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
