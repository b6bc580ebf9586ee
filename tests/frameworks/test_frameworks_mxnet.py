"""Definitions list what real MXNet lists, under both kinds of names; its arguments are ours."""

import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest

from paraminspect.definition import load_definition
from paraminspect.errors import DefinitionError
from paraminspect.formats import open_checkpoint
from paraminspect.frameworks.mxnet._initializers import CONSTANT
from paraminspect.frameworks.mxnet._modelling import MODELLING
from paraminspect.report._outline import outline

ROOT = Path(__file__).parents[2]
ARCH = ROOT / "tests/data/arch/mxnet"
LISTINGS = json.loads((ARCH / "listings.json").read_text())
SIGNATURES = json.loads((ARCH / "signatures.json").read_text())

MODELS = {
    "conv_zoo": ARCH / "definitions/conv_zoo.yaml",
    "fancy_mlp": ARCH / "definitions/fancy_mlp.yaml",
    "hybrid_symbol_export": ARCH / "definitions/hybrid_symbol_export.yaml",
    "lenet": ARCH / "definitions/lenet.yaml",
    "lstm_lm": ARCH / "definitions/lstm_lm.yaml",
    "mlp": ROOT / "sample_models/mxnet_mlp.yaml",
    "nested_rgnet": ROOT / "sample_models/mxnet_nested_blocks.yaml",
    "resnet18_v1": ARCH / "definitions/resnet18_v1.yaml",
    "shared_params": ROOT / "sample_models/mxnet_shared_layer.yaml",
    "vgg11": ARCH / "definitions/vgg11.yaml",
}


def load(text, names="prefixed"):
    text = text.replace("names: structural\n", "")
    if names == "structural":
        text += "\nnames: structural\n"
    return load_definition(text.encode(), "x.yaml")


def layers(text, **keywords):
    """The tree of a list of layers, each on a line."""
    items = "".join(f"  - {line.strip()}\n" for line in text.strip().splitlines())
    top = "".join(f"{key}: {value}\n" for key, value in keywords.items())
    return load_definition(f"framework: mxnet\n{top}layers:\n{items}".encode(), "x.yaml")


def test_every_reference_model_has_a_definition():
    assert set(MODELS) == set(LISTINGS)


@pytest.mark.parametrize("names", ["prefixed", "structural"])
@pytest.mark.parametrize("model", MODELS)
def test_a_definition_lists_what_the_framework_lists(model, names):
    tree, expected = load(MODELS[model].read_text(), names), LISTINGS[model]
    listed = [[p.name, list(p.shape), p.dtype.name, p.trainable] for p in tree.entries.values()]
    assert listed == expected[names]
    groups = [[own, *tree.aliases(own)] for own in dict.fromkeys(tree.ties.values())]
    assert groups == (expected["tied"] if names == "structural" else [])
    assert tree.totals.count == expected["count"]


@pytest.mark.parametrize("path", sorted(ARCH.glob("npz/*.npz")), ids=lambda path: path.stem)
def test_what_mxnet_saved_has_the_parameters_of_the_definition(path):
    model, names = path.stem.split(".")
    definition, saved = load(MODELS[model].read_text(), names), open_checkpoint(path)
    assert [(n, p.shape, p.dtype) for n, p in saved.items()] == [
        (n, p.shape, p.dtype) for n, p in definition.items()
    ]
    for alias, own in definition.ties.items():  # an npz has the values of each name
        np.testing.assert_array_equal(saved[alias].numpy(), saved[own].numpy(), strict=True)


def test_every_argument_has_the_name_order_and_default_of_mxnet():
    ours = MODELLING.layers.keys() - {"name_scope", "Parameter"}
    assert ours | MODELLING.values.keys() == SIGNATURES.keys()
    for name, expected in SIGNATURES.items():
        if name == CONSTANT:  # two things have this name
            continue
        function = MODELLING.layers.get(name) or MODELLING.values[name]
        parameters = list(inspect.signature(function).parameters.values())
        if expected and expected[-1] == ["**kwargs"]:
            expected = expected[:-1]
            rest = [p.name for p in parameters[len(expected) :]]
            assert rest in (["prefix", "params"], ["use_sequence_length", "prefix", "params"])
            assert all(p.kind is p.KEYWORD_ONLY for p in parameters[len(expected) :])
            parameters = parameters[: len(expected)]
        required = inspect.Parameter.empty
        found = [[p.name, "required" if p.default is required else p.default] for p in parameters]
        assert json.loads(json.dumps(found)) == expected, name


