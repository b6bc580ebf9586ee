"""Write torch.json and orthogonal.npz beside this file: what PyTorch draws. Needs torch 2.13, CPU.

    python tests/data/init/torch/make.py

Transformers is needed for the last module alone.
"""

import hashlib
import json
import os
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import nn

os.environ["HF_HUB_OFFLINE"] = "1"
warnings.simplefilter("ignore")
HERE = Path(__file__).parent
ALL = ("float32", "float64", "float16", "bfloat16")
SMALL = [(), (0,), (1,), (2,), (3,), (7,), (15,), (16,), (17,), (31,), (32,), (33,), (4, 8), (3, 5, 2)]
WEIGHTS = [(4, 8), (3, 5, 2), (8, 3, 3, 3), (47, 13), (16, 4), (4, 16), (1, 9), (9, 1)]

PLAIN = [
    ("uniform_", {"a": 0.0, "b": 1.0}),
    ("uniform_", {"a": -0.1, "b": 0.3}),
    ("normal_", {"mean": 0.0, "std": 1.0}),
    ("normal_", {"mean": 0.5, "std": 2.0}),
    ("normal_", {"mean": 0.0, "std": 0.02}),
]
FANNED = [
    ("xavier_uniform_", {}),
    ("xavier_normal_", {"gain": 1.5}),
    ("kaiming_uniform_", {"a": 2.23606797749979}),
    ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "relu"}),
    ("kaiming_normal_", {}),
    ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "tanh"}),
]
TRUNCATED = [
    ("trunc_normal_", {}),
    ("trunc_normal_", {"std": 0.02}),
    ("trunc_normal_", {"mean": 0.0, "std": 1.0, "a": 2.0, "b": 4.0}),
    ("trunc_normal_", {"mean": 0.0, "std": 3.0, "a": -0.5, "b": 0.5}),
]
BLOCKS = [
    (PLAIN, SMALL, (0, 42), ALL),
    (PLAIN, [(8, 3, 3, 3), (2, 0, 3), (47, 13)], (1,), ("float32",)),
    (PLAIN[:3], [(5,), (40,)], (4294967301, -1, 9223372036854775819), ("float32",)),
    (TRUNCATED, [(), (0,), (3,), (15,), (16,), (50,), (9, 9), (47, 13)], (0, 1), ALL),
    (FANNED, WEIGHTS, (0, 1), ("float32",)),
    (FANNED[:3], WEIGHTS[:3], (42,), ALL),
    ([("constant_", {"val": 0.3}), ("ones_", {}), ("zeros_", {})], [(), (3,), (2, 3)], (0,), ALL),
    ([("eye_", {})], [(3, 3), (2, 5), (5, 2)], (0,), ALL),
    ([("dirac_", {})], [(3, 3, 3), (4, 2, 3, 3), (2, 5, 2, 2, 2)], (0,), ("float32",)),
    ([("dirac_", {"groups": 2})], [(4, 2, 3), (6, 3, 3, 3)], (0,), ("float32",)),
    (
        [("orthogonal_", {}), ("orthogonal_", {"gain": 2.0})],
        [(4, 4), (8, 3), (3, 8), (6, 2, 3, 3), (1, 5), (5, 1), (1, 1), (33, 17)],
        (0, 42),
        ("float32", "float64"),
    ),
    (
        [("sparse_", {"sparsity": 0.1}), ("sparse_", {"sparsity": 0.5, "std": 1.0})],
        [(10, 4), (5, 9), (1, 3)],
        (0, 1),
        ("float32", "float64"),
    ),
    (PLAIN[1:], [(300001,), (257, 513)], (0,), ("float32", "float16", "bfloat16")),
]
PARTS = [  # what `nn.init` is given a part of: shape, index
    ((20, 7), (slice(13, None),)),
    ((20, 7), (slice(None), slice(2, 5))),
    ((4, 3, 8), (slice(1, 3), 0)),
    ((6, 40), (slice(None, None, 2),)),
]

MLP = lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))  # noqa: E731


