"""Installed MXNet draws the same numbers: random nets, initialized by random initializers."""

import json
import random
import subprocess
from pathlib import Path

import numpy as np
import pytest
from mxnet_nets import CALLS, definition, random_net

from paraminspect.definition import load_definition
from paraminspect.errors import SchemeError
from paraminspect.init.plan import plan_initialization

pytestmark = pytest.mark.parity

HERE = Path(__file__).parent

COUNT, LEAST = 40, 20
"""Random nets, and those of them that MXNet must not refuse (a window may be too large for it)."""

INITIALIZERS = [
    *(None, None, "Xavier()", "Xavier('gaussian', 'in', 2)", "Xavier(factor_type='out')"),
    *("MSRAPrelu()", "MSRAPrelu('out', 0.1)", "Normal(0.02)", "Normal()", "Uniform(0.1)"),
    *("Orthogonal()", "Orthogonal(0.5, 'normal')", "Constant(0.3)", "One()", "Zero()"),
]
"""What `net.initialize` is given; MXNet and a scheme spell them alike."""

OWN = {
    "image": """Conv2D({c}, 3, padding=1, weight_initializer=MSRAPrelu('in', 0.1))
Conv2D({c}, 1, weight_initializer='orthogonal')|Conv2DTranspose({c}, 4, weight_initializer=Bilinear())
Conv2D(40, 3, padding=1)|Conv2D(8, 3, padding=1, in_channels={c}, bias_initializer=Normal(0.1))""",
    "vector": """Dense({c}, weight_initializer=Orthogonal(1.2, 'normal'))|Dense(300)|Dense(70)
Dense(60, weight_initializer=Xavier('gaussian', 'out', 2.5))|Embedding(50, {c})|Dense(1100)
Dense({c}, bias_initializer=Uniform(0.2))|Dense({c}, weight_initializer=Constant(0.5))
Dense({c}, weight_initializer=Uniform())|Dense({c}, weight_initializer='zeros')""",
    "NTC": """LSTM({c}, layout='NTC', i2h_bias_initializer=LSTMBias(2.0))
LSTM({c}, 2, layout='NTC', h2h_weight_initializer=Orthogonal(), i2h_bias_initializer='lstmbias')
GRU({c}, layout='NTC', i2h_weight_initializer='xavier', h2h_bias_initializer='ones')""",
    "TNC": """LSTM({c}, h2h_weight_initializer='normal')|RNN(33, i2h_weight_initializer=Xavier())
GRU({c}, bidirectional=True, h2h_weight_initializer=MSRAPrelu())""",
}
"""Layers with initializers of their own, and some that are larger."""

RICHER = {kind: "\n".join(filter(None, (calls, OWN.get(kind)))) for kind, calls in CALLS.items()}


def plan_of(net, init):
    """What is drawn of a net by an initializer; one that reaches no weight is refused, and like none.

    A wrong refusal would be seen: the values would be others.
    """
    text = definition(net, "prefixed")
    tree = load_definition(text.encode(), text)
    try:
        return plan_initialization(tree, scheme=init, rng="mxnet")
    except SchemeError as error:
        if "there are no weights" not in str(error):
            raise
        return plan_initialization(tree, rng="mxnet")


def assert_equal_up_to_signs(found, expected, message):
    """Which of two opposite singular vectors is found depends on the build of LAPACK."""
    rows = len(expected)
    found, expected = found.reshape(rows, -1), expected.reshape(rows, -1)
    axis = 1 if rows < expected.shape[1] else 0
    signs = np.sign((found * expected).sum(axis=axis, keepdims=True))
    np.testing.assert_allclose(found * signs, expected, atol=1e-5, err_msg=message)


def test_random_nets_are_drawn_as_mxnet_draws_them(framework_python, tmp_path):
    entropy = random.randrange(10**6)
    choose = random.Random(entropy)
    questions = [
        {
            "net": random_net(entropy + number, RICHER),
            "init": choose.choice(INITIALIZERS),
            "seed": choose.choice([choose.randrange(100), choose.randrange(1 << 31)]),
        }
        for number in range(COUNT)
    ]
    command = [framework_python("mxnet"), HERE / "mxnet_draws.py", tmp_path]
    subprocess.run(command, input=json.dumps(questions), capture_output=True, text=True, check=True)
    answers = {int(path.stem): np.load(path) for path in tmp_path.glob("*.npz")}
    assert len(answers) >= LEAST
    for number, expected in answers.items():
        question = questions[number]
        plan = plan_of(question["net"], question["init"])
        drawn = plan.drawn(question["seed"])
        assert set(drawn) == set(expected)
        orthogonal = {d.name for d in plan.drawings if d.scheme.lower().startswith("orthogonal")}
        for name, parameter in drawn.items():
            same = assert_equal_up_to_signs if name in orthogonal else np.testing.assert_array_equal
            same(parameter.numpy(), expected[name], f"{name} of {question}, entropy {entropy}")
