"""Installed PyTorch draws the same numbers: functions and modules chosen at random, and files."""

import random
import re
import subprocess
import sys
from pathlib import Path

import asking
import numpy as np
import pytest
from asking import HERE, digest

from paraminspect.arrays import DTYPES, parse_dtype
from paraminspect.definition import load_definition
from paraminspect.frameworks import load_words, open_generator
from paraminspect.init.distributions import Normal
from paraminspect.init.generators import Draw
from paraminspect.init.plan import initialize
from paraminspect.init.schemes import Target, parse_scheme
from paraminspect.language import format_call

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "sample_models"

pytestmark = pytest.mark.parity

CASES, MODULES = 300, 30


@pytest.fixture(scope="module")
def ask(framework_python):
    """PyTorch's answers to questions."""

    python, script = framework_python("torch"), HERE / "torch_draws.py"
    return lambda questions: asking.ask(python, script, questions=questions)


def random_case(rng):
    """An `nn.init` call with arguments, shape, dtype and seed."""
    number = rng.uniform
    makers = {
        "uniform_": lambda: dict(zip("ab", sorted((number(-5, 5), number(-5, 5))), strict=True)),
        "normal_": lambda: {"mean": rng.choice([0.0, number(-3, 3)]), "std": number(0, 3)},
        "trunc_normal_": lambda: {
            "mean": number(-1, 1),
            "std": number(0.01, 2),
            **dict(zip("ab", sorted((number(-3, 3), number(-3, 3))), strict=True)),
        },
        "xavier_uniform_": lambda: {"gain": number(0, 3)},
        "xavier_normal_": lambda: {"gain": number(0, 3)},
        "kaiming_uniform_": lambda: kaiming(rng),
        "kaiming_normal_": lambda: kaiming(rng),
        "orthogonal_": lambda: {"gain": number(0, 3)},
        "sparse_": lambda: {"sparsity": number(0, 1), "std": number(0, 2)},
        "eye_": dict,
        "dirac_": dict,
        "constant_": lambda: {"val": number(-9, 9)},
    }
    function = rng.choice(list(makers))
    shape = [rng.choice([1, 2, 3, 5, 8, 17, 40]) for _ in range(rng.randint(0, 4))]
    dtype = rng.choice(["float32", "float64", "float16", "bfloat16"])
    if function in ("eye_", "sparse_"):
        shape = [rng.randint(1, 60), rng.randint(1, 60)]
    if function == "dirac_":
        shape = [rng.randint(1, 5) for _ in range(rng.randint(3, 5))]
    if function.startswith(("xavier", "kaiming", "orthogonal")):
        shape = [rng.randint(1, 40), *shape[:2], rng.randint(1, 40)]
    if function == "orthogonal_":
        dtype = rng.choice(["float32", "float64"])
    seed = rng.choice([rng.randrange(1 << 63), -rng.randrange(1 << 40), rng.randrange(100)])
    arguments = makers[function]()
    return {
        "function": function,
        "arguments": arguments,
        "shape": shape,
        "dtype": dtype,
        "seed": seed,
    }


def kaiming(rng):
    nonlinearity = rng.choice(["leaky_relu", "relu", "tanh", "selu", "linear"])
    mode = rng.choice(["fan_in", "fan_out"])
    return {"a": rng.uniform(0, 3), "mode": mode, "nonlinearity": nonlinearity}


def test_functions_of_nn_init_draw_the_same_bits(ask):
    entropy = random.randrange(10**6)
    rng = random.Random(entropy)
    cases = [random_case(rng) for _ in range(CASES)]
    for case, answer in zip(cases, ask(cases), strict=True):
        scheme = parse_scheme(
            format_call(case["function"], [], case["arguments"]), load_words("pytorch")
        )
        shape = tuple(case["shape"])
        distribution = scheme(Target(shape, layout="out_in"))
        draws = [
            Draw(("w",), shape, DTYPES[case["dtype"]], distribution),
            Draw(("following",), (4,), DTYPES["float32"], Normal(0.0, 1.0)),
        ]
        arrays = open_generator("pytorch", case["seed"]).arrays(draws)
        if "values" in answer:
            close = {"rtol": 0, "atol": 2e-5 if case["dtype"] == "float32" else 1e-12}
            np.testing.assert_allclose(arrays["w"][...].ravel(), answer["values"], **close)
        else:
            assert digest(arrays["w"][...]) == answer["digest"], (entropy, case)
        assert arrays["following"][...].tolist() == answer["following"], (entropy, case)


