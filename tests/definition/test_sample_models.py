"""The sample models: each says what it shows, lists, and is what its checkpoint holds."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from paraminspect.compute import run
from paraminspect.definition import load_definition
from paraminspect.formats import open_checkpoint

SAMPLES = Path(__file__).parents[2] / "sample_models"
DEFINITIONS = sorted(SAMPLES.glob("*.yaml"))
CHECKPOINTS = sorted((SAMPLES / "checkpoints").iterdir())

# checkpoint -> (definition, sizes that differ from those it states, names that are not saved)
SAVED = {
    "gpt2_tiny": ("gpt2", {"d": 16, "vocab": 60, "positions": 16, "depth": 2}, ["lm_head.weight"]),
    "mlp.safetensors": ("mlp", {}, []),
    "mlp_bfloat16.safetensors": ("mlp", {}, []),
    "mlp_trained.safetensors": ("mlp", {}, []),
    "nested_blocks.safetensors": ("nested_blocks", {}, []),
    "shared_layer.safetensors": ("shared_layer", {}, []),
}


def load(path, **sizes):
    text = path.read_text()
    for key, value in sizes.items():
        text, changed = re.subn(rf"(?m)^(let: .*\b{key}): [^,}}]+", rf"\1: {value}", text)
        assert changed == 1, key
    return load_definition(text.encode(), path.name)


@pytest.mark.parametrize("path", DEFINITIONS, ids=[path.stem for path in DEFINITIONS])
def test_a_sample_model_says_what_it_shows_and_lists(path):
    comment = path.read_text().partition("framework:")[0]
    assert len(comment) > 80
    assert all(line.startswith("# ") for line in comment.splitlines())
    assert load(path).totals.count > 0


@pytest.mark.parametrize("path", CHECKPOINTS, ids=[path.name for path in CHECKPOINTS])
def test_a_sample_checkpoint_holds_the_parameters_of_its_definition(path):
    definition, sizes, unsaved = SAVED[path.name]
    tree, saved = load(SAMPLES / f"{definition}.yaml", **sizes), open_checkpoint(path)
    expected = {name: p.shape for name, p in tree.items() if name not in unsaved}
    assert {name: p.shape for name, p in saved.items()} == expected
    kept = {alias: own for alias, own in tree.ties.items() if alias not in unsaved}
    assert dict(saved.ties) == kept
    assert {p.dtype.name for p in saved.values()} == (
        {"bfloat16"} if "bfloat16" in path.name else {"float32"}
    )


def test_the_sample_checkpoints_are_small():
    files = [path for path in (SAMPLES / "checkpoints").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 300_000


OUTPUTS = Path(__file__).parents[1] / "data/compute/samples"
WITH_GRADIENTS = {"gpt2", "bert_base", "llama_7b", "vit_base", "resnet18"}
"""The samples that `test_compute.py` compares at small sizes."""


def of_generator(module):
    spec = importlib.util.spec_from_file_location(module, OUTPUTS / f"{module}.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize("path", sorted(OUTPUTS.glob("*.npy")), ids=lambda path: path.stem)
def test_a_sample_model_computes_what_its_framework_computes(path, monkeypatch):
    monkeypatch.syspath_prepend(OUTPUTS)
    values, inputs = of_generator("drawn"), of_generator("make").INPUTS
    text = (SAMPLES / f"{path.stem}.yaml").read_text()
    net = load_definition(text.replace("[224, 224, 3]", "[32, 32, 3]").encode(), path.stem)
    drawn = {p.name: values.drawn(p.name, p.shape) for p in net.parameters()}
    ours = run(net, [values.given(*inputs.get(path.stem, ((3, 4), 0)))], drawn)
    np.testing.assert_allclose(ours, np.load(path), rtol=1e-9, strict=True)


def test_every_sample_model_is_compared_with_its_framework():
    compared = {path.stem for path in OUTPUTS.glob("*.npy")} | WITH_GRADIENTS
    assert {path.stem for path in DEFINITIONS} == compared
