"""Commands that write, run under strace with a fault at a chosen system call."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from paraminspect.cli import main

TEMPORARY = "paraminspect-tmp"

VALUES = {"a": np.arange(1000.0), "b": np.arange(500, dtype=np.float32), "c": np.arange(9)}

NAMED = "import os; del os.O_TMPFILE\n"
"""As on systems where a file that is being written must have a name."""

NO_FSYNC = "import os; os.fsync = lambda descriptor: None\n"
"""A bug to be found: nothing is made durable."""

ONE_THREAD = "import os; os.cpu_count = lambda: 1\n"
"""strace counts the calls of each thread: with one, each call has a number of its own."""

RUN = "from paraminspect.__main__ import run; run()"

TRACED = "%file,%desc"

CHANGING = {
    *("fallocate", "ftruncate", "pwrite64", "copy_file_range", "fchmod", "fsync", "flock"),
    *("linkat", "rename", "renameat", "unlink", "unlinkat", "mkdir", "exit_group"),
}
"""The system calls after which there is something else on the disk."""


@dataclass(frozen=True)
class Scenario:
    """A command, what is there before, and how to see what is there after it."""

    prepare: Callable[[Path], None]
    arguments: tuple[str, ...]
    """`{}` stands for the folder."""
    state: Callable[[Path], Any]
    """What is there, in a form that can be compared; raises if it is a mixture."""
    prelude: str = ""
    leftovers: int = 1
    """So many temporary files may be left by a kill."""
    has_child: bool = False
    """Whether a process of its own helps; what that does while it starts changes nothing."""

    def command(self, folder: Path) -> list[str]:
        arguments = [argument.format(folder) for argument in self.arguments]
        return [sys.executable, "-c", ONE_THREAD + self.prelude + RUN, *arguments, "--quiet"]

    def run(self, folder: Path, *wrapper: str) -> subprocess.CompletedProcess[str]:
        command = [*wrapper, *self.command(folder)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    def run_again(self, folder: Path) -> None:
        """In this process: what the next run finds and cleans up."""
        arguments = [argument.format(folder) for argument in self.arguments]
        force = [] if "-i" in arguments else ["--force"]
        main.main([*arguments, *force, "--quiet"], standalone_mode=False)


def strace(*options: str) -> list[str]:
    if shutil.which("strace") is None:
        pytest.skip("no strace")
    return ["strace", "-f", "-qq", *options]


def system_calls(scenario: Scenario, folder: Path) -> list[tuple[str, int]]:
    """Every system call from the first one that writes on, and its number among its like."""
    log = folder.parent / f"{folder.name}.log"
    done = scenario.run(folder, *strace("-o", str(log), "-e", f"trace={TRACED}"))
    assert done.returncode == 0, done.stderr
    counts: Counter[tuple[str, str]] = Counter()
    points: dict[tuple[str, int], None] = {}
    writing = False
    for line in log.read_text(errors="replace").splitlines():
        found = re.match(r"(\d+) +(\w+)\(", line)
        if not found:
            continue
        thread, name = found.groups()
        counts[thread, name] += 1
        writing = writing or ("O_DIRECTORY" in line and "O_NONBLOCK" not in line) or name == "mkdir"
        if writing and (name in CHANGING or not scenario.has_child):
            points[name, counts[thread, name]] = None
    return list(points)


def inject(
    scenario: Scenario, folder: Path, name: str, what: str
) -> subprocess.CompletedProcess[str]:
    """Run with a fault: `what` is strace's, as in `signal=KILL:when=3`."""
    faults = ("-o", "/dev/null", "-e", f"trace={name}", "-e", f"inject={name}:{what}")
    return scenario.run(folder, *strace(*faults))


def new_folder(parent: Path, name: str, scenario: Scenario) -> Path:
    folder = parent / name
    folder.mkdir()
    scenario.prepare(folder)
    return folder


def litter(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if TEMPORARY in path.name]


def _one_file(folder: Path) -> None:
    save_file(VALUES, folder / "m.safetensors", {"k": "v"})
    (folder / "m.safetensors").chmod(0o644)


def _bytes(name: str) -> Callable[[Path], Any]:
    def state(folder: Path) -> Any:
        path = folder / name
        return path.read_bytes() if path.exists() else None

    return state


def _shards(folder: Path) -> None:
    _one_file(folder)
    main.main(
        ["convert", f"{folder}/m.safetensors", f"{folder}/s", "--max-shard-size", "4KB", "-q"],
        standalone_mode=False,
    )


def _set_of_shards(name: str) -> Callable[[Path], Any]:
    def state(folder: Path) -> Any:
        import json

        index = folder / name / "model.safetensors.index.json"
        if not index.exists():
            return None
        weight_map = json.loads(index.read_text())["weight_map"]
        found = {}
        for shard in set(weight_map.values()):
            found |= load_file(index.parent / shard)
        assert set(found) == set(weight_map)
        return tuple((tensor, found[tensor].tobytes()) for tensor in sorted(found))

    return state


def _packed(folder: Path) -> None:
    values = np.random.default_rng(0).random(5000)
    with h5py.File(folder / "p.h5", "w") as file:
        file.create_dataset("a", data=values, chunks=(2500,), compression="gzip")


def _values(name: str) -> Callable[[Path], Any]:
    def state(folder: Path) -> Any:
        if not (folder / name).exists():
            return None
        with h5py.File(folder / name) as file:
            return tuple((key, file[key][()].tobytes()) for key in file)

    return state


SCENARIOS = {
    "in place": Scenario(
        _one_file, ("set", "-i", "{}/m.safetensors", "a=x + 1"), _bytes("m.safetensors")
    ),
    "in place, named": Scenario(
        _one_file, ("set", "-i", "{}/m.safetensors", "a=x + 1"), _bytes("m.safetensors"), NAMED
    ),
    "new file": Scenario(
        _one_file,
        ("set", "{}/m.safetensors", "a=x + 1", "-o", "{}/n.safetensors"),
        _bytes("n.safetensors"),
    ),
    "hdf5, packed": Scenario(
        _packed, ("set", "-i", "{}/p.h5", "a=x + 1"), _values("p.h5"), has_child=True
    ),
    "new hdf5": Scenario(
        _one_file, ("convert", "{}/m.safetensors", "{}/n.h5"), _values("n.h5"), has_child=True
    ),
    "new npz": Scenario(_one_file, ("convert", "{}/m.safetensors", "{}/n.npz"), _bytes("n.npz")),
    "shards in place": Scenario(
        _shards, ("set", "-i", "{}/s", "a=x + 1", "b=x * 2"), _set_of_shards("s"), leftovers=3
    ),
    "new shards": Scenario(
        _one_file,
        ("convert", "{}/m.safetensors", "{}/t", "--max-shard-size", "4KB"),
        _set_of_shards("t"),
        leftovers=4,
    ),
}
