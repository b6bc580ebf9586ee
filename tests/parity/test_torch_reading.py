"""We read what real PyTorch and the Hugging Face hub's library write: dtypes, bits, ties."""

import hashlib
import json
import subprocess

import pytest

from paraminspect.formats import open_checkpoint

pytestmark = pytest.mark.parity

DTYPES = """
import hashlib, json, sys
import torch
from safetensors.torch import save_file

torch.manual_seed(0)
bits = torch.randint(0, 256, (3, 5, 16), dtype=torch.uint8)
tensors, told = {}, {}
for name in dir(torch):
    dtype = getattr(torch, name)
    if not isinstance(dtype, torch.dtype) or str(dtype) != f"torch.{name}" or dtype.is_complex:
        continue
    try:
        tensor = bits.view(dtype).clone() if name != "bool" else bits > 127
        save_file({name: tensor}, sys.argv[1])
    except Exception:
        continue  # a dtype that safetensors does not have
    tensors[name] = tensor
    raw = tensor.contiguous().view(torch.uint8).numpy().tobytes()
    told[name] = [list(tensor.shape), hashlib.sha256(raw).hexdigest()]
tensors["complex64"] = torch.randn(2, 3, dtype=torch.complex64)
raw = tensors["complex64"].numpy().tobytes()
told["complex64"] = [[2, 3], hashlib.sha256(raw).hexdigest()]
save_file(tensors, sys.argv[1])
print(json.dumps(told))
"""

TIED_SHARDS = """
import json, sys
import torch
from torch import nn
from huggingface_hub import save_torch_model

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(50, 8)
        self.h = nn.ModuleList(nn.Linear(8, 8) for _ in range(6))
        self.h[5] = self.h[2]
        self.head = nn.Linear(8, 50, bias=False)
        self.head.weight = self.wte.weight

model = Model()
save_torch_model(model, sys.argv[1], max_shard_size=2000, metadata={"made": "here"})
state, groups = model.state_dict(), {}
for name, tensor in state.items():
    groups.setdefault(tensor.data_ptr(), []).append(name)
print(json.dumps([list(state), sorted(g for g in groups.values() if len(g) > 1)]))
"""


def run(python, code, *arguments):
    done = subprocess.run(
        [python, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_dtype_of_torch_has_its_name_shape_and_bits(tmp_path, framework_python):
    path = tmp_path / "dtypes.safetensors"
    told = run(framework_python("torch"), DTYPES, path)
    tree = open_checkpoint(path)
    assert set(tree) == set(told)
    assert {"bfloat16", "float8_e4m3fn", "float8_e5m2", "uint64", "bool"} <= set(told)
    for name, (shape, digest) in told.items():
        parameter = tree[name]
        if name == "float4_e2m1fn_x2":  # torch counts pairs; a file counts numbers
            assert parameter.dtype.name == "float4_e2m1fn"
            assert list(parameter.shape) == [*shape[:-1], 2 * shape[-1]]
            continue
        assert (parameter.dtype.name, list(parameter.shape)) == (name, shape)
        assert hashlib.sha256(parameter.numpy().tobytes()).hexdigest() == digest


def test_the_ties_of_a_sharded_model_are_those_of_the_module(tmp_path, framework_python):
    names, groups = run(framework_python("torch"), TIED_SHARDS, tmp_path)
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    tree = open_checkpoint(tmp_path)
    assert set(tree) == set(names)
    assert tree.metadata["made"] == "here"
    ours = {frozenset([own, *tree.aliases(own)]) for own in tree.ties.values()}
    assert ours == {frozenset(group) for group in groups}