def block1():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4), nn.ReLU())


def block2():
    net = nn.Sequential()
    for i in range(4):
        net.add_module(f"block {i}", block1())
    return net


def shared_mlp():
    shared = nn.Linear(8, 8)
    return nn.Sequential(
        nn.Linear(4, 8), nn.ReLU(), shared, nn.ReLU(), shared, nn.ReLU(), nn.Linear(8, 1)
    )


def lazy_mlp():
    net = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.Linear(8, 3), nn.LazyLinear(1))
    net(torch.zeros(2, 4))
    return net


def xavier_then_42():
    net = MLP()
    nn.init.xavier_uniform_(net[0].weight)
    nn.init.constant_(net[2].weight, 42)
    return net


def gpt2():
    import transformers

    transformers.logging.set_verbosity_error()
    sizes = {"vocab_size": 101, "n_positions": 32, "n_embd": 24, "n_layer": 2, "n_head": 3}
    return transformers.GPT2LMHeadModel(
        transformers.GPT2Config(**sizes, bos_token_id=0, eos_token_id=0)
    )


GPT2 = """
let: {d: 24, vocab: 101, positions: 32, depth: 2}
define:
  block(d):
    ln_1: LayerNorm(d)
    attn: {c_attn: 'Conv1D(3*d, d)', c_proj: 'Conv1D(d, d)'}
    ln_2: LayerNorm(d)
    mlp: {c_fc: 'Conv1D(4*d, d)', c_proj: 'Conv1D(d, 4*d)'}
layers:
  transformer:
    wte: Embedding(vocab, d)
    wpe: Embedding(positions, d)
    h: depth * block(d)
    ln_f: LayerNorm(d)
  lm_head: Linear(d, vocab, bias=False)
ties: {lm_head.weight: transformer.wte.weight}
init:
  "*.weight": normal(0, 0.02)
  "*.c_proj.weight":
    - normal(0, 0.02)
    - normal(0, 0.02/sqrt(2*depth))
  "*.ln_*.weight": ones
  "*.bias": zeros
post_init: [transformer]
"""


def one(call):
    """A definition of one layer, and the layer."""
    namespace = {"torch": torch, **{name: getattr(nn, name) for name in dir(nn)}}
    return f"layers:\n  - {call}\n", lambda: nn.Sequential(eval(call, namespace))


MODULES = {
    "mlp": ("layers:\n  - Linear(4, 8)\n  - ReLU()\n  - Linear(8, 1)\n", MLP),
    "nested blocks": (
        "define:\n  b1():\n    - Linear(4, 8)\n    - ReLU()\n    - Linear(8, 4)\n    - ReLU()\n"
        "  b2(): {repeat: 4, name: 'block {i}', of: b1()}\nlayers:\n  - b2()\n  - Linear(4, 1)\n",
        lambda: nn.Sequential(block2(), nn.Linear(4, 1)),
    ),
    "shared": (
        "share: {shared: 'Linear(8, 8)'}\nlayers:\n  - Linear(4, 8)\n  - ReLU()\n  - shared\n"
        "  - ReLU()\n  - shared\n  - ReLU()\n  - Linear(8, 1)\n",
        shared_mlp,
    ),
    "lazy": (
        "input: [4]\nlayers:\n  - LazyLinear(8)\n  - ReLU()\n  - Linear(8, 3)\n  - LazyLinear(1)\n",
        lazy_mlp,
    ),
    "rules": (
        "layers:\n  - Linear(4, 8)\n  - ReLU()\n  - Linear(8, 1)\n"
        "init: {0.weight: xavier_uniform, 2.weight: constant(42)}\n",
        xavier_then_42,
    ),
    **{
        call: one(call)
        for call in (
            "Linear(5, 3, bias=False)",
            "Bilinear(4, 5, 3)",
            "Conv2d(3, 8, 3)",
            "Conv2d(8, 4, (1, 5), groups=2, bias=False)",
            "Conv1d(4, 6, 5, groups=2)",
            "Conv3d(2, 3, 2)",
            "ConvTranspose2d(4, 6, 2)",
            "ConvTranspose1d(4, 2, 3, groups=2)",
            "BatchNorm2d(8)",
            "LayerNorm((3, 4))",
            "GroupNorm(2, 6)",
            "RMSNorm(4)",
            "InstanceNorm2d(3, affine=True)",
            "PReLU(3)",
            "Embedding(11, 6, padding_idx=2)",
            "EmbeddingBag(3, 5)",
            "LSTM(5, 7, 2, bidirectional=True)",
            "LSTM(4, 6, proj_size=2)",
            "GRU(4, 3)",
            "RNN(3, 4, 2, bias=False)",
            "LSTMCell(2, 3)",
            "GRUCell(2, 3)",
            "MultiheadAttention(12, 3)",
            "MultiheadAttention(8, 2, kdim=5, vdim=6, add_bias_kv=True)",
            "TransformerEncoderLayer(12, 3, 20)",
            "TransformerDecoderLayer(8, 2, 12)",
            "TransformerEncoder(TransformerEncoderLayer(8, 2, 12), 3)",
            "TransformerDecoder(TransformerDecoderLayer(8, 2, 12), 2)",
            "Transformer(8, 2, 2, 2, 12)",
            "AdaptiveLogSoftmaxWithLoss(16, 20, [5, 11], div_value=2.0)",
            "Linear(1000, 513)",
            "Embedding(3001, 129)",
            "Linear(31, 7, dtype=torch.bfloat16)",
        )
    },
    "gpt2": (GPT2, gpt2),
}


