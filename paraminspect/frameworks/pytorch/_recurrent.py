"""Recurrent layers and cells; gates are stacked (LSTM i, f, g, o; GRU r, z, n)."""

from __future__ import annotations

from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.errors import ExpressionError
from paraminspect.frameworks._declare import Maker, declare
from paraminspect.frameworks.pytorch._linear import FACTORY, dtype_of, weight, within
from paraminspect.layers import Build, Spec, fixed


def _recurrent(gates: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        projected = getattr(a, "proj_size", 0)
        if projected >= a.hidden_size:
            raise ExpressionError(
                f"proj_size must be smaller than hidden_size {a.hidden_size}, got {projected}"
            )
        out = projected or a.hidden_size
        directions = ("", "_reverse") if a.bidirectional else ("",)
        specs: dict[str, Spec | None] = {}
        for number in range(a.num_layers):
            given = a.input_size if number == 0 else out * len(directions)
            for direction in directions:
                end = f"_l{number}{direction}"
                specs |= {k + end: s for k, s in _cell_specs(a, gates, given, out).items()}
                if projected:
                    shape = (projected, a.hidden_size)
                    specs[f"weight_hr{end}"] = weight(shape, within(a.hidden_size), dtype_of(a))
        return fixed(specs, output=lambda shape: (*shape[:-1], out * len(directions)))

    return make


def _cell_specs(a: SimpleNamespace, gates: int, given: int, out: int) -> dict[str, Spec | None]:
    stacked, scheme, dtype = gates * a.hidden_size, within(a.hidden_size), dtype_of(a)
    bias = Spec((stacked,), scheme, dtype=dtype) if a.bias else None
    return {
        "weight_ih": weight((stacked, given), scheme, dtype),
        "weight_hh": weight((stacked, out), scheme, dtype),
        "bias_ih": bias,
        "bias_hh": bias,
    }


def _cell(gates: int) -> Maker:
    def output(a: SimpleNamespace, shape: Shape) -> Shape:
        return (*shape[:-1], a.hidden_size)

    return lambda a: fixed(
        _cell_specs(a, gates, a.input_size, a.hidden_size), output=lambda shape: output(a, shape)
    )


_SIZES = "input_size: Size, hidden_size: Size, num_layers: Size = 1, "
_REST = (
    "bias: Flag = True, batch_first: Flag = False, dropout: Number = 0.0, "
    "bidirectional: Flag = False, "
)
_CELL = "input_size: Size, hidden_size: Size, bias: Flag = True, "

RECURRENT = [
    declare(f"RNN({_SIZES}nonlinearity: Text = 'tanh', {_REST}{FACTORY})", _recurrent(1)),
    declare(f"LSTM({_SIZES}{_REST}proj_size: Count = 0, {FACTORY})", _recurrent(4)),
    declare(f"GRU({_SIZES}{_REST}{FACTORY})", _recurrent(3)),
    declare(f"RNNCell({_CELL}nonlinearity: Text = 'tanh', {FACTORY})", _cell(1)),
    declare(f"LSTMCell({_CELL}{FACTORY})", _cell(4)),
    declare(f"GRUCell({_CELL}{FACTORY})", _cell(3)),
]
"""Names and layer functions."""
