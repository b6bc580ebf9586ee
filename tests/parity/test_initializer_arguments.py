"""Every name that a framework gives to an initializer draws its values there, or is refused."""

import random

import asking
import numpy as np
import pytest

from paraminspect.arrays import DTYPES, Unset
from paraminspect.errors import ParamInspectError
from paraminspect.init.plan import initialize
from paraminspect.tree import Parameter, ParameterTree

pytestmark = pytest.mark.parity

EACH = 4
"""Calls of each name."""

LAYOUTS = {"torch": "out_in", "keras": "in_out", "jax": "in_out", "mxnet": "out_in"}
RNGS = {"torch": "pytorch"}

BACKENDS = ("tensorflow", "jax", "torch")

SHAPES = [(3, 5), (5, 3), (8, 8), (4, 3, 5), (2, 3, 3, 4), (12,), (40, 17), (2, 2, 2, 3, 3), (8,)]


def some(rng):
    """What each argument may be, by its name in any framework."""
    number = round(rng.uniform(0.05, 2), rng.choice([1, 3, 15]))
    axis = rng.choice([0, 1, -1, -2, (0, 1), [1], ()])
    return {
        **dict.fromkeys(("mean", "val", "value", "minval", "lower", "a"), -number),
        **dict.fromkeys(("std", "stddev", "sigma", "gain", "scale", "slope", "magnitude"), number),
        **dict.fromkeys(("b", "maxval", "upper", "forget_bias"), number),
        "sparsity": round(rng.random(), 2),
        "groups": rng.choice([1, 1, 2]),
        "mode": rng.choice(["fan_in", "fan_out", "fan_avg", "fan_geo_avg"]),
        "nonlinearity": rng.choice(["relu", "leaky_relu", "tanh", "selu", "linear"]),
        "distribution": rng.choice(["uniform", "normal", "truncated_normal", "untruncated_normal"]),
        "seed": rng.choice([None, 0, 7, 2**31, 2**32 - 1, 2**40, -1, -(2**35), 2**63 - 1, 2**64]),
        "rnd_type": rng.choice(["uniform", "gaussian"]),
        "factor_type": rng.choice(["avg", "in", "out"]),
        "rand_type": rng.choice(["uniform", "normal"]),
        **dict.fromkeys(("in_axis", "out_axis", "batch_axis"), axis),
        "column_axis": rng.choice([0, 1, -1, -2]),
    }


def random_call(rng, name, arguments):
    """The name alone or with arguments, the first by position, and some of the others by name."""
    values = {n: some(rng)[n] for n in arguments if n not in ("input_axes", "output_axes")}
    first = rng.randint(0, len(values)) if rng.random() < 0.4 else 0
    positional = [repr(v) for v in list(values.values())[:first]]
    named = [f"{n}={v!r}" for n, v in list(values.items())[first:] if rng.random() < 0.5]
    if not positional and not named and rng.random() < 0.5:
        return name
    return f"{name}({', '.join(positional + named)})"


def drawn(framework, rng, question):
    """The values that a rule draws, or None and why it is refused."""
    data = Unset(tuple(question["shape"]), DTYPES["float32"])
    tree = ParameterTree({"w": Parameter("w", data)})
    wishes = {"rng": rng, "rules": [f"w={question['call']}"], "layout": LAYOUTS[framework]}
    try:
        made = initialize(tree, seed=question["seed"], **wishes)
    except ParamInspectError as error:
        return None, str(error)
    return made["w"].numpy().astype(np.float64).ravel(), ""


def assert_same(framework, call, shape, values, expected):
    if "rthogonal" not in call:
        np.testing.assert_array_equal(values, expected, err_msg=call)
        return
    if framework == "mxnet":  # signs of singular vectors depend on LAPACK
        values, expected = abs(values), np.abs(expected)
    np.testing.assert_allclose(values, expected, atol=2e-5, err_msg=f"{call} {shape}")


REFUSED = (
    "a single number",  # others take it for something else
    "constant() has no argument 'val'",  # of the deprecated name
    "only those cut at ±2",
    "truncated_normal() is wrong: too many positional",  # the second is the dtype in JAX
    "is named twice",
    "is outside of shape",
    "JAX counts no fans of fewer than 2 axes",
    "lstm_bias needs 1 axis",
    "bilinear needs 4 axes",
)
"""What a framework draws and we refuse: with one line, never in silence."""


def assert_calls_agree(ask, framework, rng_name, count=EACH):
    entropy = random.randrange(10**6)
    rng = random.Random(entropy)
    [names] = ask([None])
    assert len(names) > 10
    questions = [
        {
            "call": random_call(rng, name, arguments),
            "shape": rng.choice(SHAPES),
            "seed": rng.choice([rng.randrange(100), rng.randrange(1 << 32)]),
        }
        for name, arguments in names.items()
        for _ in range(count)
    ]
    same = 0
    for question, expected in zip(questions, ask(questions), strict=True):
        call, shape = question["call"], question["shape"]
        values, error = drawn(framework, rng_name, question)
        if values is None:
            refused = any(text in error for text in REFUSED)
            assert expected is None or refused, (entropy, call, shape, error)
        elif expected is not None:  # more is allowed here: bare names, shapes of fewer axes
            assert_same(framework, call, shape, values, expected)
            same += 1
    assert same > len(questions) // 3


@pytest.mark.parametrize("framework", ["torch", "jax", "mxnet"])
def test_every_name_and_argument_means_its_own(framework, framework_python):
    python, script = framework_python(framework), asking.HERE / "initializer_calls.py"
    assert_calls_agree(
        lambda questions: asking.ask(python, script, framework, questions=questions),
        framework,
        RNGS.get(framework, framework),
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_name_argument_and_seed_means_its_own_in_keras(backend, framework_python):
    python, script = framework_python("keras"), asking.HERE / "initializer_calls.py"
    assert_calls_agree(
        lambda questions: asking.ask(
            python, script, "keras", questions=questions, KERAS_BACKEND=backend
        ),
        "keras",
        f"keras-3.15-{backend}",
    )
