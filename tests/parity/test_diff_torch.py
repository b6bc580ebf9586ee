"""A definition against a checkpoint: what `diff` tells is what `load_state_dict` tells.

But for two things: a tied array may have any of its names, and dtypes are compared.
"""

import json
import subprocess

import pytest

from paraminspect.operations.diff import diff_trees
from paraminspect.source import open_source

pytestmark = pytest.mark.parity

DEFINITION = """
framework: pytorch
share:
  shared: Linear(8, 8)
layers:
  - Linear(4, 8)
  - BatchNorm1d(8)
  - shared
  - ReLU()
  - shared
  - Linear(8, 1)
"""

LOADING = r"""
import json, random, re, sys
import torch
from torch import nn
from safetensors.torch import save_file

shared = nn.Linear(8, 8)
net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), shared, nn.ReLU(), shared, nn.Linear(8, 1))

def load(state):
    try:
        net.load_state_dict(state, strict=True)
    except RuntimeError as error:
        text = str(error)
        def keys(kind):
            found = re.search(rf"{kind} key\(s\) in state_dict: (.*?)\. ?\n", text + "\n")
            return re.findall(r'"(.*?)"', found[1]) if found else []
        return {
            "missing": keys("Missing"),
            "extra": keys("Unexpected"),
            "shape": re.findall(r"size mismatch for (\S+):", text),
        }
    return {"missing": [], "extra": [], "shape": []}

random.seed(int(sys.argv[2]))
answers = []
for number in range(40):
    # With the versions of its layers: to a plain dict, loading adds a missing num_batches_tracked.
    state = net.state_dict()
    for name in state:
        state[name] = state[name].clone()
    for name in random.sample(list(state), random.randrange(4)):
        tensor = state.pop(name)
        change = random.choice(["drop", "rename", "reshape", "cast", "values"])
        if change == "rename":
            state["model." + name] = tensor
        elif change == "reshape":
            state[name] = torch.ones((*tensor.shape, 2))
        elif change == "cast":
            state[name] = tensor.to(torch.float16)
        elif change == "values":
            state[name] = tensor + 1
    path = f"{sys.argv[1]}/{number}.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)
    answers.append([path, list(state), load(state)])
print(json.dumps(answers))
"""

TIED = {"4.weight": "2.weight", "4.bias": "2.bias"}
OTHER = {**TIED, **{name: alias for alias, name in TIED.items()}}


def own(name):
    return TIED.get(name, name)


@pytest.mark.parametrize("seed", range(2))
def test_a_checkpoint_fits_a_definition_exactly_if_pytorch_loads_it(
    framework_python, tmp_path, seed
):
    done = subprocess.run(
        [framework_python("torch"), "-c", LOADING, str(tmp_path), str(seed)],
        capture_output=True,
        text=True,
        check=True,
    )
    (tmp_path / "model.yaml").write_text(DEFINITION)
    definition = open_source(str(tmp_path / "model.yaml"))
    answers = json.loads(done.stdout)
    assert sum(any(told.values()) for _, _, told in answers) > 10
    for path, names, told in answers:
        found = list(diff_trees(definition, open_source(path)))
        told["missing"] = [n for n in told["missing"] if OTHER.get(n) not in names]
        unequal = {d.name for d in found if d.kind == "tie"}
        for kind, torchs in told.items():
            ours = {own(d.name) for d in found if d.kind == kind}
            assert ours - unequal == {own(name) for name in torchs} - unequal, path
        assert {str(d.kind) for d in found} <= {*told, "dtype", "tie"}