def test_names_are_counted_in_the_order_of_construction():
    tree = layers("Conv2D(2, 3)\nConv2DTranspose(2, 3)\nDense(3)\nDense(3)", input="[1, 9, 9]")
    assert list(tree)[::2] == ["conv0_weight", "conv1_weight", "dense0_weight", "dense1_weight"]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("name_scope():\n    - Dense(2)\n    - Dense(2)", ["sequential0_dense0", "sequential0_dense1"]),
        ("name_scope(HybridSequential()):\n    - Dense(2)", ["hybridsequential0_dense0"]),
        ("HybridSequential(prefix='net_'):\n    - Dense(2)", ["dense0"]),
        ("name_scope(Sequential(prefix='net_')):\n    - Dense(2)", ["net_dense0"]),
        ("name_scope(Sequential(prefix='')):\n    - Dense(2)", ["dense0"]),
        ("name_scope():\n    - Dense(2, prefix='a_')\n    - Dense(2)",
         ["sequential0_a", "sequential0_dense0"]),
        ("name_scope():\n    fc: Dense(2)", ["block0_fc" if False else "block0_dense0"]),
        ("Block(prefix='b_'):\n    fc: Dense(2)", ["dense0"]),
        ("- name_scope():\n      - Dense(2)\n  - name_scope():\n      - Dense(2)",
         ["sequential1_dense0", "sequential2_dense0"]),
        ("name_scope():\n    - Dense(2)\n    - name_scope():\n        - Dense(2)",
         ["sequential0_dense0", "sequential0_sequential0_dense0"]),
        ("name_scope():\n    - - Dense(2)\n      - Dense(2)\n    - Dense(2)",
         ["sequential0_dense0", "sequential0_dense1", "sequential0_dense2"]),
    ],
)  # fmt: skip
def test_a_name_scope_is_where_layers_are_constructed(body, names):
    tree = load(f"framework: mxnet\ninput: [2]\nlayers:\n  {body}\n")
    assert list(tree) == [f"{name}_{p}" for name in names for p in ("weight", "bias")]


def test_a_shared_layer_keeps_the_name_of_where_it_was_constructed():
    text = """
framework: mxnet
input: [3]
share: {s: "Dense(3)"}
layers:
  name_scope():
    - Dense(3)
    - s
    - s
"""
    tree = load(text)
    assert list(tree)[::2] == ["sequential0_dense0_weight", "dense0_weight"]
    tree = load(text, "structural")
    assert tree.ties == {"2.weight": "1.weight", "2.bias": "1.bias"}


def test_a_layer_that_only_lends_its_parameters_is_counted_too():
    text = "framework: mxnet\ninput: [3]\nshare: {s: 'Dense(3)'}\nlayers:\n"
    tree = load(text + "  - Dense(3, params=s)\n  - Dense(3, params=s)\n  - Dense(3)\n")
    assert list(tree)[::2] == ["dense0_weight", "dense3_weight"]
    with pytest.raises(DefinitionError, match=r"shared and would have shape \[3, 5\] .* \[3, 3\]"):
        load(text.replace("Dense(3)'", "Dense(3, in_units=5)'") + "  - Dense(3, params=s)\n")


def test_what_lends_may_be_lent_itself():
    text = "framework: mxnet\ninput: [3]\nshare:\n  s: Dense(3)\n  t: Dense(3, params=s)\n"
    tree = load(text + "  u: Dense(3, in_units=3, params=t)\nlayers:\n  - Dense(3, params=u)\n")
    assert list(tree) == ["dense0_weight", "dense0_bias"]


def test_a_whole_net_can_share_the_parameters_of_another():
    text = """
framework: mxnet
names: structural
input: [3]
share:
  a:
    name_scope():
      - Dense(3, in_units=3)
      - Dense(3)
layers:
  - a
  - name_scope(Sequential(params=a)):
      - Dense(3)
      - Dense(3)
"""
    tree = load(text, "structural")
    assert tree.ties == {f"1.{i}.{p}": f"0.{i}.{p}" for i in (0, 1) for p in ("weight", "bias")}
    alone = load(text.replace("  - a\n", ""))  # the lender is in no place of the model
    assert (
        set(alone)
        == set(load(text))
        == {f"sequential0_dense{i}_{p}" for i in (0, 1) for p in ("weight", "bias")}
    )


