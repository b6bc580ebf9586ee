"""Keras's random numbers, against hashes of what Keras 3.15 drew (tests/data/init/keras_draws)."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from paraminspect.arrays import DTYPES
from paraminspect.definition import load_definition
from paraminspect.errors import SchemeError
from paraminspect.frameworks import load_words, open_generator
from paraminspect.init.distributions import (
    Constant,
    Normal,
    Orthogonal,
    Sparse,
    TruncatedNormal,
    Uniform,
)
from paraminspect.init.generators import Draw
from paraminspect.init.plan import initialize
from paraminspect.init.schemes import Target, parse_scheme
from paraminspect.language import format_call
from paraminspect.tree.layers import Seed

HERE = Path(__file__).parents[1] / "data/init/keras_draws"
BACKENDS = ("tensorflow", "jax", "torch")
FROZEN = {backend: json.loads((HERE / f"{backend}.json").read_text()) for backend in BACKENDS}
CLOSE = {backend: np.load(HERE / f"{backend}.npz") for backend in BACKENDS}
FLOAT32 = DTYPES["float32"]
INITIALIZERS = sorted({case[0] for case in FROZEN["jax"]["initializers"]})


def digest(values):
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]


def drawn(backend, distribution, shape, seed, dtype=FLOAT32):
    draw = Draw(("w",), shape, dtype, distribution, seed=Seed(seed))
    return open_generator(f"keras-3.15-{backend}", 0).arrays([draw])["w"]


def made_by(backend, name, arguments, shape, seed, dtype):
    scheme = parse_scheme(format_call(name, [], arguments), load_words("keras"))
    return drawn(backend, scheme(Target(shape, None, "in_out")), shape, seed, dtype)


def assert_same(values, expected, backend, case):
    if expected.startswith("q"):
        np.testing.assert_allclose(values, CLOSE[backend][expected], atol=1e-5, strict=True)
    else:
        assert digest(values) == expected, case


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", INITIALIZERS)
def test_every_initializer_draws_the_same_bits(backend, name):
    for case in (c for c in FROZEN[backend]["initializers"] if c[0] == name):
        _, arguments, shape, seed, dtype, expected = case
        if expected is None or (name, dtype) == ("Orthogonal", "float16"):
            with pytest.raises(SchemeError):
                made_by(backend, name, arguments, tuple(shape), seed, DTYPES[dtype])
        else:
            values = made_by(backend, name, arguments, tuple(shape), seed, DTYPES[dtype])[...]
            assert_same(values, expected, backend, case)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", sorted({case[0] for case in FROZEN["jax"]["models"]}))
def test_a_constructed_model_has_the_bits_that_keras_gives_it(backend, name):
    for _, text, seed, expected in (c for c in FROZEN[backend]["models"] if c[0] == name):
        tree = load_definition(f"framework: keras\n{text}".encode(), "x.yaml")
        made = initialize(tree, seed=seed, rng=f"keras-3.15-{backend}")
        assert len(made.entries) == len(expected)
        for parameter, key in zip(made.values(), expected, strict=True):
            assert_same(parameter.numpy(), key, backend, parameter)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    "distribution",
    [Uniform(-1.0, 1.0), Normal(0.0, 1.0), TruncatedNormal(0.0, 1.0, -2.0, 2.0, relative=True)],
)
def test_a_slice_has_the_values_of_the_whole(backend, dtype, distribution):
    array = drawn(backend, distribution, (40_000,), 1, DTYPES[dtype])
    whole = array[...]
    for start, stop in [(0, 0), (39_999, 40_000), (3, 16_390), (16_384, 40_000), (17, 18)]:
        np.testing.assert_array_equal(array.read(start, stop), whole[start:stop])


def test_a_seed_that_draws_share_is_taken_at_the_first_of_them():
    shared = Seed()
    draws = [
        Draw(("a",), (4,), FLOAT32, Normal(0.0, 1.0), seed=shared),
        Draw((), (9,), FLOAT32, Normal(0.0, 1.0)),
        Draw(("b",), (6,), FLOAT32, Normal(0.0, 1.0), seed=shared),
        Draw(("zeros",), (3,), FLOAT32, Constant(0.0)),
        Draw(("c",), (4,), FLOAT32, Normal(0.0, 1.0)),
    ]
    made = open_generator("keras", 0).arrays(draws)
    alone = [draw for draw in draws if draw.seed is None and draw.names != ("zeros",)]
    later = open_generator("keras", 0).arrays([draws[0], *alone])
    np.testing.assert_array_equal(made["a"][...], made["b"][:4])
    np.testing.assert_array_equal(made["c"][...], later["c"][...])


@pytest.mark.parametrize(
    ("given", "plain", "rule"),
    [
        ("Dense(3, bias_initializer='random_normal')", "Dense(3)", "*dense/bias=RandomNormal()"),
        ("Dense(3, kernel_initializer='ones')", "Dense(3)", "*dense/kernel=1"),
        (
            "Dense(3, kernel_initializer='he_normal', bias_initializer=RandomUniform())",
            "Dense(3, kernel_initializer=RandomNormal(), bias_initializer=RandomUniform())",
            "*dense/kernel=he_normal",
        ),
        ("SimpleRNN(3, kernel_initializer='zeros')", "SimpleRNN(3)", "*cell/kernel=zeros"),
        (
            "Bidirectional(GRU(3, recurrent_initializer='he_normal'))",
            "Bidirectional(GRU(3))",
            "*recurrent_kernel=he_normal",
        ),
    ],
)
def test_a_rule_is_drawn_as_an_initializer_that_the_layer_was_given(given, plain, rule):
    text = "framework: keras\ninput: [5, 4]\nlayers:\n  - {}\n  - Flatten()\n  - Dense(2, name='last')\n"
    one, other = (load_definition(text.format(call).encode(), "x.yaml") for call in (given, plain))
    made = initialize(one, seed=1, rng="keras")
    ruled = initialize(other, seed=1, rng="keras", rules=[rule])
    for name in made:
        np.testing.assert_array_equal(made[name].numpy(), ruled[name].numpy(), strict=True)


@pytest.mark.parametrize(
    ("rng", "distribution", "dtype", "message"),
    [
        ("keras", TruncatedNormal(0.0, 1.0, -1.0, 2.0, True), "float32", "±2 .* not at -1 and 2"),
        ("keras", Orthogonal(1.0, 2, 12), "float32", "use layout='in_out'"),
        ("keras", Orthogonal(1.0, 6, 4, "svd"), "float32", "no orthogonal_svd"),
        ("keras", Orthogonal(1.0, 6, 4), "float16", "orthogonal matrices of float16 are not"),
        ("keras-jax", Normal(0.0, 1.0), "float64", "JAX draws float16, bfloat16, float32, not"),
        ("keras", Normal(0.0, 1.0), "int64", "TensorFlow draws .* not int64"),
        ("keras", Sparse(0.1, 1.0), "float32", "no Sparse initializer"),
    ],
)
def test_what_keras_does_not_draw_is_refused(rng, distribution, dtype, message):
    draw = Draw(("w",), (2, 3, 4), DTYPES[dtype], distribution)
    with pytest.raises(SchemeError, match=f"^w: .*{message}"):
        open_generator(rng, 0).arrays([draw])


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("Embedding(3, 4, weights=[1])", r"Embedding\(.*\): the values of `weights` are not known"),
        ("Bidirectional(LSTM(2), weights=[1])", "the values of `weights` are not known"),
    ],
)
def test_values_that_a_layer_is_given_are_refused(layer, message):
    tree = load_definition(
        f"framework: keras\ninput: [5, 4]\nlayers:\n  - {layer}\n".encode(), "x.yaml"
    )
    with pytest.raises(SchemeError, match=message):
        initialize(tree, seed=0, rng="keras")


@pytest.mark.parametrize("seed", [-1, 1 << 32])
def test_a_seed_that_keras_does_not_take_is_refused(seed):
    with pytest.raises(SchemeError, match=f"takes seeds from 0 to 2\\*\\*32 - 1, got {seed}"):
        open_generator("keras", seed)
