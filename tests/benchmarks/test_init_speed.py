"""`init` of a model of half a billion parameters, against PyTorch's kernels and its own writing."""

import os
import shutil
from pathlib import Path

import pytest
from measuring import PARAMINSPECT, race, times_as_slow

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