def values(tensor):
    tensor = tensor.detach().contiguous()
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(np.uint16)
    return tensor.numpy()


def digest(tensor):
    return hashlib.sha256(values(tensor).tobytes()).hexdigest()[:16]


def following():
    """The next draws tell that the stream is where it should be, and the spare normal too."""
    return torch.empty(4).normal_().tolist()


def init_cases(orthogonal):
    for functions, shapes, seeds, dtypes in BLOCKS:
        for (function, arguments), shape, seed, dtype in product(functions, shapes, seeds, dtypes):
            torch.manual_seed(seed)
            tensor = torch.empty(shape, dtype=getattr(torch, dtype))
            getattr(nn.init, function)(tensor, **arguments)
            case = [function, arguments, list(shape), seed, dtype, digest(tensor), following()]
            if function == "orthogonal_":
                case[5] = f"orthogonal{len(orthogonal)}"
                orthogonal[case[5]] = values(tensor)
            yield case


def part_cases():
    for (shape, index), (function, arguments), dtype in product(PARTS, PLAIN[1:4], ALL):
        torch.manual_seed(3)
        tensor = torch.zeros(shape, dtype=getattr(torch, dtype))
        getattr(nn.init, function)(tensor[index], **arguments)
        text = ", ".join(
            str(i) if isinstance(i, int) else f"{i.start or ''}:{i.stop or ''}:{i.step or ''}"
            for i in index
        )
        yield [function, arguments, list(shape), text, dtype, digest(tensor), following()]


def module_cases():
    for name, (definition, construct) in MODULES.items():
        for seed in (0, 1) if name in ("mlp", "shared", "gpt2") else (0,):
            torch.manual_seed(seed)
            state = construct().state_dict()
            yield {
                "name": name,
                "definition": definition.replace("torch.bfloat16", "'bfloat16'"),
                "seed": seed,
                "state": {key: digest(tensor) for key, tensor in state.items()},
                "following": following(),
            }


def main():
    orthogonal = {}
    found = {
        "torch": torch.__version__,
        "init": list(init_cases(orthogonal)),
        "parts": list(part_cases()),
        "modules": list(module_cases()),
    }
    (HERE / "torch.json").write_text(json.dumps(found, separators=(",", ":")))
    np.savez_compressed(HERE / "orthogonal.npz", **orthogonal)
    print(len(found["init"]), len(found["parts"]), len(found["modules"]))


if __name__ == "__main__":
    main()
