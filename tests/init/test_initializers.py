"""Schemes: what users write becomes a distribution, with the frameworks' own arithmetic."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from paraminspect.arrays import DTYPES
from paraminspect.errors import SchemeError
from paraminspect.frameworks import load_words, open_generator
from paraminspect.init.distributions import (
    Constant,
    Normal,
    Orthogonal,
    Padded,
    TruncatedNormal,
    Uniform,
)
from paraminspect.init.generators import Draw
from paraminspect.init.schemes import ALIASES, FAMILIES, SCHEMES, Target, parse_scheme
from paraminspect.language import format_call
from paraminspect.tree.layers import Fans

LINEAR = Target((8, 4), Fans(4, 8), "out_in")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zeros", Constant(0.0)),
        ("42", Constant(42.0)),
        ("-inf", Constant(-math.inf)),
        ("-1/2", Constant(-0.5)),
        ("constant(pi)", Constant(3.141592653589793)),
        ("uniform(-1/sqrt(4), 1/sqrt(4))", Uniform(-0.5, 0.5)),
        ("normal(0, 0.02)", Normal(0.0, 0.02)),
        ("normal(std=0.02)", Normal(0.0, 0.02)),
        ("normal_(0, 0.02)", Normal(0.0, 0.02)),
        ("Uniform(0.1)", Uniform(-0.1, 0.1)),
        ("Normal(sigma=0.1)", Normal(0.0, 0.1)),
        ("RandomNormal(stddev=0.1)", Normal(0.0, 0.1)),
        ("trunc_normal(std=0.02)", TruncatedNormal(0.0, 0.02, -2.0, 2.0, relative=False)),
        ("truncated_normal(stddev=0.02)", TruncatedNormal(0.0, 0.02, -2.0, 2.0, relative=True)),
        ("orthogonal(2)", Orthogonal(2.0, 8, 4)),
        ("padded(normal(0, 1), -1)", Padded(Normal(0.0, 1.0), -1)),
        ("padded(zeros, 1)", Padded(Constant(0.0), 1)),
    ],
)
def test_a_scheme_gives_a_distribution(text, expected):
    assert parse_scheme(text)(LINEAR) == expected


@pytest.mark.parametrize(
    ("framework", "uniform", "normal"),
    [
        ("pytorch", Uniform(0.0, 1.0), Normal(0.0, 1.0)),
        ("keras", Uniform(-0.05, 0.05), Normal(0.0, 0.05)),
        ("mxnet", Uniform(-0.07, 0.07), Normal(0.0, 0.01)),
        ("jax", Uniform(0.0, 0.01), Normal(0.0, 0.01)),
        (None, Uniform(0.0, 1.0), Normal(0.0, 1.0)),
    ],
)
def test_bare_names_have_the_defaults_of_the_framework(framework, uniform, normal):
    words = load_words(framework)
    assert parse_scheme("uniform", words)(Target((2,))) == uniform
    assert parse_scheme("normal", words)(Target((2,))) == normal


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("normal(0.02)", "a single number is the mean in PyTorch"),
        ("uniform(0.02)", "a single number means"),
        ("uniform(1, 0)", "needs a <= b"),
        ("xavier_unifrm", "did you mean 'xavier_uniform'"),
        ("normal(mena=0)", "no argument 'mena', did you mean 'mean'"),
        ("normal('a', 1)", "mean must be a finite number, got 'a'"),
        ("normal(0, inf)", "std must be a finite number, got inf"),
        ("kaiming_normal(nan)", "a must be a finite number, got nan"),
        ("constant('a')", "value must be a number, got 'a'"),
        ("Mixed(['.*'], [Xavier()])", "Mixed is not a scheme of one parameter: give a rule for"),
        ("FusedRNN(Xavier(), 4, 1, 'lstm')", "FusedRNN is not a scheme of one parameter"),
        ("Load('x.params')", "Load is not a scheme .* complete the checkpoint"),
        ("mystery(3)", "unknown scheme 'mystery'; known are zeros, ones"),
        ("kaiming_uniform(mode='fan_inn')", "did you mean 'fan_in'"),
        ("kaiming_uniform(nonlinearity='rely')", "did you mean 'relu'"),
        ("2 * normal(0, 1)", r"drawn before it is calculated with: \[normal\(0, 1\), 2 \* x\]"),
        ("x + 1", "draw it first"),
        ("[x + 1]", "first step must be a scheme"),
        ("[]", "first step must be a scheme"),
        ("'zeros'", "expected a scheme like"),
        ("sparse", "missing a required argument: 'sparsity'"),
        ("__import__('os')", "unknown scheme '__import__'"),
        ("zeros.real", "attribute access"),
    ],
)
def test_a_scheme_that_cannot_be_says_why(text, message):
    with pytest.raises(SchemeError, match=message):
        parse_scheme(text)


@pytest.mark.parametrize(
    ("text", "shape", "message"),
    [
        ("sparse(0.5)", (2, 3, 4), "needs 2 axes"),
        ("identity", (2,), "identity needs 2 axes"),
        ("dirac", (2, 3), "dirac needs 3 to 5 axes"),
        ("bilinear", (2, 3), "bilinear needs 4 axes"),
        ("lstm_bias", (6,), "4 equal gates, got 6"),
        ("delta_orthogonal", (2, 3, 3), "needs out >= in"),
        ("padded(zeros, 8)", (2, 3), "row 8 is outside"),
        ("orthogonal", (3,), r"orthogonal needs 2\+ axes"),
        ("xavier_normal", (3,), "fewer than 2 axes"),
    ],
)
def test_a_scheme_that_does_not_fit_a_shape_says_why(text, shape, message):
    with pytest.raises(SchemeError, match=message):
        parse_scheme(text)(Target(shape, layout="out_in"))


def test_fans_of_a_bare_shape_must_be_told():
    scheme = parse_scheme("xavier_uniform")
    with pytest.raises(SchemeError, match=r"out_in .PyTorch, MXNet.*; use layout="):
        scheme(Target((8, 4)))
    assert scheme(Target((8, 4, 3), layout="out_in")) == scheme(Target((), Fans(12, 24)))
    assert scheme(Target((3, 4, 8), layout="in_out")) == scheme(Target((), Fans(12, 24)))


FROZEN = Path(__file__).parents[1] / "data" / "init" / "schemes"
LAYOUTS = {"torch": "out_in", "keras": "in_out", "mxnet": "out_in"}
WORDS = {"torch": "pytorch", "keras": "keras", "mxnet": "mxnet"}


def drawn(scheme, target, dtype="float32", seed=0):
    draw = Draw(("w",), target.shape, DTYPES[dtype], scheme(target))
    return open_generator("native", seed).arrays([draw])["w"][...]


def described(distribution):
    match distribution:
        case Uniform():
            return ["uniform", distribution.low, distribution.high]
        case Normal():
            return ["normal", distribution.mean, distribution.std]
        case TruncatedNormal(relative=True, low=-2.0, high=2.0):
            return ["truncated_normal", distribution.mean, distribution.std]
    return [distribution]


@pytest.mark.parametrize("framework", LAYOUTS)
def test_schemes_calculate_to_the_bit_as_the_frameworks_do(framework):
    cases = json.loads((FROZEN / f"{framework}.json").read_text())
    for name, arguments, shape, expected in cases:
        scheme = parse_scheme(format_call(name, [], arguments), load_words(WORDS[framework]))
        target = Target(tuple(shape), layout=LAYOUTS[framework])
        if expected[0] == "values":
            values = drawn(scheme, target).ravel()
            np.testing.assert_array_equal(values, np.float32(expected[1]), strict=True)
        else:
            assert described(scheme(target)) == expected, (name, arguments, shape)


EXAMPLES = {
    "sparse": "sparse(0.3)",
    "padded": "padded(normal(0, 1), 0)",
    "constant": "constant(0.5)",
}
SHAPES = [
    (),
    (0,),
    (1,),
    (8,),
    (6, 4),
    (4, 6),
    (0, 3),
    (3, 0),
    (6, 4, 3),
    (4, 4, 3, 5),
    (3, 3, 4, 8),
]


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("layout", ["out_in", "in_out"])
def test_every_scheme_fills_every_shape_or_says_why_not(name, layout):
    scheme = parse_scheme(EXAMPLES.get(name, name))
    filled = 0
    for shape in SHAPES:
        target = Target(shape, layout=layout)
        try:
            distribution = scheme(target)
        except SchemeError:
            continue
        filled += 1
        for dtype in ("float32", "float64", "bfloat16", "float16"):
            values = drawn(scheme, target, dtype)
            assert values.shape == shape
            assert values.dtype == DTYPES[dtype].to_numpy()
            assert np.all(np.isfinite(values.astype(np.float64)))
            np.testing.assert_array_equal(values, drawn(scheme, target, dtype), strict=True)
            bounds = getattr(distribution, "bounds", None)
            if bounds is not None and values.size and dtype in ("float32", "float64"):
                assert bounds[0] <= values.min()
                assert values.max() <= bounds[1]
    assert filled or (name, layout) == ("dirac", "in_out")


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme_has_the_moments_that_it_states(name):
    shape = {"bilinear": (3, 2, 4, 4), "lstm_bias": (400,), "dirac": (30, 20, 3)}.get(
        name, (300, 200)
    )
    shape = (3, 3, 100, 200) if name == "delta_orthogonal" else shape
    target = Target(shape, layout="in_out" if name == "delta_orthogonal" else "out_in")
    scheme = parse_scheme(EXAMPLES.get(name, name))
    moments = scheme(target).mean_std
    if moments is None:
        return
    values = drawn(scheme, target).astype(np.float64)
    mean, std = moments
    few = 6 / math.sqrt(values.size)
    assert abs(values.mean() - mean) <= few * std
    assert abs(values.std() - std) <= (0.01 + few) * std


@pytest.mark.parametrize("layout", ["out_in", "in_out"])
@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (1, 1), (6, 2, 3), (3, 3, 2, 5)])
def test_orthogonal_arrays_are_orthogonal_in_their_layout(shape, layout):
    values = drawn(parse_scheme("orthogonal(3)"), Target(shape, layout=layout), "float64")
    matrix = values.reshape(shape[0], -1) if layout == "out_in" else values.reshape(-1, shape[-1])
    small = matrix if len(matrix) <= matrix.shape[1] else matrix.T
    np.testing.assert_allclose(small @ small.T, 9 * np.eye(len(small)), atol=1e-5)


def test_padded_schemes_leave_one_row_zero():
    values = drawn(parse_scheme("padded(normal(0, 1), -2)"), Target((5, 3)))
    assert np.flatnonzero(~values.any(axis=1)).tolist() == [3]


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme_states_formula_and_source(name):
    formula, blank, *source = (SCHEMES[name].__doc__ or "").splitlines()
    assert formula
    assert not blank
    assert any(word in " ".join(source) for word in ("torch.", "keras", "jax", "mxnet"))


def test_families_and_aliases_name_every_scheme_once():
    names = [name for family in FAMILIES.values() for name in family]
    assert len(names) == len(set(names))
    assert set(ALIASES.values()) <= set(names)
    assert not set(ALIASES) & set(names)


@pytest.mark.parametrize(("framework", "method"), [("mxnet", "svd"), ("pytorch", "qr")])
@pytest.mark.parametrize("name", ["Orthogonal", "orthogonal"])
def test_a_name_may_mean_another_scheme_in_mxnet(name, framework, method):
    """Its registry of names does not tell capitals."""
    assert parse_scheme(name, load_words(framework))(LINEAR).method == method
