"""Listing and measuring HDF5 files: against importing h5py, and against safetensors."""

import os
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from safetensors.numpy import save_file

pytestmark = pytest.mark.bench

MODEL = Path(__file__).parents[1] / "data" / "keras" / "keras3_layers.weights.h5"
LIST = [sys.executable, "-m", "paraminspect", "list"]


def seconds_of(*commands, rounds=15):
    """The shortest time of each command, taken in turns: other work disturbs all of them alike."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    best = [float("inf")] * len(commands)
    for _ in range(rounds):
        for i, command in enumerate(commands):
            begin = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
            best[i] = min(best[i], time.perf_counter() - begin)
    return best


def test_a_keras_file_is_listed_in_little_more_time_than_h5py_takes_to_import():
    ours, h5py_alone = seconds_of([*LIST, MODEL], [sys.executable, "-c", "import h5py"])
    print(f"list {ours:.3f} s, import h5py {h5py_alone:.3f} s: {ours / h5py_alone:.2f} times")
    assert ours <= 1.5 * h5py_alone


def test_our_process_needs_little_memory_beside_its_child():
    program = "import os, sys; pid = os.posix_spawn(sys.executable, sys.argv[1:], os.environ);"
    program += "print(os.wait4(pid, 0)[2].ru_maxrss, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program, *LIST, MODEL], check=True, capture_output=True, text=True
    )
    kibibytes = int(done.stderr)
    print(f"{kibibytes / 1024:.0f} MiB")
    assert kibibytes < 100 << 10


def test_statistics_of_contiguous_values_take_as_long_as_those_of_safetensors(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {f"h.{i}": rng.standard_normal((2560, 5120), dtype=np.float32) for i in range(10)}
    save_file(arrays, tmp_path / "m.safetensors")
    with h5py.File(tmp_path / "m.h5", "w") as file:
        for name, values in arrays.items():
            file[name] = values
    stats = [[*LIST, "--stats", tmp_path / name] for name in ("m.h5", "m.safetensors")]
    hdf5, safetensors = seconds_of(*stats, rounds=15)
    print(f"{hdf5:.3f} s, safetensors {safetensors:.3f} s: {hdf5 / safetensors:.2f} times")
    assert hdf5 <= 1.2 * safetensors
