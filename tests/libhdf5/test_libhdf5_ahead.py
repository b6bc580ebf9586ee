"""libhdf5 started before the command is known: once, for the right file, and gone afterwards."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from paraminspect.formats import open_checkpoint
from paraminspect.libhdf5 import ahead, process

KERAS = Path(__file__).parents[1] / "data" / "keras"


@pytest.fixture
def started(monkeypatch):
    """Of each process that is started: by which module, and its pid."""
    found = []

    def noticing(module):
        def notice(file, start=module.start):
            process = start(file)
            found.append((module, process.pid))
            return process

        return notice

    for module in (ahead, process):
        monkeypatch.setattr(module, "start", noticing(module))
    return found


def is_gone(pid):
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return True


@pytest.mark.parametrize("name", ["keras3_mlp.weights.h5", "keras3_mlp.keras", "keras2_mlp.h5"])
def test_the_process_that_was_started_ahead_is_the_one_that_answers(name, run, started):
    done = run("list", "--stats", KERAS / name)
    assert (done.status, [module for module, _ in started]) == (0, [ahead])
    assert is_gone(started[0][1])


@pytest.mark.parametrize("name", ["m.safetensors", "m.npz", "missing.h5", "folder", "fifo", "a\0b"])
def test_no_process_is_started_for_anything_else(name, tmp_path, started):
    save_file({"w": np.ones(2, np.float32)}, tmp_path / "m.safetensors")
    np.savez(tmp_path / "m.npz", w=np.ones(2))
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    ahead.start_ahead([str(tmp_path / name)])
    assert started == []


def test_only_the_first_file_counts(tmp_path, started):
    save_file({"w": np.ones(2, np.float32)}, tmp_path / "m.safetensors")
    ahead.start_ahead([str(tmp_path / "m.safetensors"), str(KERAS / "keras3_mlp.weights.h5")])
    assert started == []


def test_a_process_for_a_file_that_was_replaced_is_not_taken(tmp_path, started):
    shutil.copy(KERAS / "keras3_nested.weights.h5", path := tmp_path / "m.weights.h5")
    ahead.start_ahead([str(path)])
    shutil.copy(KERAS / "keras3_mlp.weights.h5", other := tmp_path / "other")
    other.replace(path)
    assert [p.shape for p in open_checkpoint(path).parameters()]
    assert [module for module, _ in started] == [ahead, process]
    ahead.end_unwanted()
    assert is_gone(started[0][1])


def test_a_process_that_is_not_wanted_is_ended(run, started):
    done = run("list", "--no-such-option", KERAS / "keras3_mlp.weights.h5")
    assert (done.status, [module for module, _ in started]) == (2, [ahead])
    assert is_gone(started[0][1])
