"""Commands that write, run under strace with a fault at a chosen system call."""

import io
import re
import shutil
import subprocess
import sys
import zipfile
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
    faults = ["-o", "/dev/null", "-e", f"trace={name}", "-e", f"inject={name}:{what}"]
    if "signal" not in what:  # which strace does not send then
        faults.append("--seccomp-bpf")  # all other system calls pass at full speed
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
        return _datasets(folder / name) if (folder / name).exists() else None

    return state


def _datasets(file: Any) -> Any:
    """What an HDF5 file holds: names with attributes, or with the bytes of values."""
    found = []

    def visit(name: str, item: Any) -> None:
        values = item[()].tobytes() if isinstance(item, h5py.Dataset) else b""
        found.append((name, tuple(sorted(item.attrs.items())), values))

    # No lock: a process that another thread starts holds all files, and locks, for a moment.
    with h5py.File(file, locking=False) as opened:
        opened.visititems(visit)
    return tuple(found)


DATA = Path(__file__).parents[1] / "data" / "keras"


def _weights(folder: Path) -> None:
    shutil.copy(DATA / "keras3_mlp.weights.h5", folder / "k.weights.h5")


def _archive(folder: Path) -> None:
    """An archive whose weights are compressed: libhdf5 itself writes into a copy of it."""
    source = zipfile.ZipFile(DATA / "keras3_mlp.keras")
    (folder / "w.h5").write_bytes(source.read("model.weights.h5"))
    values = np.random.default_rng(0).random((4, 3), np.float32)
    with h5py.File(folder / "w.h5", "a") as file:
        del file["layers/dense/vars/0"]
        kernel = {"data": values, "chunks": (2, 3), "compression": "gzip"}
        file.create_dataset("layers/dense/vars/0", **kernel)
    with zipfile.ZipFile(folder / "k.keras", "w") as archive:
        for name in source.namelist():
            of_weights = name == "model.weights.h5"
            data = (folder / "w.h5").read_bytes() if of_weights else source.read(name)
            archive.writestr(zipfile.ZipInfo(name), data)
    (folder / "w.h5").unlink()


def _members(name: str) -> Callable[[Path], Any]:
    def state(folder: Path) -> Any:
        if not (folder / name).exists():
            return None
        with zipfile.ZipFile(folder / name) as archive:
            members = {member: archive.read(member) for member in archive.namelist()}
        weights = _datasets(io.BytesIO(members.pop("model.weights.h5")))
        return tuple(sorted(members.items())), weights

    return state


def _keras_shards(folder: Path) -> None:
    for path in DATA.glob("keras3_nested*.weights.*"):
        if path.name != "keras3_nested.weights.h5":
            shutil.copy(path, folder)


def _keras_definition(folder: Path) -> None:
    layer = "Dense(3, dtype='bfloat16')"
    (folder / "k.yaml").write_text(f"framework: keras\ninput: [4]\nlayers:\n- {layer}\n")


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
    "keras weights": Scenario(
        _weights,
        ("set", "-i", "{}/k.weights.h5", "*hidden/*=x + 1"),
        _values("k.weights.h5"),
        has_child=True,
    ),
    "keras archive, packed": Scenario(
        _archive,
        ("set", "-i", "{}/k.keras", "*hidden/*=x + 1"),
        _members("k.keras"),
        has_child=True,
    ),
    "keras shards": Scenario(
        _keras_shards,
        ("set", "-i", "{}/keras3_nested.weights.json", "*dense_4/bias=x + 1"),
        _values("keras3_nested_00001.weights.h5"),
        has_child=True,
    ),
    "new keras archive": Scenario(
        _archive,
        ("set", "{}/k.keras", "*hidden/bias=x + 1", "-o", "{}/n.keras"),
        _members("n.keras"),
        has_child=True,
    ),
    "new keras weights": Scenario(
        _keras_definition,
        ("init", "{}/k.yaml", "--seed", "0", "-o", "{}/n.weights.h5"),
        _values("n.weights.h5"),
        has_child=True,
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