@pytest.mark.parametrize(
    ("layer", "prefixed", "structural"),
    [
        ("RNN(4, input_size=3)", "rnn0_l0_i2h_weight", "0._unfused.0.i2h_weight"),
        ("LSTM(4, 2, bidirectional=True)", "lstm0_r1_h2h_bias", "0._unfused.1.r_cell.h2h_bias"),
        ("LSTM(4, projection_size=2)", "lstm0_l0_h2r_weight", "0._unfused.0.h2r_weight"),
        ("GRU(4, 3, dropout=0.5)", "gru0_l2_h2h_bias", "0._unfused.2.h2h_bias"),
    ],
)
def test_recurrent_layers_have_the_structural_names_of_cells(layer, prefixed, structural):
    assert list(layers(layer, input="[5, 3]"))[0 if "l0_i2h" in prefixed else -1] == prefixed
    tree = layers(layer, input="[5, 3]", names="structural")
    assert list(tree)[0 if "l0_i2h" in prefixed else -1] == structural


@pytest.mark.parametrize(
    ("layer", "shapes", "trainable"),
    [
        ("Conv2D(6, (3, 5), groups=2)", [(6, 2, 3, 5), (6,)], [True, True]),
        ("Conv2D(6, (3, 5), layout='NHWC', in_channels=4)", [(6, 3, 5, 4), (6,)], [True, True]),
        ("Conv2DTranspose(6, 3, groups=2, in_channels=4)", [(4, 3, 3, 3), (6,)], [True, True]),
        ("Dense(3, flatten=False)", [(3, 9), (3,)], [True, True]),
        ("Dense(3)", [(3, 4 * 9 * 9), (3,)], [True, True]),
        ("BatchNorm(scale=False)", [(4,)] * 4, [False, True, False, False]),
        ("LayerNorm(center=False)", [(9,)] * 2, [True, False]),
        ("InstanceNorm()", [(4,)] * 2, [False, True]),
        ("GroupNorm(2)", [(2,)] * 2, [True, True]),
    ],
)
def test_shapes_come_from_the_input(layer, shapes, trainable):
    shape = "[9, 9, 4]" if "NHWC" in layer else "[4, 9, 9]"
    tree = layers(layer, input=shape)
    assert [p.shape for p in tree.parameters()] == shapes
    assert [p.trainable for p in tree.parameters()] == trainable


@pytest.mark.parametrize(
    ("argument", "scheme"),
    [
        ("None", "uniform(-0.07, 0.07)"),
        ("'zeros'", "zeros"),
        ("'Xavier'", "xavier"),
        ("Xavier()", "xavier"),
        ("Xavier('gaussian', magnitude=2)", "xavier(rnd_type='gaussian', magnitude=2)"),
        ('\'["normal", {"sigma":0.5}]\'', "normal(0, 0.5)"),
        ("Normal()", "normal(0, 0.01)"),
        ("Uniform(2)", "uniform(-2, 2)"),
        ("Orthogonal(scale=1)", "orthogonal_svd(scale=1)"),
        ("MSRAPrelu(slope=0)", "msraprelu(slope=0)"),
        ("Constant(0.5)", "constant(0.5)"),
        ("One()", "ones"),
    ],
)
def test_an_initializer_is_a_name_a_call_or_its_json(argument, scheme):
    weight = layers(f"Dense(3, weight_initializer={argument})", input="[2]")["dense0_weight"]
    assert (weight.scheme, weight.fans, weight.layout) == (scheme, (2, 3), "out_in")


