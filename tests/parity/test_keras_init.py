"""Installed Keras draws the same numbers on each backend: initializers and models at random."""

import hashlib
import random
import subprocess
import sys
from pathlib import Path

import asking
import numpy as np
import pytest
from keras_models import PAIRS, random_pair

from paraminspect.arrays import DTYPES
from paraminspect.definition import load_definition
from paraminspect.frameworks import load_words, open_generator
from paraminspect.init.generators import Draw
from paraminspect.init.plan import initialize
from paraminspect.init.schemes import Target, parse_scheme
from paraminspect.language import format_call
from paraminspect.tree.layers import Seed

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "sample_models"

pytestmark = pytest.mark.parity

CASES, CHAINS, GRAPHS = 50, 15, 8

BACKENDS = ("tensorflow", "jax", "torch")


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request, framework_python):
    """A backend that the Python with Keras has."""
    probe = f"import importlib.util as u, sys; sys.exit(u.find_spec({request.param!r}) is None)"
    if subprocess.run([framework_python("keras"), "-c", probe], check=False).returncode:
        pytest.skip(f"no {request.param} beside keras")
    return request.param


@pytest.fixture(scope="module")
def ask(framework_python, backend):
    """The answers of Keras to questions."""

    python, script = framework_python("keras"), asking.HERE / "keras_draws.py"
    return lambda questions: asking.ask(python, script, questions=questions, KERAS_BACKEND=backend)


def assert_same(values, answer, case):
    if isinstance(answer, list):
        np.testing.assert_allclose(values.ravel(), answer, rtol=0, atol=1e-5, err_msg=str(case))
    else:
        assert hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest() == answer, case


def random_case(rng, backend):
    """A call of an initializer, a shape, a dtype and a seed."""
    number = rng.uniform
    low, high = sorted((number(-2, 2), number(-2, 2)))
    makers = {
        **{f"{n}{k}": {} for n in ("Glorot", "He", "Lecun") for k in ("Uniform", "Normal")},
        "RandomUniform": {"minval": low, "maxval": high},
        "RandomNormal": {"mean": number(-2, 2), "stddev": number(0.01, 2)},
        "TruncatedNormal": {"mean": number(-2, 2), "stddev": number(0.01, 2)},
        "VarianceScaling": {
            "scale": number(0.1, 3),
            "mode": rng.choice(["fan_in", "fan_out", "fan_avg"]),
            "distribution": rng.choice(["uniform", "truncated_normal", "untruncated_normal"]),
        },
        "Orthogonal": {"gain": number(0.5, 2)},
    }
    name = rng.choice(list(makers))
    dtypes = ["float32", "float32", "float16", "bfloat16", "float64"]
    dtype = rng.choice(dtypes[: 4 if backend == "jax" else 5])
    shape = [rng.choice([1, 2, 3, 5, 8, 17, 40]) for _ in range(rng.randint(0, 4))]
    if name == "Orthogonal":
        shape, dtype = [*shape[:2], rng.randint(1, 40), rng.randint(1, 40)], "float32"
    seed = rng.choice([rng.randrange(100), rng.randint(1, 10**9), rng.randrange(1 << 32)])
    return {
        "initializer": name,
        "arguments": makers[name],
        "shape": shape,
        "dtype": dtype,
        "seed": seed,
    }


def test_initializers_draw_the_same_bits(ask, backend):
    entropy = random.randrange(10**6)
    rng = random.Random(entropy)
    cases = [random_case(rng, backend) for _ in range(CASES)]
    for case, answer in zip(cases, ask(cases), strict=True):
        scheme = parse_scheme(
            format_call(case["initializer"], [], case["arguments"]), load_words("keras")
        )
        shape = tuple(case["shape"])
        distribution = scheme(Target(shape, layout="in_out"))
        seed, dtype = Seed(case["seed"]), DTYPES[case["dtype"]]
        draw = Draw(("w",), shape, dtype, distribution, seed=seed)
        array = open_generator(f"keras-3.15-{backend}", 0).arrays([draw])["w"]
        assert_same(array[...], answer, (entropy, case))


INITIALIZERS = (
    *("'glorot_uniform'", "'he_normal'", "'random_normal'", "'zeros'", "'lecun_uniform'", "None"),
    *("HeUniform()", "RandomUniform(-1, 1)", "GlorotNormal(seed=5)", "TruncatedNormal()"),
)
"""What a layer at random is given; those that are calls are made before the layer is."""


def random_layer(rng):
    """A layer call that keeps 2 axes besides the batch, as a definition and Keras spell it."""
    n, k = rng.randint(1, 5), rng.randint(1, 2)
    kernel, bias = rng.choice(INITIALIZERS), rng.choice(INITIALIZERS)
    both = f"kernel_initializer={kernel}, bias_initializer={bias}"
    some = f"kernel_initializer={kernel.replace('None', repr('uniform'))}"
    rate = rng.choice([0, 0.0, 0.2, 0.5])
    rest = f"dropout={rate}, return_sequences=True"
    recurrent = rng.choice(["LSTM", "GRU", "SimpleRNN"])
    return rng.choice(
        [
            f"Dense({n}, {both}, use_bias={rng.random() < 0.7})",
            f"Dense({n}, kernel_initializer={kernel}, lora_rank=2)",
            f"Conv1D({n}, {k}, padding='same', {both})",
            f"SeparableConv1D({n}, {k}, padding='same', pointwise_initializer={kernel})",
            f"DepthwiseConv1D({k}, padding='same', depthwise_initializer={kernel})",
            f"Conv1DTranspose({n}, {k}, padding='same', {both})",
            f"EinsumDense('abc,cd->abd', (6, {n}), bias_axes='d', {both})",
            f"{recurrent}({n}, {some}, {rest})",
            f"RNN([LSTMCell({n}), GRUCell({k}, {some})], return_sequences=True)",
            f"Bidirectional({recurrent}({n}, {some}, {rest}))",
            f"Bidirectional(RNN(SimpleRNNCell({n}), return_sequences=True), merge_mode='ave')",
            f"TimeDistributed(Dense({n}, {both}))",
            f"BatchNormalization(gamma_initializer={kernel}, renorm={rng.random() < 0.3})",
            f"LayerNormalization(beta_initializer={bias}, center={rng.random() < 0.5})",
            f"PReLU({kernel})",
            f"Dropout({rate})",
            f"SpatialDropout1D({rate}, seed={rng.choice([None, 3])})",
            f"GaussianNoise({rate})",
            f"AlphaDropout({rate})",
        ]
    )


