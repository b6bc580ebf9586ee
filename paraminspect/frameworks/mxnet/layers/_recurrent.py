"""Recurrent layers (`gluon.rnn`) and cells; gates are stacked (LSTM i, f, g, o; GRU r, z, n)."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

from paraminspect.arrays import DTYPES, DType, Shape
from paraminspect.frameworks._declare import Maker
from paraminspect.frameworks._inputs import expect_axes, expect_length
from paraminspect.frameworks.mxnet.layers._declare import (
    DTYPE,
    Deferred,
    initialized,
    known_fans,
    layer,
)
from paraminspect.frameworks.mxnet.layers._shapes import TimeMajor
from paraminspect.tree.layers import Build, Built, Spec, UnknownInputError

FLOAT32 = DTYPES["float32"]


def _recurrent(gates: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        sides = "lr" if a.bidirectional else "l"
        projected = getattr(a, "projection_size", None)
        out = projected or a.hidden_size
        dtype = DTYPES[a.dtype]

        def build(shape: Shape | None) -> Built:
            specs: dict[str, Spec] = {}
            for number in range(a.num_layers):
                given = _input_size(a, shape, 2) if number == 0 else out * len(sides)
                is_given = number > 0 or bool(a.input_size)
                for side in sides:
                    cell = _cell_specs(a, gates, (given, out), is_given, dtype)
                    specs |= {f"{side}{number}_{name}": spec for name, spec in cell}
                    if projected:
                        whole = (projected, a.hidden_size)
                        specs[f"{side}{number}_h2r_weight"] = _weight(a, "h2r_weight", whole, dtype)
            return Built(specs, output=_sequence(a, shape, out * len(sides)))

        return build

    return make


def _cell(gates: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        def build(shape: Shape | None) -> Built:
            sizes = (_input_size(a, shape, 1), a.hidden_size)
            specs = _cell_specs(a, gates, sizes, bool(a.input_size), FLOAT32)
            return Built(dict(specs), output=None if shape is None else (a.hidden_size,))

        return build

    return make


def _input_size(a: SimpleNamespace, shape: Shape | None, ndim: int) -> int:
    if shape is None:
        if not a.input_size:
            raise UnknownInputError("a recurrent layer without input_size")
        size: int = a.input_size
        return size
    expect_axes(shape, ndim)
    if a.input_size:
        expect_length(shape, -1, a.input_size, "features")
    return shape[-1]


def _cell_specs(
    a: SimpleNamespace, gates: int, sizes: tuple[int, int], is_given: bool, dtype: DType
) -> Iterator[tuple[str, Spec]]:
    """The parameters of a cell of these sizes; `is_given`: the call itself has the first."""
    stacked = gates * a.hidden_size
    for name, size in zip(("i2h_weight", "h2h_weight"), sizes, strict=True):
        kind = Spec if is_given or name == "h2h_weight" else Deferred
        yield name, _weight(a, name, (stacked, size), dtype, kind)
    for name in ("i2h_bias", "h2h_bias"):
        yield name, Spec((stacked,), initialized(a, f"{name}_initializer", name), dtype=dtype)


def _weight(
    a: SimpleNamespace, name: str, shape: Shape, dtype: DType, kind: type[Spec] = Spec
) -> Spec:
    scheme = initialized(a, f"{name}_initializer", name)
    is_own = getattr(a, f"{name}_initializer") is not None
    return kind(shape, scheme, known_fans(shape), "out_in", dtype, own_scheme=is_own)


def _sequence(a: SimpleNamespace, shape: Shape | None, features: int) -> Shape | None:
    if shape is None:
        return None
    whole = (shape[0], features)
    return TimeMajor(whole) if a.layout == "TNC" else whole


def structural_name(local: str, is_bidirectional: bool) -> str:
    """`l0_i2h_weight` as `save_parameters` writes it: as if the layer were a stack of cells."""
    side, number, parameter = local[0], local[1 : local.index("_")], local.partition("_")[2]
    cell = f"{side}_cell." if is_bidirectional else ""
    return f"_unfused.{number}.{cell}{parameter}"


RECURRENT_LAYERS = ("RNN", "LSTM", "GRU")
"""Those that stand for a stack of cells, in one direction or two."""

_INITIALIZERS = (
    "i2h_weight_initializer=None, h2h_weight_initializer=None, i2h_bias_initializer='zeros', "
    "h2h_bias_initializer='zeros', "
)
_LAYOUT = "layout: Literal['TNC', 'NTC'] = 'TNC', dropout: Probability = 0, "
_SIDES = "bidirectional: Flag = False, "
_END = f"dtype: {DTYPE} = 'float32', *, use_sequence_length: Flag = False, **kwargs)"
_SIZES = "(hidden_size: Size, num_layers: Depth = 1, "
_CELL_END = "input_size: Count = 0, prefix: Text | None = None, params: Layer | None = None"

RECURRENT = dict(
    [
        layer(
            f"RNN{_SIZES}activation: Literal['relu', 'tanh'] = 'relu', {_LAYOUT}{_SIDES}"
            f"{_INITIALIZERS}input_size: Count = 0, {_END}",
            _recurrent(1),
        ),
        layer(
            f"LSTM{_SIZES}{_LAYOUT}{_SIDES}input_size: Count = 0, {_INITIALIZERS}"
            "projection_size: Count | None = None, h2r_weight_initializer=None, "
            "state_clip_min: Number | None = None, state_clip_max: Number | None = None, "
            f"state_clip_nan: Flag = False, {_END}",
            _recurrent(4),
        ),
        layer(
            f"GRU{_SIZES}{_LAYOUT}{_SIDES}input_size: Count = 0, {_INITIALIZERS}{_END}",
            _recurrent(3),
        ),
        layer(
            f"RNNCell(hidden_size: Size, activation: Text = 'tanh', {_INITIALIZERS}{_CELL_END})",
            _cell(1),
        ),
        layer(
            f"LSTMCell(hidden_size: Size, {_INITIALIZERS}{_CELL_END}, activation: Text = 'tanh', "
            "recurrent_activation: Text = 'sigmoid')",
            _cell(4),
        ),
        layer(f"GRUCell(hidden_size: Size, {_INITIALIZERS}{_CELL_END})", _cell(3)),
    ]
)
"""Layer functions by name."""
