"""Installed PyTorch says the same as its frozen answers, and of layers and models drawn at random."""

import json
import random
import subprocess
from pathlib import Path

import asking
import pytest
from pytorch_calls import (
    EDGES,
    differences,
    random_calls,
    random_sequences,
    signature_differences,
)

from paraminspect.definition import load_definition
from paraminspect.errors import DefinitionError
from paraminspect.formats import open_checkpoint

ROOT = Path(__file__).parents[2]
ORACLE = ROOT / "tests/data/pytorch/oracle.py"
SAMPLES = ROOT / "sample_models"

pytestmark = pytest.mark.parity


@pytest.fixture(scope="module")
def ask(framework_python):
    """The oracle's answers to questions."""

    python = framework_python("torch")
    return lambda questions: asking.ask(python, ORACLE, questions=questions)


def test_a_layer_has_the_arguments_of_pytorch_in_its_order_with_its_defaults(ask):
    assert list(signature_differences(ask("signatures"))) == []


@pytest.mark.parametrize("seed", [None, random.randrange(10**6)], ids=["edges", "random"])
def test_a_layer_is_refused_listed_and_run_as_in_pytorch(ask, seed):
    calls = EDGES if seed is None else random_calls(seed, 800)
    found = [
        one
        for (call, shape), answer in zip(calls, ask(calls), strict=True)
        for one in differences(call, shape, answer)
    ]
    assert found == [], f"seed {seed}"


def test_lazy_layers_of_a_sequence_get_the_sizes_that_pytorch_gives_them(ask):
    seed = random.randrange(10**6)
    sequences = random_sequences(seed, 150)
    answers = ask([[f"Sequential({', '.join(calls)})", shape] for calls, shape in sequences])
    accepted = 0
    for (calls, shape), answer in zip(sequences, answers, strict=True):
        text = "\n".join(["framework: pytorch", f"input: {shape}", "layers:"])
        text += "".join(f"\n  - {call}" for call in calls)
        problem = answer.get("error") or answer.get("run_error")
        tree = loaded(text)
        assert (tree is None) == bool(problem), (seed, text, problem)
        if tree is None:
            continue
        listed = [[p.name, list(p.shape)] for p in tree.values()]
        assert listed == [[name, shape] for name, shape, *_ in answer["parameters"]], seed
        accepted += 1
    assert accepted > 30


def loaded(text):
    try:
        return load_definition(text.encode(), "sequence")
    except DefinitionError:
        return None


def test_a_sample_model_lists_what_its_original_in_pytorch_lists(framework_python):
    script = ROOT / "tests/parity/torch_models.py"
    process = subprocess.run(
        [framework_python("torch"), script], capture_output=True, text=True, check=True
    )
    models = json.loads(process.stdout)
    assert len(models) >= 8
    for name, expected in models.items():
        tree = load_definition((SAMPLES / f"{name}.yaml").read_bytes(), name)
        listed = [[p.name, list(p.shape), p.dtype.name, p.trainable] for p in tree.values()]
        assert listed == expected["tensors"], name
        groups = [[own, *tree.aliases(own)] for own in dict.fromkeys(tree.ties.values())]
        assert sorted(groups) == sorted(expected["tied"]), name
        parts = [part for part in module_names(tree.structure) if not part.endswith(FUNCTIONS)]
        assert parts == [part for part in expected["modules"] if part in parts], name


FUNCTIONS = (".rotate",)
"""Parts of the samples that are functions in their originals."""


def module_names(module, prefix=""):
    for name, child in module.children.items():
        yield prefix + name
        yield from module_names(child, f"{prefix}{name}.")


def test_the_sample_checkpoints_are_made_again_with_the_same_bytes(framework_python, tmp_path):
    python = framework_python("torch")
    if subprocess.run([python, "-c", "import transformers"], check=False).returncode:
        pytest.skip("no transformers beside torch")
    script = SAMPLES / "make_checkpoints.py"
    subprocess.run([python, script, tmp_path], check=True, capture_output=True)
    kept = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*.safetensors"))
    assert kept == sorted(
        p.relative_to(SAMPLES / "checkpoints") for p in SAMPLES.rglob("*.safetensors")
    )
    for path in kept:
        old, new = (open_checkpoint(root / path) for root in (SAMPLES / "checkpoints", tmp_path))
        assert list(old) == list(new)
        assert (old.ties, old.metadata) == (new.ties, new.metadata)
        for name in old:
            assert old[name].dtype == new[name].dtype
            count = old[name].count
            one, other = (tree[name].data.read(0, count).tobytes() for tree in (old, new))
            assert one == other, (path, name)