def random_attention(rng):
    """A layer that makes what is inside of it when it is built."""
    n, d = rng.randint(1, 3), rng.randint(1, 3)
    rate, bias = rng.choice([0.0, 0.1]), rng.random() < 0.5
    return rng.choice(
        [
            f"MultiHeadAttention({n}, {d}, dropout={rate}, use_bias={bias})",
            f"MultiHeadAttention({n}, {d}, {d + 1}, bias_initializer='normal', use_gate={bias})",
            f"MultiHeadAttention({n}, {d}, kernel_initializer=HeNormal(seed={n}), seed=2)",
            f"GroupQueryAttention({d}, {2 * n}, {n}, dropout={rate}, use_bias={bias})",
        ]
    )


def random_chain(rng):
    """A definition and the code for it: a `Sequential`, or a functional model with attention."""
    calls = [random_layer(rng) for _ in range(rng.randint(2, 6))]
    start = "framework: keras\ninput: [6, 4]\nlayers:\n"
    if rng.random() < 0.5:
        code = f"model = keras.Sequential([keras.Input((6, 4)), {', '.join(calls)}])"
        return start + "".join(f"  - {call}\n" for call in calls), code
    lines, code = [], ["x = y = keras.Input((6, 4))"]
    for call in calls:
        for made, taken in ((random_attention(rng), "(y, y)"), (call, "(y)")):
            lines.append(f"    - {made}\n")
            code.append(f"y = {made}{taken}")
    code.append("model = keras.Model(x, y)")
    return f"{start}  Functional():\n{''.join(lines)}", "\n".join(code)


def assert_models_agree(ask, backend, pairs, entropy=None):
    rng = random.Random(entropy)
    questions = [{"model": code, "seed": rng.randrange(1 << 32)} for _, code in pairs]
    for (text, _), question, answer in zip(pairs, questions, ask(questions), strict=True):
        tree = load_definition(text.encode(), "x.yaml")
        drawn = initialize(tree, seed=question["seed"], rng=f"keras-3.15-{backend}")
        assert len(drawn) == len(answer)
        for parameter, (path, values) in zip(drawn.values(), answer, strict=True):
            assert_same(parameter.numpy(), values, (entropy, path, question))


def test_models_of_many_kinds_of_layers_have_the_same_bits(ask, backend):
    entropy = random.randrange(10**6)
    rng = random.Random(entropy)
    assert_models_agree(ask, backend, [random_chain(rng) for _ in range(CHAINS)], entropy)


def test_models_of_many_forms_have_the_same_bits(ask, backend):
    entropy = random.randrange(10**6)
    written = [pair for pair in PAIRS.values() if "\n" in pair[0]]
    pairs = [*written, *(random_pair(entropy + i) for i in range(GRAPHS))]
    assert_models_agree(ask, backend, pairs, entropy)


SAMPLE_CODE = {
    "keras_mlp": "model = keras.Sequential([keras.Input((4,)), Dense(8), Dense(1)])",
    "keras_nested_blocks": PAIRS["the nested blocks of the chapter"][1],
    "keras_shared_layer": PAIRS["the shared layer of the chapter"][1],
    "keras_cnn": """
model = keras.Sequential([
    keras.Input((28, 28, 1)), Conv2D(6, 5, padding='same'), AvgPool2D(2, 2), Conv2D(16, 5),
    AvgPool2D(2, 2), Flatten(), Dense(120), Dense(84), Dense(10)])
""",
    "keras_lstm_text": """
model = keras.Sequential([
    keras.Input((12,)), Embedding(50, 8), LSTM(6, return_sequences=True), LSTM(5), Dense(1)])
""",
    "keras_mobilenet": "model = keras.applications.MobileNet(weights=None)",
    "keras_resnet50": "model = keras.applications.ResNet50(weights=None)",
}


@pytest.mark.parametrize("name", SAMPLE_CODE)
def test_a_sample_model_is_written_as_a_fresh_keras_draws_it(ask, backend, name, tmp_path):
    target = tmp_path / "drawn.npz"
    command = [sys.executable, "-m", "paraminspect", "init", SAMPLES / f"{name}.yaml", "-q"]
    rng = ["--rng", f"keras-3.15-{backend}", "--seed", "0", "-o", target]
    subprocess.run([*command, *rng], check=True)
    [answer] = ask([{"model": SAMPLE_CODE[name], "seed": 0}])
    with np.load(target) as drawn:
        assert sorted(drawn) == sorted(path for path, _ in answer)
        for path, values in answer:
            assert_same(drawn[path], values, path)
