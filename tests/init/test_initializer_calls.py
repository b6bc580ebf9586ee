"""Calls of the frameworks' initializers by their own names (tests/data/init/calls made them)."""

import json
from pathlib import Path

import numpy as np
import pytest

from paraminspect.arrays import DTYPES, Unset
from paraminspect.definition import load_definition
from paraminspect.errors import SchemeError
from paraminspect.init.plan import initialize
from paraminspect.tree import Parameter, ParameterTree

HERE = Path(__file__).parents[1] / "data/init/calls"

FILES = {
    "torch": ("pytorch", "out_in"),
    "keras_tensorflow": ("keras", "in_out"),
    "keras_jax": ("keras-jax", "in_out"),
    "keras_torch": ("keras-torch", "in_out"),
    "jax": ("jax", "in_out"),
    "mxnet": ("mxnet", "out_in"),
}

REFUSED = ("is named twice", "lstm_bias needs 1 axis", "bilinear needs 4 axes")
"""What a framework takes, though it means nothing there."""


def drawn(file, call, shape, seed):
    rng, layout = FILES[file]
    tree = ParameterTree({"w": Parameter("w", Unset(tuple(shape), DTYPES["float32"]))})
    made = initialize(tree, seed=seed, rng=rng, layout=layout, rules=[f"w={call}"])
    return made["w"].numpy().astype(np.float64).ravel()


@pytest.mark.parametrize("file", FILES)
def test_every_call_draws_what_its_framework_draws_or_is_refused_as_there(file):
    cases = json.loads((HERE / f"{file}.json").read_text())
    wrong = []
    for call, shape, seed, expected in cases:
        try:
            values = drawn(file, call, shape, seed)
        except SchemeError as error:
            if expected is not None and not any(text in str(error) for text in REFUSED):
                wrong.append((call, shape, str(error)))
            continue
        if expected is None:
            continue
        if "rthogonal" in call:  # the signs of singular vectors depend on LAPACK
            values, expected = np.abs(values), np.abs(expected)
        close = 2e-5 if "rthogonal" in call else 0
        if not np.allclose(values, expected, rtol=0, atol=close):
            wrong.append((call, shape, values[:3], expected[:3]))
    assert not wrong


@pytest.mark.parametrize(
    ("rng", "call", "message"),
    [
        ("pytorch", "normal(0.02)", "a single number is the mean"),
        ("keras", "uniform(0.5)", "uniform needs both bounds"),
        ("native", "normal_(std=-1)", "must not be negative"),
        ("jax", "kaiming_normal(nonlinearity='relu')", "no argument 'nonlinearity'"),
        ("jax", "he_normal(in_axis=5)", "axis 5 is outside"),
        ("jax", "orthogonal(column_axis=2)", "column_axis 2 is not one of 2 axes"),
        ("jax", "variance_scaling(1, 'fan_in', 'untruncated_normal')", "must be one of"),
        ("keras-jax", "HeNormal(seed=-1)", "takes seeds from 0 to 4294967295, got -1"),
        ("keras", "HeNormal(seed=1.5)", "seed must be an integer or None"),
        ("native", "variance_scaling(distribution='normal')", "truncated_normal in Keras"),
        ("mxnet", "Constant", "missing a required argument: 'value'"),
    ],
)
def test_what_no_framework_or_more_than_one_would_mean_is_refused(rng, call, message):
    tree = ParameterTree({"w": Parameter("w", Unset((3, 5), DTYPES["float32"]))})
    with pytest.raises(SchemeError, match=message):
        initialize(tree, seed=0, rng=rng, layout="in_out", rules=[f"w={call}"])


def test_a_definition_has_the_words_of_its_framework_and_a_rule_those_of_the_rng():
    text = b"framework: keras\ninput: [40]\nlayers: [Dense(50)]\ninit: {'*kernel': normal}\n"
    tree = load_definition(text, "x.yaml")
    [kernel, _] = initialize(tree, seed=0, rng="jax").values()
    assert 0.04 < kernel.numpy().std() < 0.06
    [kernel, _] = initialize(tree, seed=0, rng="jax", rules=["*kernel=normal"]).values()
    assert 0.008 < kernel.numpy().std() < 0.012


def test_a_seed_in_a_rule_is_the_one_of_its_draw():
    tree = load_definition(b"framework: keras\ninput: [4]\nlayers: [Dense(5)]\n", "x.yaml")
    rules = ["*kernel=HeNormal(seed=3)"]
    one, other = (initialize(tree, seed=seed, rules=rules) for seed in (0, 1))
    name = "sequential/dense/kernel"
    np.testing.assert_array_equal(one[name].numpy(), other[name].numpy(), strict=True)
    again = initialize(tree, seed=3, rules=["*kernel=HeNormal"])
    np.testing.assert_array_equal(one[name].numpy(), again[name].numpy(), strict=True)


@pytest.mark.parametrize("seed", [-1, 1 << 31, 1 << 40])
def test_a_layer_takes_the_seeds_that_keras_takes(seed):
    layer = f"Dense(5, kernel_initializer=HeNormal(seed={seed}))"
    text = f"framework: keras\ninput: [4]\nlayers:\n  - {layer}\n  - Dropout(0.1, seed={seed})\n"
    drawn = initialize(load_definition(text.encode(), "x.yaml"), seed=0, rng="keras")
    rule = f"*kernel=HeNormal(seed={seed})"
    plain = load_definition(b"framework: keras\ninput: [4]\nlayers: [Dense(5)]\n", "x.yaml")
    ruled = initialize(plain, seed=9, rng="keras", rules=[rule])
    name = "sequential/dense/kernel"
    np.testing.assert_array_equal(drawn[name].numpy(), ruled[name].numpy(), strict=True)
