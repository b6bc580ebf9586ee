"""The sample models in real PyTorch, and what their state dicts list: `torch_models.py > out.json`.

Written from the architectures, with the names that torchvision and transformers give; on the meta
device, so that Llama 7B takes no memory. Models of transformers are left out where it is missing.
"""

import itertools
import json
import os
import sys
from pathlib import Path

import torch
from torch import nn

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).parents[2] / "sample_models"))

from make_checkpoints import mlp, nested_blocks, shared_layer


class FancyMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("rand_weight", torch.rand(20, 20))
        self.linear = nn.Linear(20, 20)


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 6, 5), nn.Sigmoid(), nn.MaxPool2d(2, 2),
            nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.MaxPool2d(2, 2),
        )  # fmt: skip
        self.fc = nn.Sequential(
            nn.Linear(256, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)
        )


class BasicBlock(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        if stride != 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )


class ResNet18(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        widths = [64, 64, 128, 256, 512]
        for i, (before, after) in enumerate(itertools.pairwise(widths), 1):
            first = BasicBlock(before, after, 1 if i == 1 else 2)
            setattr(self, f"layer{i}", nn.Sequential(first, BasicBlock(after, after, 1)))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512, 1000)


class LanguageModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Embedding(50, 16)
        self.rnn = nn.LSTM(16, 16, 2)
        self.decoder = nn.Linear(16, 50)
        self.decoder.weight = self.encoder.weight


def transformer_encoder():
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(512, 8), 6)


def of_transformers():
    try:
        import transformers as t
    except ImportError:
        return {}
    llama = t.LlamaConfig(
        vocab_size=32000, hidden_size=4096, intermediate_size=11008,
        num_hidden_layers=32, num_attention_heads=32,
    )  # fmt: skip
    return {
        "gpt2": lambda: t.GPT2LMHeadModel(t.GPT2Config()),
        "bert_base": lambda: t.BertForMaskedLM(t.BertConfig()),
        "llama_7b": lambda: t.LlamaForCausalLM(llama),
        "vit_base": lambda: t.ViTForImageClassification(t.ViTConfig(num_labels=1000)),
    }


MODELS = {
    "mlp": mlp,
    "nested_blocks": nested_blocks,
    "shared_layer": shared_layer,
    "fancy_mlp": FancyMLP,
    "lenet": LeNet,
    "resnet18": ResNet18,
    "lstm_lm": LanguageModel,
    "transformer_encoder": transformer_encoder,
}


def listing(model):
    trained = {n for n, p in model.named_parameters(remove_duplicate=False) if p.requires_grad}
    state = model.state_dict(keep_vars=True)
    groups = {}
    for name, value in state.items():
        groups.setdefault(id(value), []).append(name)
    return {
        "tensors": [
            [name, list(v.shape), str(v.dtype).removeprefix("torch."), name in trained]
            for name, v in state.items()
        ],
        "tied": [names for names in groups.values() if len(names) > 1],
        "modules": [name for name, _ in model.named_modules(remove_duplicate=False) if name],
    }


def main():
    found = {}
    for name, build in {**MODELS, **of_transformers()}.items():
        with torch.device("meta"):
            model = build()
        if hasattr(model, "tie_weights"):
            model.tie_weights()
        found[name] = listing(model)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
