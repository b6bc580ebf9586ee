"""Every optimizer steps as torch's does, with any of its arguments, over random gradients."""

import inspect
import random

import asking
import numpy as np
import pytest

from paraminspect.compute import OPTIMIZERS
from paraminspect.errors import ParamInspectError

pytestmark = pytest.mark.parity

KINDS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop"}
EACH = 60
STEPS = 10


def some(rng):
    """A value for every argument of an optimizer."""

    def part():
        return rng.choice([0.0, rng.random(), 1 - 10 ** -rng.uniform(1, 5)])

    return {
        "momentum": part(),
        "dampening": rng.choice([0.0, 0.0, rng.random()]),
        "weight_decay": rng.choice([0.0, 10 ** rng.uniform(-5, 0)]),
        "nesterov": rng.random() < 0.5,
        "betas": (part(), part()),
        "eps": 10 ** rng.uniform(-12, -1),
        "amsgrad": rng.random() < 0.5,
        "alpha": 1 - 10 ** -rng.uniform(0.1, 5),  # at 0 the variance is what rounding leaves
        "centered": rng.random() < 0.5,
    }


def random_question(rng, name):
    known = [n for n in inspect.signature(OPTIMIZERS[name]).parameters if n != "lr"]
    values = some(rng)
    numbers = np.random.default_rng(rng.randrange(1 << 32))
    scale = 10.0 ** rng.randint(-6, 3)
    gradients = scale * numbers.standard_normal((STEPS, 6))
    gradients[:, 0] = 0  # what is never used
    gradients[rng.randrange(STEPS), 1:3] = 0
    return {
        "kind": KINDS[name],
        "arguments": {
            "lr": 10 ** rng.uniform(-4, 0),
            **{n: values[n] for n in known if rng.random() < 0.6},
        },
        "values": numbers.standard_normal(6).tolist(),
        "gradients": gradients.tolist(),
    }


def stepped(name, question):
    """The values after each step, or None where the arguments are refused."""
    try:
        update = OPTIMIZERS[name](**question["arguments"])
    except ParamInspectError:
        return None
    state, value, after = {}, np.array(question["values"]), []
    for number, gradient in enumerate(question["gradients"], 1):
        value = update(state, value, np.array(gradient), number)
        after.append(value)
    return after


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_steps_as_in_torch_with_any_of_its_arguments(name, framework_python):
    entropy = random.randrange(10**6)
    rng = random.Random(entropy)
    questions = [random_question(rng, name) for _ in range(EACH)]
    script = asking.HERE / "torch_optimizers.py"
    answers = asking.ask(framework_python("torch"), script, questions=questions)
    assert sum(answer is not None for answer in answers) > EACH / 2
    for question, expected in zip(questions, answers, strict=True):
        ours, told = stepped(name, question), f"entropy {entropy}: {question['arguments']}"
        assert (ours is None) == (expected is None), told
        if ours is not None:
            np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-12, err_msg=told)
