"""Real PyTorch reads what we write: ties with `load_model`, shards, edited and converted values."""

import json
import subprocess

import numpy as np
import pytest
from safetensors.numpy import save_file

from paraminspect.arrays import parse_dtype
from paraminspect.formats import open_checkpoint, save_checkpoint
from paraminspect.operations.edit import assign, cast_tree
from paraminspect.operations.tying import tie, untie

pytestmark = pytest.mark.parity

MODELS = """
import json, sys
import torch
from torch import nn
from safetensors.torch import load_model, save_model

class Model(nn.Module):
    def __init__(self, tied):
        super().__init__()
        self.wte = nn.Embedding(7, 4)
        self.mid = nn.Linear(4, 4)
        self.head = nn.Linear(4, 7, bias=False)
        if tied:
            self.head.weight = self.wte.weight

def numbers(model):
    return {name: value.flatten().tolist() for name, value in model.state_dict().items()}

torch.manual_seed(int(sys.argv[3]))
model = Model(sys.argv[2] == "tied")
"""

LOAD = (
    MODELS
    + """
missing, unexpected = load_model(model, sys.argv[1])
shared = model.head.weight.data_ptr() == model.wte.weight.data_ptr()
print(json.dumps([sorted(missing), sorted(unexpected), shared, numbers(model)]))
"""
)

SAVE = (
    MODELS
    + """
save_model(model, sys.argv[1], metadata={"format": "pt", "made": "here"})
print(json.dumps(numbers(model)))
"""
)


