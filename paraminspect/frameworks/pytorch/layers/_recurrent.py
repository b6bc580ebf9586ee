"""Recurrent layers and cells; gates are stacked (LSTM i, f, g, o; GRU r, z, n)."""

from __future__ import annotations

from types import SimpleNamespace

from paraminspect.arrays import DType, Shape
from paraminspect.errors import ExpressionError
from paraminspect.frameworks._declare import Maker, declare
from paraminspect.frameworks._inputs import expect_axes, expect_length
from paraminspect.frameworks.pytorch.layers._parameters import FACTORY, dtype_of, weight, within
from paraminspect.tree.layers import Build, Built, Spec, fixed


def _recurrent(gates: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        projected = getattr(a, "proj_size", 0)
        if a.num_layers < 1:
            raise ExpressionError(f"num_layers must be 1 or more, got {a.num_layers}")
        if projected >= a.hidden_size:
            raise ExpressionError(
                f"proj_size must be smaller than hidden_size {a.hidden_size}, got {projected}"
            )
        out = projected or a.hidden_size
        directions = ("", "_reverse") if a.bidirectional else ("",)
        dtype = dtype_of(a)

        def output(shape: Shape) -> Shape:
            expect_axes(shape, 1, 2)
            expect_length(shape, -1, a.input_size, "features")
            return (*shape[:-1], out * len(directions))

        def specs() -> dict[str, Spec]:
            made: dict[str, Spec] = {}
            for number in range(a.num_layers):
                given = a.input_size if number == 0 else out * len(directions)
                for direction in directions:
                    end = f"_l{number}{direction}"
                    cell = _cell_specs(a, gates, given, out, dtype)
                    made |= {name + end: spec for name, spec in cell.items()}
                    if projected:
                        scheme = within(a.hidden_size)
                        made[f"weight_hr{end}"] = weight((projected, a.hidden_size), scheme, dtype)
            return made

        def build(shape: Shape | None) -> Built:
            # Not before: a repeated layer of thousands would be held at once.
            return Built(specs(), output=None if shape is None else output(shape))

        return build

    return make


def _cell_specs(
    a: SimpleNamespace, gates: int, given: int, out: int, dtype: DType
) -> dict[str, Spec]:
    stacked, scheme = gates * a.hidden_size, within(a.hidden_size)
    weights = {
        "weight_ih": weight((stacked, given), scheme, dtype),
        "weight_hh": weight((stacked, out), scheme, dtype),
    }
    if not a.bias:
        return weights
    bias = Spec((stacked,), scheme, dtype=dtype)
    return {**weights, "bias_ih": bias, "bias_hh": bias}


def _cell(gates: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        def output(shape: Shape) -> Shape:
            expect_axes(shape, 1)
            expect_length(shape, 0, a.input_size, "features")
            return (a.hidden_size,)

        specs = _cell_specs(a, gates, a.input_size, a.hidden_size, dtype_of(a))
        return fixed({**specs}, output=output)

    return make


_SIZES = "input_size: Size, hidden_size: Size, num_layers: Depth = 1, "
_REST = (
    "bias: Flag = True, batch_first: Flag = False, dropout: Probability = 0.0, "
    "bidirectional: Flag = False, "
)
_CELL = "input_size: Count, hidden_size: Count, bias: Flag = True, "
_KIND = "nonlinearity: Literal['tanh', 'relu'] = 'tanh', "

RECURRENT = dict(
    [
        declare(f"RNN({_SIZES}{_KIND}{_REST}{FACTORY})", _recurrent(1)),
        declare(f"LSTM({_SIZES}{_REST}proj_size: Count = 0, {FACTORY})", _recurrent(4)),
        declare(f"GRU({_SIZES}{_REST}{FACTORY})", _recurrent(3)),
        declare(f"RNNCell({_CELL}{_KIND}{FACTORY})", _cell(1)),
        declare(f"LSTMCell({_CELL}{FACTORY})", _cell(4)),
        declare(f"GRUCell({_CELL}{FACTORY})", _cell(3)),
    ]
)
"""Layer functions by name."""
