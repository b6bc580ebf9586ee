"""`set` and `convert` on a file of a gigabyte, against `cp` and against what people write in NumPy."""

import shlex
import sys

import ml_dtypes
import numpy as np
import pytest
from measuring import PARAMINSPECT, race, times_as_slow, use
from safetensors.numpy import load_file, save_file

pytestmark = pytest.mark.bench

COUNT, LAYERS = 32 << 20, 8

PLAIN = """
import sys
from safetensors.numpy import load_file, save_file
tensors = load_file(sys.argv[1])
exec(sys.argv[3])
save_file(tensors, sys.argv[2])
"""
"""What people write: everything in memory, and nothing made durable."""


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """1 GiB of float32 in eight tensors."""
    path = tmp_path_factory.mktemp("big") / "big.safetensors"
    rng = np.random.default_rng(0)
    save_file({f"h.{i}.w": rng.random(COUNT, np.float32) for i in range(LAYERS)}, path)
    return path


@pytest.fixture(params=["float32", "bfloat16"])
def big_of(request, big, tmp_path):
    """The same bytes as a file of this dtype."""
    if request.param == "float32":
        return big
    halves = {n: v.view(ml_dtypes.bfloat16) for n, v in load_file(big).items()}
    save_file(halves, tmp_path / "halves.safetensors")
    return tmp_path / "halves.safetensors"


def test_one_element_is_set_about_as_fast_as_a_file_is_copied(big_of, tmp_path):
    """`sync` after `cp`: what we report done is on the disk, and so is a file copied like that."""
    new = f"{tmp_path}/new.safetensors"
    ours = [*PARAMINSPECT, "set", big_of, "h.3.w[0]=42", "-o", new]
    ours = ["sh", "-c", f"rm -f {new} && {shlex.join(map(str, ours))}"]
    copy = f"rm -f {new} && cp {big_of} {new}"
    found = race(
        f"set one element of 1 GiB in {big_of.name}, durably, against cp and sync",
        ours,
        ["sh", "-c", f"{copy} && sync {new}"],
    )
    alone = race("the same against cp alone", ours, ["sh", "-c", copy])
    print(f"  {alone[0].wall / alone[1].wall:.2f} times as long as cp alone, which is not durable")
    assert times_as_slow(*found) <= 1.2
    assert found[0].mib < 150


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("x + 1", "for t in tensors.values(): t += 1"),
        ("(x - mean(x)) / std(x)", "for t in tensors.values(): t -= t.mean(); t /= t.std()"),
    ],
)
def test_all_elements_are_set_in_little_memory(text, plain, big, tmp_path):
    ours = [*PARAMINSPECT, "set", big, f"*={text}", "-o", tmp_path / "ours.safetensors", "--force"]
    rival = [sys.executable, "-c", PLAIN, big, tmp_path / "plain.safetensors", plain]
    ours, rival = race(f"set *={text} against NumPy in memory", ours, rival, rounds=3)
    assert ours.mib < 150
    assert ours.mib < 0.2 * rival.mib
    assert times_as_slow(ours, rival) <= 1.5


def test_a_cast_takes_little_memory(big, tmp_path):
    out = tmp_path / "small.safetensors"
    used = use([*PARAMINSPECT, "convert", "--dtype", "bf16", big, out])
    print(f"\nconvert --dtype bf16 of 1 GiB\n  ours  {used}")
    assert used.mib < 150
