"""Every command that reads a file, on one that is cut short, damaged, a bomb, or that shrinks.

One line, status 2, and nothing has changed: whatever the command, whatever the format.
"""

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from formats import FORMATS
from test_hostile import REFUSED_DEFINITIONS

from paraminspect.errors import CheckpointError
from paraminspect.formats import open_checkpoint, save_checkpoint
from paraminspect.formats.keras import _archive
from paraminspect.init.plan import initialize
from paraminspect.operations.diff import diff_trees
from paraminspect.operations.duplicates import find_duplicates
from paraminspect.operations.edit import assign
from paraminspect.operations.stats import tree_stats
from paraminspect.operations.tying import tie

ARRAYS = {
    "a": np.arange(6000, dtype=np.float32).reshape(60, 100),
    "b": np.arange(6000, dtype=np.float32).reshape(60, 100),
    "c": np.arange(7, dtype=np.int64),
}

COMMANDS = {
    "list --stats": ("list", "--stats", "{}"),
    "slice": ("slice", "{}", "a[::-1]", "b", "c"),
    "set -o": ("set", "{}", "a=x + 1", "-o", "new"),
    "set -i": ("set", "-i", "{}", "a=x + 1", "b=x"),
    "init -o": (
        "init",
        "{}",
        "--rule",
        "c=zeros",
        "--rule",
        "a[0]=ones",
        "--seed",
        "0",
        "-o",
        "new",
    ),
    "init -i": ("init", "-i", "{}", "--rule", "c=zeros", "--seed", "0"),
    "tie": ("tie", "-i", "{}", "b", "a"),
    "tie --find": ("tie", "{}", "--find"),
    "diff, left": ("diff", "{}", "whole.safetensors"),
    "diff, right": ("diff", "whole.safetensors", "{}"),
    "convert": ("convert", "{}", "new.safetensors"),
}

every_command = pytest.mark.parametrize("command", COMMANDS)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder, with a whole file to compare with."""
    monkeypatch.chdir(tmp_path)
    FORMATS["safetensors"].write(tmp_path, ARRAYS, {}, {}).path.rename("whole.safetensors")
    return tmp_path


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_refused(run, here, command, path, message=""):
    """The command ends in one line and has changed nothing."""
    before = contents(here)
    done = run(*(argument.format(path) for argument in COMMANDS[command]))
    assert done.status == 2, done.out
    assert not done.out or command == "slice"  # whose values are printed as they are read
    assert done.err.count("\n") == 1
    assert done.err.startswith("paraminspect: ")
    assert message in done.err
    assert contents(here) == before


FEW = ["hdf5", "hdf5, packed", "keras", "keras, deflated", "npz", "npz, deflated", "safetensors"]


@every_command
@pytest.mark.parametrize("format_", [*FEW, "sharded"])
def test_a_file_that_is_cut_short_is_refused(format_, command, run, here):
    written = FORMATS[format_].write(here, ARRAYS, {}, {})
    last = written.files[-1]
    os.truncate(last, last.stat().st_size // 2)
    assert_refused(run, here, command, written.path, last.name)


CHECKED = ["hdf5, packed", "keras", "keras, deflated", "npz", "npz, deflated"]
"""Formats that tell when a byte of their values is another one."""


@pytest.mark.parametrize(
    ("format_", "command"),
    [
        (format_, command)
        for format_ in CHECKED
        for command in COMMANDS
        if command != "init -i" and (format_, command) != ("keras", "tie --find")  # reads not all
    ],
)
def test_a_file_with_another_byte_among_its_values_is_refused(format_, command, run, here):
    written = FORMATS[format_].write(here, ARRAYS, {}, {})
    data = bytearray(written.path.read_bytes())
    data[len(data) // 3] ^= 0x10
    written.path.write_bytes(data)
    assert_refused(run, here, command, written.path, written.path.name)


def keras_bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n" + bytes(2 << 20))


def npz_that_lies(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1073741824,), }"
        text = header.ljust(117) + b"\n"
        made.writestr("a.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)


def huge_header(path):
    path.write_bytes((1 << 40).to_bytes(8, "little") + b"{}")


def terabytes(path):
    entry = {"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}
    text = json.dumps(entry).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text)


def aliases(path):
    path.write_text(REFUSED_DEFINITIONS["alias bomb"][0])


BOMBS = {
    "m.keras": keras_bomb,
    "m.npz": npz_that_lies,
    "header.safetensors": huge_header,
    "terabytes.safetensors": terabytes,
    "m.yaml": aliases,
}


@every_command
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused(bomb, command, run, here, monkeypatch):
    monkeypatch.setattr(_archive, "BOMB_NBYTES", 1 << 20)
    BOMBS[bomb](here / bomb)
    assert_refused(run, here, command, here / bomb, bomb)


def edit(tree):
    return assign(tree, "c", "x + 1")


OPERATIONS = {
    "slice": lambda tree: tree["a"].data[3:5, ::-1],
    "list --stats": lambda tree: list(tree_stats(tree)),
    "set": lambda tree: save_checkpoint(edit(tree), Path("target"), overwrite=True),
    "set -i": lambda tree: save_checkpoint(edit(tree), Path(tree.source.path), overwrite=True),
    "init": lambda tree: save_checkpoint(
        initialize(tree, rules=["c=zeros"], seed=0), Path("target"), overwrite=True
    ),
    "tie": lambda tree: save_checkpoint(tie(tree, "b", "a"), Path("target.h5")),
    "tie --find": find_duplicates,
    "diff": lambda tree: list(diff_trees(tree, open_checkpoint(Path("whole.safetensors")))),
    "convert": lambda tree: save_checkpoint(tree, Path("new.safetensors")),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("format_", FEW)
def test_a_file_that_shrinks_once_it_is_open_is_refused(format_, operation, here):
    written = FORMATS[format_].write(here, ARRAYS, {}, {})
    (here / "target").write_bytes(b"old")
    tree = open_checkpoint(written.path)
    os.truncate(written.path, written.path.stat().st_size - 100)
    before = contents(here)
    with pytest.raises(
        CheckpointError, match=rf"{written.path.name}: .*changed|{written.path.name}.*truncated"
    ):
        OPERATIONS[operation](tree)
    assert contents(here) == before
