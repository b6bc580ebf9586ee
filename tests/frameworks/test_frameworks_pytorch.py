"""Definitions list what real PyTorch lists: names, shapes, dtypes, order and ties.

The answers of PyTorch are frozen under data/; tests/parity/test_torch.py asks it live.
"""

import json
import re
from pathlib import Path

import pytest
from pytorch_calls import differences, signature_differences

from paraminspect.definition import load_definition
from paraminspect.errors import DefinitionError
from paraminspect.frameworks.pytorch._modelling import MODELLING

ROOT = Path(__file__).parents[2]
ARCH = ROOT / "tests/data/arch/torch"
LISTINGS = json.loads((ARCH / "listings.json").read_text())
ANSWERS = ROOT / "tests/data/pytorch"

# model -> (definition, sizes that differ from those it states)
MODELS = {
    "bert_base": ("bert_base", {}),
    "bert_tiny": ("bert_base", {"d": 16, "vocab": 60, "positions": 20, "ff": 32, "depth": 2}),
    "d2l_fancy_mlp": ("d2l_fancy_mlp", {}),
    "d2l_fancy_mlp_buffer": ("fancy_mlp", {}),
    "d2l_mlp": ("mlp", {}),
    "d2l_rgnet": ("nested_blocks", {}),
    "d2l_shared_mlp": ("shared_layer", {}),
    "gpt2_small": ("gpt2", {}),
    "gpt2_tiny": ("gpt2", {"d": 16, "vocab": 60, "positions": 16, "depth": 2}),
    "lenet": ("lenet", {}),
    "llama_small": ("llama_7b", {"d": 768, "ff": 2048, "kv": 256, "depth": 12}),
    "llama_tiny_tied": ("llama_7b", {"d": 16, "vocab": 64, "ff": 40, "kv": 8, "depth": 2}),
    "lstm_lm_tied": ("lstm_lm", {}),
    "resnet18": ("resnet18", {}),
    "resnet18_w4": ("resnet18", {"w": 4, "classes": 10}),
    "rnn_zoo": ("rnn_zoo", {}),
    "t5_small": ("t5", {}),
    "t5_tiny": ("t5", {"d": 16, "vocab": 50, "inner": 16, "heads": 2, "ff": 32, "rest": 1}),
    "tiny_transformer_lm": ("tiny_transformer_lm", {}),
    "transformer_encoder_x6": ("transformer_encoder", {}),
    "unet_containers": ("unet_containers", {}),
    "vgg11": ("vgg11", {}),
    "vit_base": ("vit_base", {}),
}
EXTRA_TIES = {"llama_tiny_tied": "ties: {lm_head.weight: model.embed_tokens.weight}\n"}


def load(model):
    name, sizes = MODELS[model]
    path = ROOT / "sample_models" / f"{name}.yaml"
    if not path.exists():
        path = ARCH / "definitions" / f"{name}.yaml"
    text = path.read_text()
    for key, value in sizes.items():
        text, changed = re.subn(rf"(?m)^(let: .*\b{key}): [^,}}]+", rf"\1: {value}", text)
        assert changed == 1, key
    return load_definition((text + EXTRA_TIES.get(model, "")).encode(), path.name)


def test_every_reference_model_has_a_definition():
    assert set(MODELS) == set(LISTINGS)


@pytest.mark.parametrize("model", MODELS)
def test_a_definition_lists_what_the_framework_lists(model):
    tree, expected = load(model), LISTINGS[model]
    listed = [[p.name, list(p.shape), p.dtype.name, p.trainable] for p in tree.entries.values()]
    assert listed == expected["tensors"]
    groups = [[own, *tree.aliases(own)] for own in dict.fromkeys(tree.ties.values())]
    assert sorted(map(sorted, groups)) == sorted(map(sorted, expected["tied"]))
    if expected["count"] is not None:
        assert sum(p.count for p in tree.parameters() if p.trainable) == expected["count"]


def parts(module, prefix=""):
    for name, child in module.children.items():
        yield prefix + name
        yield from parts(child, f"{prefix}{name}.")


# Their definitions leave out what has no parameters: dropout and activations between blocks.
SHORTENED = ("bert", "gpt2", "llama", "t5", "vit")
FUNCTIONS = (".rotate",)
"""Parts of the definitions that are functions there."""


@pytest.mark.parametrize("model", MODELS)
def test_the_parts_of_a_model_come_in_the_order_of_the_framework(model):
    expected, found = LISTINGS[model]["modules"], list(parts(load(model).structure))
    if expected and model.startswith(SHORTENED):
        expected = [name for name in expected if name in found]
        found = [name for name in found if not name.endswith(FUNCTIONS)]
    assert found == expected or not expected


def test_llama_7b_has_the_published_count():
    text = (ROOT / "sample_models/llama_7b.yaml").read_bytes()
    assert load_definition(text, "llama").totals.count == 6_738_415_616


def test_a_layer_has_the_arguments_of_pytorch_in_its_order_with_its_defaults():
    signatures = dict(json.loads((ANSWERS / "signatures.json").read_text()))
    assert list(signature_differences(signatures)) == []


def test_a_layer_is_refused_listed_and_run_as_in_pytorch():
    answers = json.loads((ANSWERS / "layers.json").read_text())
    assert len(answers) > 500
    found = [one for call, shape, answer in answers for one in differences(call, shape, answer)]
    assert found == []


@pytest.mark.parametrize("name", MODELLING.absent)
def test_what_is_no_layer_is_refused_with_what_to_write_instead(name):
    with pytest.raises(DefinitionError, match=f"{name} is not called in a definition: "):
        load_definition(f"framework: pytorch\nlayers:\n  - {name}()\n".encode(), "a")