def random_layer(rng):
    """A layer call that a definition and PyTorch spell alike."""
    i, o, k = (rng.randint(1, 9) for _ in range(3))
    heads = rng.randint(1, 3)
    d = heads * rng.randint(1, 4)
    bias = f"bias={rng.random() < 0.7}"
    n = rng.randint(1, 3)
    groups = rng.randint(1, 3)
    return rng.choice(
        [
            f"Linear({i}, {o * 30}, {bias})",
            f"Bilinear({i}, {k}, {o}, {bias})",
            f"Conv{n}d({i * groups}, {o * groups}, {k}, groups={groups}, {bias})",
            f"ConvTranspose{n}d({i * groups}, {o * groups}, {k}, groups={groups}, {bias})",
            f"Embedding({i * 20}, {o}, padding_idx={rng.randint(0, i - 1)})",
            f"EmbeddingBag({i}, {o})",
            f"LSTM({i}, {o + 1}, {n}, {bias}, bidirectional={rng.random() < 0.5})",
            f"LSTM({i}, {o + 1}, proj_size={rng.randint(1, o)})",
            f"GRU({i}, {o}, {n}, {bias})",
            f"RNN({i}, {o}, {n}, {bias})",
            f"LSTMCell({i}, {o}, {bias})",
            f"GRUCell({i}, {o}, {bias})",
            f"MultiheadAttention({d}, {heads}, {bias}, add_bias_kv={rng.random() < 0.5})",
            f"MultiheadAttention({d}, {heads}, kdim={i}, vdim={o})",
            f"TransformerEncoder(TransformerEncoderLayer({d}, {heads}, {k}), {n})",
            f"TransformerDecoder(TransformerDecoderLayer({d}, {heads}, {k}, {bias}), {n})",
            f"Transformer({d}, {heads}, {rng.randint(1, 2)}, {n}, {k})",
            f"BatchNorm{n}d({i})",
            f"LayerNorm(({i}, {o}))",
            f"PReLU({i})",
            f"AdaptiveLogSoftmaxWithLoss(16, {20 + i}, [{4 + n}, {10 + o}], div_value=2.0)",
        ]
    )


def test_constructed_modules_have_the_same_bits(ask):
    entropy = random.randrange(10**6)
    rng = random.Random(entropy)
    questions, texts = [], []
    for _ in range(MODULES):
        calls = [random_layer(rng) for _ in range(rng.randint(2, 6))]
        dtype = rng.choice(["float32", "float32", "float64", "bfloat16", "float16"])
        made = f"sized(torch.{dtype}, lambda: Sequential({', '.join(calls)}))"
        questions.append({"module": made, "seed": rng.randrange(1 << 32), "dtype": dtype})
        texts.append("framework: pytorch\nlayers:\n" + "".join(f"  - {call}\n" for call in calls))
    for question, text, answer in zip(questions, texts, ask(questions), strict=True):
        tree = load_definition(text.encode(), "random")
        dtype = parse_dtype(question["dtype"])
        drawn = initialize(tree, seed=question["seed"], rng="pytorch", dtype=dtype)
        found = {name: digest(p.numpy()) for name, p in drawn.items()}
        assert found == answer["state"], (entropy, text)


