"""A model may have more files than the system lets one program have open."""

import json
import os
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from paraminspect.errors import CheckpointError
from paraminspect.formats import open_checkpoint
from paraminspect.formats.files import _descriptors
from paraminspect.formats.files._reading import open_regular
from paraminspect.formats.safetensors import _reading

SHARDS = 163
INDEX = "model.safetensors.index.json"

PROGRAM = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
from paraminspect.__main__ import run
ended = []
for arguments in json.loads(sys.argv.pop()):
    sys.argv[1:] = arguments
    try:
        run()
    except SystemExit as exit_:
        ended.append(exit_.code)
print(json.dumps(ended), file=sys.stderr)
"""


def values(i):
    return {f"a.{i}": np.full((4, 3), i, np.float32), f"b.{i}": np.arange(3, dtype=np.float32)}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    shard_of = {}
    for i in range(SHARDS):
        name = f"model-{i + 1:05}-of-{SHARDS:05}.safetensors"
        save_file(values(i), folder / name)
        shard_of |= dict.fromkeys(values(i), name)
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": shard_of}))
    return folder


def tensors(folder):
    index = json.loads((folder / INDEX).read_text())
    found = {}
    for shard in set(index["weight_map"].values()):
        found |= load_file(folder / shard)
    return found


def assert_same(found, expected):
    assert sorted(found) == sorted(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


def test_many_shards_need_few_open_files(model, tmp_path):
    source, copy = model / INDEX, tmp_path / "copy"
    commands = [
        ["list", "--stats", source],
        ["convert", source, tmp_path / "one.safetensors"],
        ["convert", source, copy, "--max-shard-size", "60"],
        ["diff", source, copy / INDEX],
        ["set", copy / INDEX, "a.*=x*2", "-i"],
        ["diff", source, copy / INDEX],
        ["tie", source, "--find"],
        ["slice", source, "a.*", "-o", tmp_path / "some.npz"],
    ]
    arguments = json.dumps([list(map(str, command)) for command in commands])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, arguments], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stderr.splitlines()[-1]) == [0, 0, 0, 0, 0, 1, 0, 0], done.stderr
    every = {name: array for i in range(SHARDS) for name, array in values(i).items()}
    assert_same(load_file(tmp_path / "one.safetensors"), every)
    assert_same(tensors(copy), {n: a * 2 if n[0] == "a" else a for n, a in every.items()})
    assert len(list(copy.iterdir())) == SHARDS + 1
    with np.load(tmp_path / "some.npz") as some:
        assert_same(dict(some), {n: a for n, a in every.items() if n[0] == "a"})


def open_files():
    return len(list(Path("/dev/fd").iterdir()))


def test_many_threads_read_many_files_with_few_open(model):
    tree = open_checkpoint(model / INDEX)
    order = np.random.default_rng(0).integers(SHARDS, size=2_000)
    before = open_files()

    def read(i):
        np.testing.assert_array_equal(np.asarray(tree[f"a.{i}"]), values(i)[f"a.{i}"])
        return open_files()

    with ThreadPoolExecutor(8) as pool:
        most = max(pool.map(read, order))
    assert most <= before + _descriptors.MOST_IDLE + 2 * 8


@pytest.fixture
def closed(tmp_path, monkeypatch):
    """A file, given by a relative path, that others have pushed out."""
    monkeypatch.chdir(tmp_path)
    for i in range(_descriptors.MOST_IDLE + 1):
        (tmp_path / f"{i}").write_bytes(bytes([i]) * 4)
    first, *others = [open_regular(f"{i}") for i in range(_descriptors.MOST_IDLE + 1)]
    assert [file.read(0, 1)[0] for file in others] == list(range(1, len(others) + 1))
    yield first
    assert len(others) == _descriptors.MOST_IDLE


def test_a_file_that_was_closed_is_found_again_from_another_folder(closed, tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path / "folder")
    assert closed.read(0, 4) == bytes(4)


def test_a_file_that_was_replaced_while_it_was_closed_is_another_one(closed, tmp_path):
    (tmp_path / "new").write_bytes(bytes(4))
    (tmp_path / "new").replace(tmp_path / "0")
    for _ in range(2):
        with pytest.raises(CheckpointError, match=r"^0: the file has changed since it was opened"):
            closed.read(0, 4)


def use_up_descriptors(taken):
    while True:
        taken.append(os.open(os.devnull, os.O_RDONLY))


def test_idle_files_make_room_when_the_system_allows_no_more(closed):
    taken = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        with pytest.raises(OSError, match="open files"):
            use_up_descriptors(taken)
        assert closed.read(0, 4) == bytes(4)
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_what_the_system_does_not_open_is_not_called_unreadable(tmp_path, run, monkeypatch):
    save_file({"w": np.ones(2, np.float32)}, tmp_path / "m.safetensors")

    def refuse(path, **_):
        if path.name != "m.safetensors":
            raise FileNotFoundError("No such file or directory")  # the library's words for EMFILE
        return real(path, **_)

    real = _reading.safetensors.safe_open
    monkeypatch.setattr(_reading.safetensors, "safe_open", refuse)
    done = run("set", tmp_path / "m.safetensors", "w=2", "-o", tmp_path / "n.safetensors")
    assert done.status == 2
    assert "what was written cannot be checked: the safetensors library cannot open it" in done.err
    assert not (tmp_path / "n.safetensors").exists()
