"""Definitions list what real Keras lists: paths, shapes, dtypes, order, and what is trainable."""

import contextlib
import inspect
import json
from pathlib import Path

import pytest
from keras_calls import CALLS, differences, signature_differences
from keras_models import HOLDERS, PAIRS, REFERENCE, random_pair, text_of

from paraminspect.definition import load_definition
from paraminspect.errors import DefinitionError, ParamInspectError
from paraminspect.frameworks.keras._modelling import MODELLING
from paraminspect.source import open_source

ROOT = Path(__file__).parents[2]
ARCH = ROOT / "tests/data/arch/keras"
LISTINGS = json.loads((ARCH / "listings.json").read_text())
ANSWERS = ROOT / "tests/data/keras"
LAYERS = json.loads((ANSWERS / "layers.json").read_text())
FROZEN = json.loads((ANSWERS / "models.json").read_text())
LAYOUTS = json.loads((ANSWERS / "layouts.json").read_text())

MODELS = {
    "app_mobilenet": "keras_mobilenet",
    "app_resnet50": "keras_resnet50",
    "app_vgg16": "vgg16",
    "conv_zoo": "conv_zoo",
    "functional_shared": "functional_shared",
    "lenet": "keras_cnn",
    "lstm_text": "keras_lstm_text",
    "mha_block": "mha_block",
    "mlp": "keras_mlp",
    "mlp_adam_trained": "keras_mlp",
    "mlp_float16": "mlp_float16",
    "nested_rgnet": "nested_rgnet",
    "nested_rgnet_bfloat16": "nested_rgnet_bfloat16",
    "subclassed": "subclassed",
}


def load(model):
    name = MODELS[model]
    path = ROOT / "sample_models" / f"{name}.yaml"
    if not path.exists():
        path = ARCH / "definitions" / f"{name}.yaml"
    return load_definition(path.read_bytes(), path.name)


def listed(tree):
    return [[p.name, list(p.shape), p.dtype.name, p.trainable] for p in tree.entries.values()]


def test_every_reference_model_has_a_definition():
    assert set(MODELS) == set(LISTINGS["keras3"])


@pytest.mark.parametrize("model", MODELS)
def test_a_definition_lists_what_keras_3_lists(model):
    tree, expected = load(model), LISTINGS["keras3"][model]
    assert listed(tree) == expected["weights"]
    assert tree.totals.count == expected["count"]
    assert not tree.ties


@pytest.mark.parametrize("model", LISTINGS["keras2"])
def test_keras_2_has_the_same_weights_under_shorter_names(model):
    tree, expected = load(model), LISTINGS["keras2"][model]["weights"]
    ours = [[short(name), *rest] for name, *rest in listed(tree)]
    assert ours == [[short(name.removesuffix(":0")), *rest] for name, *rest in expected]


def short(name):
    """Layer and weight: Keras 2 leaves the containers out, and calls one kernel otherwise."""
    return "/".join(name.split("/")[-2:]).replace("conv2d/depthwise_kernel", "conv2d/kernel")


@pytest.mark.parametrize("path", sorted((ARCH / "files").iterdir()), ids=lambda path: path.name)
def test_a_file_that_keras_saved_lists_what_the_definition_lists(path):
    name = path.name.partition(".")[0]
    model = next(model for model, definition in MODELS.items() if definition == name)
    saved = {n: (p.shape, p.dtype) for n, p in open_source(str(path)).entries.items()}
    assert saved == {n: (p.shape, p.dtype) for n, p in load(model).entries.items()}


def test_every_layer_has_the_arguments_of_keras():
    signatures = dict(json.loads((ANSWERS / "signatures.json").read_text()))
    assert list(signature_differences(signatures)) == []


@pytest.mark.parametrize("asked", LAYERS, ids=lambda asked: "{} on {}".format(*asked[0]))
def test_a_layer_weighs_and_gives_what_keras_says(asked):
    (call, shape), answer = asked
    assert list(differences(call, shape, answer)) == []


VALUES = [
    *(None, True, -1, 0, 2, 10**30, 1.5, "x", "", "valid", "abc,cd->abd", "channels_first"),
    *((), (1,), [1, 2], (2, 3, 4), ("a",), ((1, 2), (3,)), [None, 3], [[1]], (True,)),
    *(MODELLING.layers["LSTM"](3), [MODELLING.layers["LSTMCell"](2)], MODELLING.values["L2"]()),
]
REQUIRED = {
    "layer": MODELLING.layers["LSTM"](3),
    "cell": MODELLING.layers["LSTMCell"](2),
    "equation": "ab,bc->ac",
    "activation": "relu",
    "target_shape": (-1,),
    "dims": (1,),
    "cells": [MODELLING.layers["LSTMCell"](2)],
}


@pytest.mark.parametrize("kind", MODELLING.layers)
def test_whatever_an_argument_is_the_layer_is_built_or_refused(kind):
    function = MODELLING.layers[kind]
    parameters = inspect.signature(function).parameters
    required = {n: REQUIRED.get(n, 1) for n, p in parameters.items() if p.default is p.empty}
    for name in parameters:
        for value in VALUES:
            with contextlib.suppress(ParamInspectError):
                layer = function(**required | {name: value})
                for shape in (None, (), (4,), (5, 4), (5, 6, 4), (2, 3, 4, 5)):
                    with contextlib.suppress(ParamInspectError):
                        MODELLING.name_parameters(layer.build(shape))