SMALL = {
    "gpt2": (
        "{d: 24, vocab: 101, positions: 32, depth: 2}",
        "GPT2LMHeadModel(GPT2Config(vocab_size=101, n_positions=32, n_embd=24, n_layer=2, n_head=3))",
    ),
    "llama_7b": (
        "{d: 24, vocab: 99, ff: 40, kv: 12, depth: 3}",
        "LlamaForCausalLM(LlamaConfig(vocab_size=99, hidden_size=24, intermediate_size=40,"
        " num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2))",
    ),
    "bert_base": (
        "{d: 24, vocab: 90, positions: 31, ff: 40, depth: 2}",
        "BertForMaskedLM(BertConfig(vocab_size=90, hidden_size=24, max_position_embeddings=31,"
        " num_hidden_layers=2, num_attention_heads=3, intermediate_size=40))",
    ),
}


SINCE = {"bert_base": 5}
"""Versions of transformers before these initialize in another order."""


@pytest.fixture(scope="module")
def transformers_version(framework_python):
    command = [framework_python("torch"), "-c", "import transformers as t; print(t.__version__)"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("no transformers beside torch")
    return int(done.stdout.partition(".")[0])


def small(name):
    """The definition of a sample model, of another size."""
    text = (SAMPLES / f"{name}.yaml").read_text()
    sizes = dict(re.findall(r"(\w+): ([^,}]+)", re.search(r"let: \{(.*)\}", text)[1]))
    sizes |= dict(re.findall(r"(\w+): ([^,}]+)", SMALL[name][0]))
    let = ", ".join(f"{size}: {value}" for size, value in sizes.items())
    return re.sub(r"let: \{.*\}", f"let: {{{let}}}", text)


@pytest.mark.parametrize("name", SMALL)
def test_a_sample_model_is_drawn_as_transformers_draws_it(ask, transformers_version, name):
    if transformers_version < SINCE.get(name, 0):
        pytest.skip(f"transformers {transformers_version} draws in another order")
    construct = SMALL[name][1]
    tree = load_definition(small(name).encode(), name)
    for seed in (0, 7):
        drawn = initialize(tree, seed=seed, rng="pytorch")
        [answer] = ask([{"module": construct, "seed": seed}])
        assert {n: digest(p.numpy()) for n, p in drawn.items()} == answer["state"]


@pytest.mark.parametrize(
    "name",
    ["mlp", "nested_blocks", "shared_layer", "fancy_mlp", "lenet", "resnet18", "lstm_lm"],
)
def test_a_sample_model_is_drawn_as_pytorch_draws_it(ask, name):
    tree = load_definition((SAMPLES / f"{name}.yaml").read_bytes(), name)
    drawn = initialize(tree, seed=1, rng="pytorch")
    [answer] = ask([{"module": f"{name}()", "seed": 1}])
    assert {n: digest(p.numpy()) for n, p in drawn.items()} == answer["state"]


def write(definition, target):
    """What `init` writes, and the hash of each value that it must have there."""
    command = [sys.executable, "-m", "paraminspect", "init", definition, "-q", "-o", target]
    subprocess.run([*command, "--seed", "3"], check=True)
    drawn = initialize(load_definition(definition.read_bytes(), definition.name), seed=3)
    return {name: digest(parameter.numpy()) for name, parameter in drawn.items()}


def test_written_files_load_in_pytorch_with_nothing_missing(ask, tmp_path):
    names = ["mlp", "shared_layer", "lstm_lm", "resnet18"]
    paths = [tmp_path / f"{name}.safetensors" for name in names]
    written = [write(SAMPLES / f"{p.stem}.yaml", p) for p in paths]
    answers = ask([{"load_model": f"{p.stem}()", "path": str(p)} for p in paths])
    assert answers == [{"missing": [], "unexpected": [], "state": state} for state in written]


@pytest.mark.usefixtures("transformers_version")
def test_written_folders_load_in_transformers_with_nothing_missing(ask, tmp_path):
    written, questions = [], []
    for name, (_, construct) in SMALL.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "model.yaml").write_text(small(name))
        written.append(write(folder / "model.yaml", folder / "model.safetensors"))
        questions.append({"from_pretrained": construct, "path": str(folder)})
    found = ask(questions)
    assert found == [{"missing": [], "unexpected": [], "state": state} for state in written]