WRONG = {
    "no input": ("Dense(3)", {}, r"@ \$\.layers.*give `?input|needs the shape of its input"),
    "initializer": ("Dense(3, weight_initializer='xaver')", {}, "did you mean 'xavier'"),
    "initializer's argument": (
        "Dense(3, weight_initializer=Uniform('a'))", {}, "Uniform: scale must be a number, got 'a'",
    ),
    "initializer's JSON": ("Dense(3, weight_initializer='[1]')", {}, "must be JSON like"),
    "no default": ("PReLU(alpha_initializer=None)", {}, "no default for a parameter named 'alpha'"),
    "activation": ("Dense(3, activation='gelu')", {}, "activation must be one of relu, sigmoid"),
    "units": ("Dense(3, in_units=5)", {"input": "[4]"}, r"expected an input of 5 units, got \[4\]"),
    "transposed groups": ("Conv2DTranspose(4, 3, groups=2)", {}, "cannot tell the in_channels"),
    "groups": ("Conv2D(6, 3, groups=4)", {"input": "[4, 9, 9]"}, "channels 6 must be divisible"),
    "layout": ("Conv1D(6, 3, layout='NWC')", {}, "layout must be one of NCW"),
    "too small": ("Conv2D(6, 9)", {"input": "[1, 5, 5]"}, r"\[1, 5, 5\] is too small"),
    "time is no batch": ("LSTM(4)\nDense(3)", {"input": "[5, 3]"}, "time here and not the batch"),
    "batch axis": ("BatchNorm(axis=0)", {"input": "[4]"}, "is the batch"),
    "two of a name": ("Dense(3, prefix='a_')\nDense(3, prefix='a_')", {"input": "[3]"}, "named 'a_weight'"),
    "bare in a list": ("Constant(3, init='zeros')", {}, "needs a name: write a mapping"),
    "Lambda": ("Lambda('tanh')", {}, "unknown layer 'Lambda'|leave it out"),
    "package": ("rnn.LSTM(4)", {"input": "[5, 3]"}, r"only a name can be called.*: write LSTM\("),
    "attribute": ("Dense(3, params=s.params)", {}, "attribute access"),
    "eleven layers": ("RNN(2, 11)", {"input": "[3, 2]", "names": "structural"}, "more than 10 layers"),
    "other names": ("Dense(3)", {"input": "[3]", "names": "torch"}, "unknown names 'torch' for mxnet"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_what_mxnet_would_refuse_is_refused_with_a_reason(kind):
    text, keywords, message = WRONG[kind]
    with pytest.raises(DefinitionError, match=re.compile(message)):
        layers(text, **keywords)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  a: Constant(3)\n", "init must say what its values are"),
        ("  a: Constant(3, init='zeros')\n  b.c: Dense(3)\n", "a name has no dot"),
        ("  w: Parameter(3)\n", "no default for a parameter named 'w'"),
        ("  Sequential():\n    a: Dense(3)\n", "Sequential needs a list"),
        ("  Block():\n    - Dense(3)\n", "Block needs a mapping"),
        ("  Dense(3):\n    - Dense(4)\n", "takes no layers below it"),
        ("  HybridSequential():\n    - - Dense(4)\n", r"write HybridSequential\(\): around"),
        ("  name_scope(Dense(3)):\n    - Dense(3)\n", "block must be one of Sequential"),
        ("  a: Dense(3)\n  b: Dense(3)\n", "b.*Dense needs the shape of its input"),
    ],
)
def test_a_container_that_cannot_be_says_why(text, message):
    with pytest.raises(DefinitionError, match=message):
        load(f"framework: mxnet\ninput: [3]\nlayers:\n{text}")


def test_a_bare_parameter_cannot_be_in_two_blocks():
    text = "framework: mxnet\nshare: {c: \"Constant(3, init='ones')\"}\nlayers:\n"
    with pytest.raises(DefinitionError, match="'c' is in two blocks"):
        load(text + "  - {c: c}\n  - {c: c}\n")


def test_a_bare_parameter_has_the_default_of_its_name():
    tree = load("framework: mxnet\nlayers:\n  my_weight: Parameter(2, 3)\n  bias: Parameter(4)\n")
    assert [(n, p.scheme, p.fans) for n, p in tree.items()] == [
        ("block0_my_weight", "uniform(-0.07, 0.07)", (3, 2)),
        ("block0_bias", "zeros", None),
    ]


def test_what_the_first_input_tells_is_drawn_last():
    tree = layers("Dense(8)\nDense(3, in_units=8)\nDense(2)", input="[4]")
    drawn = [
        d.names[0] for d in tree.architecture.construction({}) if d.names[0].endswith("weight")
    ]
    assert drawn == ["dense1_weight", "dense0_weight", "dense2_weight"]


@pytest.mark.parametrize("names", ["prefixed", "structural"])
def test_a_shared_array_counts_once_in_the_totals_of_modules(names):
    tree = load((ROOT / "sample_models/mxnet_shared_layer.yaml").read_text(), names)
    root = outline(tree)
    assert (root.count, root.arrays) == (tree.totals.count, tree.totals.arrays) == (121, 6)
    assert [node.count for node in root.below.values()] == [40, 72, 72, 9]