def test_the_frozen_answers_are_to_the_calls_and_models_of_the_tests():
    assert [tuple(call) for call, _ in LAYERS] == [(call, shape) for call, shape in CALLS]
    pairs = [*PAIRS.values(), *map(random_pair, range(len(FROZEN) - len(PAIRS)))]
    assert [definition for definition, _ in FROZEN] == [definition for definition, _ in pairs]
    stored = [*HOLDERS.values(), *REFERENCE.items(), *pairs]
    assert [definition for definition, _ in LAYOUTS] == [definition for definition, _ in stored]


@pytest.mark.parametrize(
    "number", range(len(FROZEN)), ids=[*PAIRS, *range(len(PAIRS), len(FROZEN))]
)
def test_a_model_lists_what_keras_lists_for_the_same_code(number):
    definition, expected = FROZEN[number]
    assert listed(load_pair(definition)) == expected


def load_pair(definition):
    return load_definition(text_of(definition).encode(), "x.yaml")


@pytest.mark.parametrize(
    "number",
    range(len(LAYOUTS)),
    ids=[*HOLDERS, *REFERENCE, *PAIRS, *range(len(LAYOUTS) - len(HOLDERS | REFERENCE | PAIRS))],
)
def test_the_layout_of_a_model_is_that_of_the_file_that_keras_saves(number):
    definition, expected = LAYOUTS[number]
    layout = load_pair(definition).architecture.placement()
    assert layout.paths == {name: path for name, (path, _) in expected["datasets"].items()}
    assert layout.names.keys() == expected["groups"].keys()
    assert expected["groups"].items() >= named(layout).items()


def named(layout):
    """The groups whose name Keras makes as we do: of layers with parameters, no Functional."""
    return {
        group: {"name": name}
        for group, name in layout.names.items()
        if any(path.startswith(group.removesuffix("vars")) for path in layout.paths.values())
        and not name.startswith("functional")
    }


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ("- Add(): [Dense(4), Dense(4)]", "the branches below Add.* are no layers of a Sequential"),
        ("a: {b: {Add(): [Dense(4), Dense(4)]}}", "no layers of keras.Model, a layer of one's own"),
        ("a: Dense(4)\n  b: Dense(4)\n  forward: a(b(x))", "forward does not say in which order"),
        (
            "Functional():\n    - Add():\n      - a: Dense(4)\n        forward: a(x)",
            "forward does not say in which order",
        ),
    ],
)
def test_a_model_that_no_code_of_keras_builds_so_has_no_layout(layers, reason):
    text = f"framework: keras\ninput: [4]\nlayers:\n  {layers}\n"
    with pytest.raises(DefinitionError, match=reason):
        load_definition(text.encode(), "x.yaml").architecture.placement()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "layers:\n  - Dens(4)\n",
            r"unknown layer 'Dens', did you mean 'Dense'\? @ \$.layers\[0\]",
        ),
        ("layers:\n  - Dense(unit=4)\n", r"no argument 'unit', did you mean 'units'\?"),
        ("layers:\n  - Dense(4, padding=1)\n", "Dense.. has no argument 'padding'; it takes units"),
        (
            "layers:\n  - Dense(4)\n",
            r"Dense needs the shape of its input: .*`input:` @ \$.layers\[0\]",
        ),
        (
            "input: [4, 4, 1]\nlayers:\n  - Conv2D(2, 3)\n  - Conv2D(2, 3)\n",
            r"Conv2D: a window of \[3, 3\] does not fit into an input of \[2, 2\] @ .*\[1\] \(line 5\)",
        ),
        ("input: [4]\nlayers:\n  - LSTM(3)\n", r"LSTM takes an input with 2 axes .* got \[4\]"),
        (
            "input: [4]\nlayers:\n  - Add():\n      - Dense(2)\n      - Dense(3)\n",
            r"Add: shapes \[2\] and \[3\] do not fit @ \$.layers\[0\] \(line 4\)",
        ),
        ("input: [4]\nlayers:\n  - Add()\n", "Add merges several inputs: write its branches below"),
        ("input: [4]\nlayers:\n  - Dense(2):\n      - Dense(3)\n", "takes no layers below it"),
        (
            "input: [4]\nlayers:\n  - Lambda(2)\n",
            "Lambda is not called in a definition: a function",
        ),
        (
            "input: [4]\nlayers:\n  - Dense(4, activation='rleu')\n",
            "activation .*did you mean 'relu'",
        ),
        ("input: [4]\nlayers:\n  - Dense(4, kernel_initializer='he_norm')\n", "mean 'he_normal'"),
        ("input: [4]\nlayers:\n  a/b: Dense(4)\n", "printable and without '/', got 'a/b'"),
        (
            "input: [4]\nshare: {s: Dense(8)}\nlayers:\n  - s\n  - s\n",
            r"shared layer 'dense' cannot be used twice: 'dense/kernel' would be \[4, 8\] .* \[8, 8\]",
        ),
        (
            "input: [4]\nlayers:\n  - Dense(4, name='a')\n  - Dense(4, name='a')\n",
            "two parameters would be named 'sequential/a/kernel'",
        ),
        (
            "input: [5, 4]\nlayers:\n  - Bidirectional(LSTM(3), merge_mode=None)\n  - Dense(2)\n",
            "Dense needs the shape of its input: it is not known after 0: Bidirectional",
        ),
    ],
)
def test_a_definition_that_cannot_be_says_what_and_where(text, message):
    with pytest.raises(DefinitionError, match=message):
        load_definition(f"framework: keras\n{text}".encode(), "x.yaml")
