"""`init` of a model of half a billion parameters, against PyTorch's kernels and its own writing."""

import json
import math
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from measuring import PARAMINSPECT, race, times_as_slow, use

pytestmark = pytest.mark.bench

LAYERS, ROWS, COLUMNS = 8, 8192, 7632
"""500,170,752 parameters."""

MOST_MIB = 200

TORCH = """
import sys, torch
from safetensors.torch import save_file
draw, dtype, path, layers, rows, columns = sys.argv[1:]
tensors = {}
for i in range(int(layers)):
    tensor = torch.empty(int(rows), int(columns), dtype=getattr(torch, dtype))
    tensor.normal_(0, 0.02) if draw == "normal" else tensor.uniform_(-0.1, 0.1)
    tensors[f"{i}.weight"] = tensor
save_file(tensors, path)
"""

LLAMA = Path(__file__).parents[2] / "sample_models" / "llama_7b.yaml"

TEN_GB = "{d: 4096, vocab: 32000, ff: 11008, kv: 4096, depth: 24}"
"""Sizes of a Llama of 10.2 GB in bfloat16."""

SCHEMES = {"normal": "normal(0, 0.02)", "uniform": "uniform(-0.1, 0.1)"}


@pytest.fixture
def torch_python():
    """Only one that the environment names, or that the project keeps, as parity tests do."""
    named = os.environ.get("PARAMINSPECT_TORCH_PYTHON")
    own = Path(__file__).parents[2] / ".venv-torch" / "bin" / "python"
    found = named or (str(own) if own.exists() else None)
    return found or pytest.skip("no Python with torch: set PARAMINSPECT_TORCH_PYTHON")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model.yaml").write_text(
        f"framework: pytorch\nlayers:\n  - {LAYERS} * Linear({COLUMNS}, {ROWS}, bias=False)\n"
    )
    yield tmp_path
    shutil.rmtree(tmp_path)


def compare(folder, torch_python, draw, dtype, *options):
    command = [*PARAMINSPECT, "init", folder / "model.yaml", "-o", folder / "ours.safetensors"]
    command += ["--force", "-q", "--seed", "0", "--dtype", dtype, "--scheme", SCHEMES[draw]]
    rival = [torch_python, "-c", TORCH, draw, dtype, folder / "rival.safetensors"]
    rival += [LAYERS, ROWS, COLUMNS]
    title = f"init of 500 M parameters, {draw} {dtype} {' '.join(options)}, against torch"
    return race(title, [*command, *options], rival, rounds=3)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("draw", ["normal", "uniform"])
def test_native_values_are_drawn_and_written_as_fast_as_by_torch(folder, torch_python, draw, dtype):
    ours, rival = compare(folder, torch_python, draw, dtype)
    assert times_as_slow(ours, rival) <= 1
    assert ours.mib < MOST_MIB


@pytest.mark.parametrize(("draw", "most"), [("normal", 8), ("uniform", 2)])
def test_pytorchs_own_values_take_a_bounded_time(folder, torch_python, draw, most):
    """A construction draws each weight twice: by its layer, and by the rule."""
    ours, rival = compare(folder, torch_python, draw, "float32", "--rng", "pytorch")
    assert times_as_slow(ours, rival) <= most
    assert ours.mib < MOST_MIB


def test_a_llama_of_ten_gigabytes_takes_constant_memory_and_has_its_deviations(folder):
    if shutil.disk_usage(folder).free < 12e9:
        pytest.skip("needs 12 GB of disk")
    path = folder / "llama.safetensors"
    (folder / "llama.yaml").write_text(
        re.sub(r"^let: .*", f"let: {TEN_GB}", LLAMA.read_text(), flags=re.MULTILINE)
    )
    command = [*PARAMINSPECT, "init", folder / "llama.yaml", "--dtype", "bfloat16", "-o", path]
    used = use([*command, "-q", "--seed", "0"])
    listing = [*PARAMINSPECT, "list", "--stats", "--format", "json", path]
    listed = use(listing)
    print(f"\nLlama of 10 GB\n  init  {used}\n  list  {listed}")
    told = json.loads(subprocess.run(listing, stdout=subprocess.PIPE, check=True).stdout)
    assert told["totals"]["nbytes"] > 10e9
    for parameter in told["parameters"]:
        stats, count = parameter["stats"], parameter["count"]
        mean, std = (1, 0) if "norm" in parameter["name"] else (0, 0.02)
        assert abs(stats["mean"] - mean) <= 6 * std / math.sqrt(count), parameter
        assert abs(stats["std"] - std) <= 6 * std / math.sqrt(2 * count), parameter
    assert used.mib < MOST_MIB
    assert listed.mib < MOST_MIB
