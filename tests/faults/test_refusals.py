"""What the system refuses leaves everything as it was, with one line that says what and where."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from harness import RUN, SCENARIOS, VALUES, inject, litter, new_folder
from safetensors.numpy import load_file, save_file

from paraminspect.formats import open_checkpoint

pytestmark = pytest.mark.fault

OLD, NEW = False, True


def outcome(scenario, tmp_path):
    """`(old, new)` states of a scenario."""
    folder = new_folder(tmp_path, "clean", scenario)
    old = scenario.state(folder)
    assert scenario.run(folder).returncode == 0
    return old, scenario.state(folder)


FAULTS = [
    ("fsync", "error=EIO:when=1", 2, OLD, "input/output error; nothing was changed"),
    ("fsync", "error=EIO:when=2", 2, NEW, "written, but it may not survive a power cut"),
    ("fsync", "error=EIO", 2, OLD, "input/output error; nothing was changed"),
    ("linkat", "error=EIO", 2, OLD, "input/output error; nothing was changed"),
    ("linkat", "error=EMLINK", 2, OLD, "too many links; nothing was changed"),
    ("rename,renameat,renameat2", "error=EIO", 2, OLD, "input/output error; nothing"),
    ("rename,renameat,renameat2", "error=EXDEV", 2, OLD, "invalid cross-device link"),
    ("pwrite64", "error=ENOSPC", 2, OLD, "no space left on device; nothing was changed"),
    ("pwrite64", "error=EDQUOT", 2, OLD, "disk quota exceeded; nothing was changed"),
    ("pwrite64", "error=EFBIG:when=2", 2, OLD, "file too large; nothing was changed"),
    ("fallocate", "error=ENOSPC", 2, OLD, "no space left on device; nothing was changed"),
    ("ftruncate", "error=EIO", 2, OLD, "input/output error; nothing was changed"),
    ("fchmod", "error=EPERM", 0, NEW, ""),  # a file system without modes
    ("fallocate", "error=EOPNOTSUPP", 0, NEW, ""),
    ("copy_file_range", "error=EXDEV", 0, NEW, ""),
    ("copy_file_range", "error=EOPNOTSUPP", 0, NEW, ""),
    ("copy_file_range", "error=EINVAL", 0, NEW, ""),
    ("copy_file_range", "error=ENOSYS", 0, NEW, ""),
    ("copy_file_range", "error=EIO", 0, NEW, ""),
    ("copy_file_range", "retval=0", 0, NEW, ""),
    ("flock", "error=ENOLCK", 0, NEW, ""),
    ("fadvise64", "error=EIO", 0, NEW, ""),
]


@pytest.mark.parametrize(
    ("name", "what", "status", "is_new", "message"), FAULTS, ids=[f"{n} {w}" for n, w, *_ in FAULTS]
)
def test_an_error_of_the_system_is_told_or_got_around(
    name, what, status, is_new, message, tmp_path
):
    scenario = SCENARIOS["in place"]
    states = outcome(scenario, tmp_path)
    folder = new_folder(tmp_path, "faulty", scenario)
    done = inject(scenario, folder, name, what)
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    assert message in done.stderr
    assert done.stderr.count("\n") == (1 if status else 0)
    assert scenario.state(folder) == states[is_new]
    assert litter(folder) == []


BY_A_CHILD = [name for name, scenario in SCENARIOS.items() if scenario.has_child]


@pytest.mark.parametrize(
    ("call", "what", "message"),
    [
        ("fsync", "error=EIO:when=1", "input/output error; nothing was changed"),
        ("linkat", "error=EIO", "input/output error; nothing was changed"),
        ("pwrite64", "error=EIO", "input/output error; nothing was changed"),
    ],
)
@pytest.mark.parametrize("name", BY_A_CHILD)
def test_an_error_where_a_child_helps_leaves_the_old(name, call, what, message, tmp_path):
    scenario = SCENARIOS[name]
    folder = new_folder(tmp_path, "faulty", scenario)
    old = scenario.state(folder)
    done = inject(scenario, folder, call, what)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert scenario.state(folder) == old
    assert litter(folder) == []


@pytest.mark.parametrize(
    ("call", "when"),
    [
        (call, when)
        for call, count in {"fsync": 9, "linkat": 6, "renameat": 4, "pwrite64": 3}.items()
        for when in range(1, count + 1)
    ],
)
def test_shards_are_all_old_or_all_new_whatever_fails(call, when, tmp_path):
    scenario = SCENARIOS["shards in place"]
    old, new = outcome(scenario, tmp_path)
    folder = new_folder(tmp_path, "faulty", scenario)
    done = inject(scenario, folder, call, f"error=EIO:when={when}")
    state = scenario.state(folder)
    assert state in (old, new)
    assert done.returncode == 2 or state == new
    if state == old:
        assert done.returncode == 2
        assert litter(folder) == []
    scenario.run_again(folder)
    assert litter(folder) == []


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 300 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small disk: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_full_disk_leaves_everything_as_it_was(name, small_disk):
    scenario = SCENARIOS[name]
    scenario.prepare(small_disk)
    big = {"filler": np.zeros(60_000, np.float32)}
    save_file(big, small_disk / "filler")
    before = {path: path.read_bytes() for path in small_disk.rglob("*") if path.is_file()}
    with contextlib.suppress(OSError), (small_disk / "rest").open("wb") as rest:
        while True:
            rest.write(bytes(1000))
            rest.flush()
    done = scenario.run(small_disk)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "no space left on device" in done.stderr
    (small_disk / "rest").unlink()
    assert {path: path.read_bytes() for path in small_disk.rglob("*") if path.is_file()} == before
    assert [
        path for path in small_disk.iterdir() if path.is_dir() and not any(path.iterdir())
    ] == []


@pytest.mark.parametrize("most", [7, 1000])
@pytest.mark.parametrize("name", SCENARIOS)
def test_short_writes_are_gone_on_with(name, most, tmp_path):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler for the library that shortens writes")
    library = tmp_path / "shortwrite.so"
    source = Path(__file__).with_name("shortwrite.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    scenario = SCENARIOS[name]
    whole, folder = (new_folder(tmp_path, name, scenario) for name in ("whole", "short"))
    old = scenario.state(folder)
    undisturbed = scenario.run(whole)
    done = scenario.run(folder, "env", f"LD_PRELOAD={library}", f"SW_MAX={most}")
    assert done.returncode == undisturbed.returncode == 0, done.stderr
    assert done.stdout == undisturbed.stdout
    assert done.stderr.replace(str(folder), str(whole)) == undisturbed.stderr
    assert scenario.state(folder) == scenario.state(whole) != old


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_folder_that_is_read_only_is_left_alone(name, tmp_path):
    scenario = SCENARIOS[name]
    folder = new_folder(tmp_path, "folder", scenario)
    old = scenario.state(folder)
    bound = []
    if os.geteuid() == 0:  # whom nothing is forbidden, but for these
        if shutil.which("setpriv") is None:
            pytest.skip("no setpriv to give up the right to write everywhere")
        bound = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    for path in (folder, folder / "s"):
        if path.exists():
            path.chmod(0o555)
    done = scenario.run(folder, *bound)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "cannot write: permission denied" in done.stderr
    assert scenario.state(folder) == old
    for path in (folder, folder / "s"):
        if path.exists():
            path.chmod(0o755)


def save_h5(values, path):
    with h5py.File(path, "w") as file:
        for name, array in values.items():
            file[name] = array


@pytest.mark.parametrize(
    ("name", "save", "count"), [("m.safetensors", save_file, 12), ("m.h5", save_h5, 6)]
)
def test_writers_at_once_lose_no_update(name, save, count, tmp_path):
    """Every writer that reports success has built on what was there: none undoes another."""
    path = tmp_path / name
    save({"n": np.array(0), "rest": VALUES["a"]}, path)
    command = [sys.executable, "-c", RUN, "set", "-i", str(path), "n=x + 1", "--quiet"]
    writers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(count)]
    errors = [writer.communicate(timeout=60)[1] for writer in writers]
    for writer, error in zip(writers, errors, strict=True):
        assert writer.returncode == (2 if error else 0)
        assert not error or "changed" in error
    successes = sum(writer.returncode == 0 for writer in writers)
    assert successes >= 1
    assert open_checkpoint(path)["n"].numpy() == successes
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_writers_of_one_new_file_do_not_overwrite_each_other(tmp_path):
    source, target = tmp_path / "m.safetensors", tmp_path / "new.safetensors"
    save_file({"n": np.arange(100_000)}, source)
    commands = [
        [sys.executable, "-c", RUN, "set", str(source), f"n={i}", "-o", str(target), "--quiet"]
        for i in range(6)
    ]
    writers = [subprocess.Popen(c, stderr=subprocess.PIPE, text=True) for c in commands]
    errors = [writer.communicate(timeout=60)[1] for writer in writers]
    done = [i for i, writer in enumerate(writers) if writer.returncode == 0]
    assert len(done) == 1
    assert set(load_file(target)["n"]) == set(done)
    assert all("exists already" in error for i, error in enumerate(errors) if i not in done)
    assert litter(tmp_path) == []


LIMITS = [
    ("--nofile=20", "too many open files"),
    ("--fsize=3000", "file too large"),
]


@pytest.mark.parametrize(("limit", "message"), LIMITS)
def test_a_limit_of_the_process_is_told(limit, message, tmp_path):
    if shutil.which("prlimit") is None:
        pytest.skip("no prlimit")
    scenario = SCENARIOS["in place"]
    folder = new_folder(tmp_path, "folder", scenario)
    old = scenario.state(folder)
    done = scenario.run(folder, "prlimit", limit)
    if done.returncode == 0:
        assert scenario.state(folder) != old
        return
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert message in done.stderr
    assert scenario.state(folder) == old
    assert litter(folder) == []
