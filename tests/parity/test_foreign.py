"""The line that makes a readable file of a foreign one: run as it is printed, by its framework."""

import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest

from paraminspect.formats import open_checkpoint

pytestmark = pytest.mark.parity

DATA = Path(__file__).parents[1] / "data" / "foreign"
W, B = np.arange(6, dtype=np.float32).reshape(2, 3), np.float32([6, 7])


@pytest.mark.parametrize(
    ("name", "framework"),
    [
        ("zip.pt", "torch"),
        ("lightning.ckpt", "torch"),
        ("legacy.pth", "torch"),
        ("script.pt", "torch"),
        ("flax_model.msgpack", "keras"),
        ("model-1.index", "keras"),
        ("checkpoint", "keras"),
        ("mxnet.params", "mxnet"),
    ],
)
def test_the_line_makes_a_file_with_the_same_values(
    name, framework, framework_python, run, tmp_path
):
    python = framework_python(framework)
    line = re.search(r"not read: python (.*) makes (\S+) of it", run("list", DATA / name).err)
    arguments = [python, *shlex.split(line[1])]
    subprocess.run(arguments, cwd=tmp_path, check=True, capture_output=True)
    made = [p.numpy() for p in open_checkpoint(tmp_path / line[2]).parameters()]
    for values in (W, B):
        assert any(np.array_equal(array, values) for array in made)