def run(python, code, *arguments):
    done = subprocess.run(
        [python, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def untied(tmp_path):
    """A file of an untied model, as our own writer would get it."""
    rng = np.random.default_rng(0)
    shapes = {"wte.weight": (7, 4), "mid.weight": (4, 4), "mid.bias": (4,), "head.weight": (7, 4)}
    path = tmp_path / "untied.safetensors"
    save_file({n: rng.normal(size=s).astype(np.float32) for n, s in shapes.items()}, path)
    return path


@pytest.mark.parametrize(
    ("alias", "target"), [("head.weight", "wte.weight"), ("wte.weight", "head.weight")]
)
def test_load_model_reads_a_tie_of_ours(alias, target, untied, tmp_path, framework_python):
    path = tmp_path / "tied.safetensors"
    tree = tie(open_checkpoint(untied), alias, target)
    save_checkpoint(tree, path)
    missing, unexpected, shared, values = run(framework_python("torch"), LOAD, path, "tied", 1)
    assert (missing, unexpected, shared) == ([], [], True)
    for name, parameter in tree.items():
        assert values[name] == parameter.numpy().ravel().tolist()


def test_load_model_reads_a_tie_undone_by_us(untied, tmp_path, framework_python):
    path = tmp_path / "undone.safetensors"
    tree = untie(tie(open_checkpoint(untied), "head.weight", "wte.weight"), "head.weight")
    save_checkpoint(tree, path)
    missing, unexpected, shared, values = run(framework_python("torch"), LOAD, path, "untied", 1)
    assert (missing, unexpected, shared) == ([], [], False)
    assert values["head.weight"] == values["wte.weight"]


def test_a_tie_of_save_model_survives_an_edit(tmp_path, framework_python):
    python = framework_python("torch")
    path = tmp_path / "model.safetensors"
    before = run(python, SAVE, path, "tied", 0)
    tree = open_checkpoint(path)
    assert len(tree.ties) == 1
    assert tree.metadata["made"] == "here"
    save_checkpoint(assign(tree, "wte.weight[0]", "x + 1"), path, overwrite=True)
    missing, unexpected, shared, after = run(python, LOAD, path, "tied", 1)
    assert (missing, unexpected, shared) == ([], [], True)
    expected = np.reshape(before["head.weight"], (7, 4)).astype(np.float32)
    expected[0] += 1
    np.testing.assert_array_equal(np.float32(after["head.weight"]), expected.ravel(), strict=True)
    assert after["mid.bias"] == before["mid.bias"]


COMPARE = """
import sys, json, torch
from safetensors.torch import load_file
bad = []
for ours, source, text in json.loads(sys.argv[1]):
    ours, x = load_file(ours)["a"], load_file(source)["a"]
    expected = eval(text)
    same = ours.dtype == expected.dtype and torch.equal(
        ours.view(torch.uint8), expected.view(torch.uint8))
    bad += [] if same else [[str(x.dtype), text]]
print(json.dumps(bad))
"""


def test_casts_are_those_of_torch(tmp_path, framework_python):
    rng = np.random.default_rng(1)
    exponents = rng.integers(-30, 8, 100_000)
    values = np.ldexp(rng.normal(size=100_000), exponents).astype(np.float32)
    source = tmp_path / "source.safetensors"
    save_file({"a": np.append(np.clip(values, -440, 440), np.float32([0, -0.0]))}, source)
    cases = []
    for dtype in ("bfloat16", "float16", "float64", "float8_e4m3fn", "float8_e5m2"):
        ours = tmp_path / f"{dtype}.safetensors"
        save_checkpoint(cast_tree(open_checkpoint(source), parse_dtype(dtype)), ours)
        cases.append([str(ours), str(source), f"x.to(torch.{dtype})"])
    assert run(framework_python("torch"), COMPARE, json.dumps(cases)) == []


def test_arithmetic_is_that_of_torch(tmp_path, framework_python):
    """`x - 0.7` not of 16 bits: there torch rounds the number too, which it does not for products."""
    values = np.random.default_rng(2).normal(size=10_000)
    texts = {
        "x + 1": "x + 1",
        "x * 0.1": "x * 0.1",
        "x / 3": "x / 3",
        "abs(x)": "x.abs()",
        "where(x > 0, x, 0)": "x.relu()",
        "clip(x, -1, 1)": "x.clamp(-1, 1)",
    }
    cases = []
    for dtype in ("float32", "float64", "bfloat16", "float16"):
        source = tmp_path / f"{dtype}.safetensors"
        save_file({"a": values.astype(parse_dtype(dtype).to_numpy())}, source)
        wide = {"x - 0.7": "x - 0.7"} if dtype in ("float32", "float64") else {}
        for text, torchs in {**texts, **wide}.items():
            ours = tmp_path / f"{len(cases)}.safetensors"
            save_checkpoint(assign(open_checkpoint(source), "a", text), ours)
            cases.append([str(ours), str(source), torchs])
    assert run(framework_python("torch"), COMPARE, json.dumps(cases)) == []


SHARDS = """
import sys, json
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel
import torch
torch.manual_seed(0)
if sys.argv[1] == "save":
    config = GPT2Config(n_layer=2, n_embd=16, n_head=2, vocab_size=50, n_positions=8)
    GPT2LMHeadModel(config).save_pretrained(sys.argv[2], max_shard_size="12KB")
    model = AutoModelForCausalLM.from_pretrained(sys.argv[2])
else:
    model = AutoModelForCausalLM.from_pretrained(sys.argv[2])
print(json.dumps({n: v.double().sum().item() for n, v in model.state_dict().items()}))
"""


def test_transformers_loads_its_shards_edited_and_split_anew(tmp_path, framework_python):
    python = framework_python("torch")
    folder, anew = tmp_path / "model", tmp_path / "anew"
    before = run(python, SHARDS, "save", folder)
    names = sorted(path.name for path in folder.iterdir())
    assert sum(name.startswith("model-0") for name in names) > 2
    tree = assign(open_checkpoint(folder), "*.ln_1.bias", "x + 1")
    save_checkpoint(tree, folder, overwrite=True)
    assert sorted(path.name for path in folder.iterdir()) == names
    after = run(python, SHARDS, "load", folder)
    for name, total in before.items():
        assert after[name] == total + 16 * name.endswith("ln_1.bias")
    anew.mkdir()
    (anew / "config.json").write_bytes((folder / "config.json").read_bytes())
    save_checkpoint(open_checkpoint(folder), anew, max_shard_nbytes=20_000)
    assert run(python, SHARDS, "load", anew) == after


def test_the_split_is_that_of_the_hub(tmp_path, framework_python):
    code = """
import json, sys, torch
from huggingface_hub import split_torch_state_dict_into_shards
sizes = json.loads(sys.argv[1])
split = split_torch_state_dict_into_shards(
    {str(i): torch.zeros(n, dtype=torch.uint8) for i, n in enumerate(sizes)},
    filename_pattern="model{suffix}.safetensors", max_shard_size=int(sys.argv[2]))
print(json.dumps([split.tensor_to_filename, split.metadata]))
"""
    rng = np.random.default_rng(3)
    for trial in range(3):
        sizes = rng.integers(1, 40, 30).tolist()
        source = tmp_path / f"{trial}.safetensors"
        save_file({f"{i:02}": np.zeros(n, np.uint8) for i, n in enumerate(sizes)}, source)
        save_checkpoint(open_checkpoint(source), tmp_path / str(trial), max_shard_nbytes=60)
        index = json.loads((tmp_path / str(trial) / "model.safetensors.index.json").read_text())
        names, metadata = run(framework_python("torch"), code, json.dumps(sizes), 60)
        assert {str(int(n)): shard for n, shard in index["weight_map"].items()} == names
        assert index["metadata"] == metadata
