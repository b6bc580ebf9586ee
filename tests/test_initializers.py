"""Schemes: what users write becomes a distribution, with the frameworks' own arithmetic."""

import pytest

from paraminspect.distributions import (
    Constant,
    Normal,
    Orthogonal,
    Padded,
    TruncatedNormal,
    Uniform,
)
from paraminspect.errors import SchemeError
from paraminspect.initializers import Target, parse_scheme
from paraminspect.layers import Fans

LINEAR = Target((8, 4), Fans(4, 8), "out_in", "pytorch")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zeros", Constant(0.0)),
        ("42", Constant(42.0)),
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
    ],
)
def test_bare_names_have_the_defaults_of_the_framework(framework, uniform, normal):
    target = Target((2,), framework=framework)
    assert parse_scheme("uniform")(target) == uniform
    assert parse_scheme("normal")(target) == normal


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("normal(0.02)", "a single number is the mean in PyTorch"),
        ("uniform(0.02)", "a single number means"),
        ("uniform(1, 0)", "needs a <= b"),
        ("xavier_unifrm", "did you mean 'xavier_uniform'"),
        ("normal(mena=0)", "no argument 'mena', did you mean 'mean'"),
        ("normal('a', 1)", "mean must be a number, got 'a'"),
        ("kaiming_uniform(mode='fan_inn')", "did you mean 'fan_in'"),
        ("kaiming_uniform(nonlinearity='rely')", "did you mean 'relu'"),
        ("2 * normal(0, 1)", r"drawn before it is calculated with: \[normal\(0, 1\), 2 \* x\]"),
        ("x + 1", "draw it first"),
        ("[x + 1]", "first step must be a scheme"),
        ("[]", "first step must be a scheme"),
        ("'zeros'", "expected a scheme like"),
        ("sparse", "missing a required argument: 'sparsity'"),
        ("__import__('os')", "unknown function"),
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
        ("padded(zeros, 8)", (2, 3), "no row 8"),
        ("orthogonal", (3,), r"orthogonal needs 2\+ axes"),
        ("xavier_normal", (3,), "fewer than 2 axes"),
    ],
)
def test_a_scheme_that_does_not_fit_a_shape_says_why(text, shape, message):
    with pytest.raises(SchemeError, match=message):
        parse_scheme(text)(Target(shape, layout="out_in"))


def test_fans_of_a_bare_shape_must_be_told():
    scheme = parse_scheme("xavier_uniform")
    with pytest.raises(SchemeError, match="--layout out_in"):
        scheme(Target((8, 4)))
    assert scheme(Target((8, 4, 3), layout="out_in")) == scheme(Target((), Fans(12, 24)))
    assert scheme(Target((3, 4, 8), layout="in_out")) == scheme(Target((), Fans(12, 24)))
