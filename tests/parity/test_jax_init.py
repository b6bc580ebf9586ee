"""Installed JAX draws the same numbers: initializers at random, and nets of flax."""

import random
import subprocess
from pathlib import Path

import asking
import numpy as np
import pytest
from asking import HERE, digest

from paraminspect.arrays import DTYPES
from paraminspect.definition import load_definition
from paraminspect.frameworks import load_words, open_generator
from paraminspect.init.distributions import Constant
from paraminspect.init.generators import Draw
from paraminspect.init.plan import initialize
from paraminspect.init.schemes import Target, parse_scheme
from paraminspect.language import format_call

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.parity

CASES, NETS = 50, 10


@pytest.fixture(scope="module")
def ask(framework_python):
    """The answers of JAX to questions."""

    python, script = framework_python("jax"), HERE / "jax_draws.py"
    return lambda questions: asking.ask(python, script, questions=questions)


def random_case(rng):
    """An initializer with arguments, shape, dtype, seed, and how many parameters are before."""
    number = rng.uniform
    fans = {f"{n}_{k}": {} for n in ("glorot", "lecun", "he") for k in ("uniform", "normal")}
    makers = {
        **fans,
        "normal": {"stddev": number(0.01, 2)},
        "uniform": {"scale": number(0.01, 2)},
        "truncated_normal": {"stddev": number(0.01, 2)},
        "variance_scaling": {
            "scale": number(0.1, 3),
            "mode": rng.choice(["fan_in", "fan_out", "fan_avg", "fan_geo_avg"]),
            "distribution": rng.choice(["uniform", "truncated_normal", "normal"]),
        },
        "orthogonal": {"scale": number(0.5, 2)},
        "delta_orthogonal": {},
    }
    name = rng.choice(list(makers))
    shape = [rng.choice([1, 2, 3, 5, 8, 17, 40]) for _ in range(rng.randint(2, 4))]
    dtype = rng.choice(["float32", "float32", "float16", "bfloat16"])
    if name == "delta_orthogonal":
        shape = [*shape[:2], rng.randint(1, 8), rng.randint(8, 20)]
    return {
        "initializer": name,
        "arguments": makers[name],
        "shape": shape,
        "dtype": "float32" if "orthogonal" in name else dtype,
        "seed": rng.choice([rng.randrange(100), rng.randrange(1 << 32), -rng.randrange(1 << 31)]),
        "number": rng.randrange(5),
    }


def test_initializers_draw_the_same_bits(ask):
    entropy = random.randrange(10**6)
    rng = random.Random(entropy)
    cases = [random_case(rng) for _ in range(CASES)]
    for case, answer in zip(cases, ask(cases), strict=True):
        shape, dtype = tuple(case["shape"]), DTYPES[case["dtype"]]
        scheme = parse_scheme(
            format_call(case["initializer"], [], case["arguments"]), load_words("jax")
        )
        before = [Draw((f"b{i}",), (1,), dtype, Constant(0.0)) for i in range(case["number"])]
        draw = Draw(("w",), shape, dtype, scheme(Target(shape, layout="in_out")))
        values = open_generator("jax", case["seed"]).arrays([*before, draw])["w"][...]
        if isinstance(answer, list):
            np.testing.assert_allclose(values.ravel(), answer, rtol=0, atol=1e-5)
        else:
            assert digest(values) == answer, (entropy, case)


def test_nets_have_the_bits_of_flax(ask, framework_python):
    probe = "import importlib.util as u, sys; sys.exit(u.find_spec('flax') is None)"
    if subprocess.run([framework_python("jax"), "-c", probe], check=False).returncode:
        pytest.skip("no flax beside jax")
    entropy = random.randrange(10**6)
    rng = random.Random(entropy)
    widths = [[rng.randint(1, 40) for _ in range(rng.randint(2, 5))] for _ in range(NETS)]
    questions = [{"widths": one, "seed": rng.randrange(1 << 32)} for one in widths]
    for question, answer in zip(questions, ask(questions), strict=True):
        first, *units = question["widths"]
        layers = "".join(f"  - Dense({n})\n" for n in units)
        text = f"framework: keras\ninput: [{first}]\nlayers:\n{layers}"
        tree = load_definition(text.encode(), "x.yaml")
        drawn = initialize(tree, seed=question["seed"], rng="jax", scheme="lecun_normal")
        assert [digest(p.numpy()) for p in drawn.values()] == answer, (entropy, question)
