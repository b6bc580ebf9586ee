"""JAX's random numbers, against hashes of what JAX 0.10 drew (tests/data/init/jax)."""

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
    Normal,
    Orthogonal,
    Sparse,
    Steps,
    TruncatedNormal,
    Uniform,
)
from paraminspect.init.generators import Draw
from paraminspect.init.plan import initialize
from paraminspect.init.schemes import Target, parse_scheme
from paraminspect.language import format_call

FROZEN = json.loads((Path(__file__).parents[1] / "data/init/jax/jax.json").read_text())
FLOAT32 = DTYPES["float32"]


def digest(values):
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]


def scheme_of(name, arguments):
    return parse_scheme(format_call(name, [], arguments), load_words("jax"))


def drawn(distribution, shape, seed, dtype=FLOAT32):
    return open_generator("jax", seed).arrays([Draw(("w",), shape, dtype, distribution)])["w"]


@pytest.mark.parametrize("name", sorted({case[0] for case in FROZEN["initializers"]}))
def test_every_initializer_draws_the_same_bits(name):
    for case in (c for c in FROZEN["initializers"] if c[0] == name):
        _, arguments, shape, seed, dtype, expected = case
        target = Target(tuple(shape), layout="in_out")
        if expected is None:
            with pytest.raises(SchemeError):
                drawn(scheme_of(name, arguments)(target), tuple(shape), seed, DTYPES[dtype])
            continue
        values = drawn(scheme_of(name, arguments)(target), tuple(shape), seed, DTYPES[dtype])[...]
        if "orthogonal" in name:
            np.testing.assert_allclose(values, np.float32(expected), atol=1e-5, strict=True)
        else:
            assert digest(values) == expected, case


@pytest.mark.parametrize(("name", "arguments", "shape", "seed", "expected"), FROZEN["random"])
def test_any_bounds_and_many_values_have_the_same_bits(name, arguments, shape, seed, expected):
    distribution = Uniform(*arguments.values()) if name == "uniform" else Normal(0.0, 1.0)
    assert digest(drawn(distribution, tuple(shape), seed)[...]) == expected


@pytest.mark.parametrize(("dims", "seed", "expected"), FROZEN["nets"])
def test_a_chain_of_linear_layers_has_the_bits_of_flax(dims, seed, expected):
    layers = "".join(f"  - Dense({units})\n" for units in dims[1:])
    text = f"framework: keras\ninput: [{dims[0]}]\nlayers:\n{layers}"
    tree = load_definition(text.encode(), "x.yaml")
    made = initialize(tree, seed=seed, rng="jax-0.10", scheme="lecun_normal")
    assert [digest(parameter.numpy()) for parameter in made.values()] == expected


@pytest.mark.parametrize(
    "distribution",
    [Uniform(-1.0, 1.0), Normal(0.0, 1.0), TruncatedNormal(0.0, 1.0, -2.0, 2.0, relative=True)],
)
def test_a_slice_has_the_values_of_the_whole(distribution):
    array = drawn(distribution, (40_000,), 1)
    whole = array[...]
    for start, stop in [(0, 0), (39_999, 40_000), (3, 16_390), (16_384, 40_000), (17, 18)]:
        np.testing.assert_array_equal(array.read(start, stop), whole[start:stop])


@pytest.mark.parametrize(
    ("distribution", "dtype", "message"),
    [
        (Normal(1.0, 1.0), "float32", "have the mean 0, not 1.0"),
        (TruncatedNormal(0.0, 1.0, -1.0, 2.0, True), "float32", "not at -1 and 2"),
        (Orthogonal(1.0, 2, 12), "float32", "use layout='in_out'"),
        (Normal(0.0, 1.0), "float64", "float16, bfloat16, float32 are reproduced, not float64"),
        (Orthogonal(1.0, 6, 4), "bfloat16", "makes no orthogonal matrices of bfloat16"),
        (Sparse(0.5, 1.0), "bfloat16", "JAX has no Sparse initializer"),
        (Steps((Normal(0.0, 1.0), Normal(0.0, 2.0))), "float32", "draws a parameter once"),
    ],
)
def test_what_jax_does_not_draw_is_refused(distribution, dtype, message):
    draw = Draw(("w",), (2, 3, 4), DTYPES[dtype], distribution)
    with pytest.raises(SchemeError, match=message):
        open_generator("jax", 0).arrays([draw])
