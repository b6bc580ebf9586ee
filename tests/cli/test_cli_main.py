"""The contract of every command: exit statuses, one line for an error, help, completion."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import numpy as np
import pytest
from safetensors.numpy import save_file

from paraminspect.cli.main import COMMANDS, main
from paraminspect.cli.progress import CLEAR
from paraminspect.cli.synonyms import OTHER_WORDS, has, meant
from paraminspect.errors import CheckpointError


def fail_with(error):
    """A command that does."""

    @click.command("fail")
    def fail():
        raise error

    return fail


@pytest.fixture
def run_failing(run, monkeypatch):
    """Runs a command that raises: (status, stdout, stderr)."""

    def run_failing(error, *arguments):
        monkeypatch.setitem(sys.modules, "failing", SimpleNamespace(fail=fail_with(error)))
        monkeypatch.setitem(COMMANDS, "fail", ("failing", "fail", "Fails."))
        return run(*arguments, "fail")

    return run_failing


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (CheckpointError("x: what @ where"), 2, "paraminspect: x: what @ where"),
        (CheckpointError("x\n\x1b[31m"), 2, r"paraminspect: x\x0a\x1b[31m"),
        (CheckpointError("x" * 5000), 2, "paraminspect: " + "x" * 1000 + "..."),
        (FileNotFoundError(2, "No such file", "gone"), 2, "paraminspect: gone: No such file"),
        (OSError(28, "No space left"), 2, "paraminspect: standard output: No space left"),
        (MemoryError(), 2, "paraminspect: out of memory"),
        (click.UsageError("bad use"), 2, "paraminspect: bad use"),
        (click.ClickException("no"), 2, "paraminspect: no"),
        (
            ZeroDivisionError("division by zero"),
            70,
            "paraminspect: internal error: ZeroDivisionError: division by zero"
            " (`paraminspect --debug ...` shows where)",
        ),
        (RecursionError("too deep"), 70, "internal error: RecursionError: too deep"),
        (KeyboardInterrupt(), 130, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_every_error_is_one_line_and_a_status(run_failing, error, status, line):
    done = run_failing(error)
    assert (done.status, done.out) == (status, "")
    assert line in done.err
    assert len(done.err.splitlines()) <= 1
    assert "Traceback" not in done.err


@pytest.mark.parametrize("error", [CheckpointError("x"), OSError(5, "x"), ZeroDivisionError("x")])
def test_debug_shows_where_an_error_comes_from(run_failing, error):
    with pytest.raises(type(error)):
        run_failing(error, "--debug")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lst"], "no command 'lst', did you mean 'list'?"),
        (["frobnicate"], "no command 'frobnicate'"),
        (["list", "x", "--sorted"], "No such option '--sorted'"),
        (["list", "x", "--limt", "3"], "--limit"),
        (["list", "x", "--top", "3"], "did you mean '--limit'?"),
        (["list", "x", "--json"], "did you mean '--format json'?"),
        (["convert", "a", "b", "--format", "npz"], "did you mean '--to'?"),
        (["list", "x", "--filter", "w"], "did you mean PATTERN without an option?"),
        (["slice", "x", "-k", "w"], "did you mean ADDRESS without an option?"),
        (["run", "x", "--jsonl"], "No such option '--jsonl'; "),
        (["--nope"], "No such option '--nope'"),
        (["list", "--limit"], "Option '--limit' requires an argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_use_names_the_nearest(run, arguments, message):
    done = run(*arguments)
    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert message in done.err


def test_every_synonym_stands_for_an_option_that_some_command_has_and_is_none_itself():
    commands = [main.get_command(None, name) for name in COMMANDS]
    for ours, theirs in OTHER_WORDS.items():
        having = [command for command in commands if has(ours, command)]
        assert having, ours
        for option in theirs.split():
            assert any(meant(option, command) for command in having), (ours, option)
            assert not all(has(option, command) for command in having), (ours, option)


def test_without_a_command_help_is_shown(run):
    assert run().out == run("--help").out
    assert run().status == 0


def test_help_lists_every_command_and_the_exit_statuses(run):
    page = run("--help").out
    for name, (_, _, line) in COMMANDS.items():
        assert f"  {name} " in page
        assert line in page
    for status in ("0 done", "2 trouble", "70 a bug of ours", "130 interrupted"):
        assert status in " ".join(page.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_examples_and_statuses_in_80_columns(run, command):
    done = run(command, "--help")
    assert (done.status, done.err) == (0, "")
    assert "Examples:" in done.out
    assert f"paraminspect {command} " in done.out
    assert "Exit status: 0" in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    assert run(command, "-h").out == done.out


def test_the_version_is_that_of_the_package(run):
    from importlib.metadata import PackageNotFoundError, version

    try:
        expected = version("paraminspect")
    except PackageNotFoundError:
        pytest.skip("not installed")
    assert run("--version").out.split()[-1] == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands_options_and_choices(shell):
    def python(**environment):
        return subprocess.run(
            [sys.executable, "-c", "from paraminspect.__main__ import run; run()"],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        ).stdout

    assert "paraminspect" in python(_PARAMINSPECT_COMPLETE=f"{shell}_source")
    words = {
        "paraminspect li": "list",
        "paraminspect list --dep": "--depth",
        "paraminspect list x --format js": "jsonl",
    }
    for line, expected in words.items():
        last = line.split()[-1]
        position = last if shell == "fish" else str(len(line.split()) - 1)
        completed = python(
            _PARAMINSPECT_COMPLETE=f"{shell}_complete", COMP_WORDS=line, COMP_CWORD=position
        )
        assert expected in completed


def test_an_interrupt_ends_work_that_lasts(tmp_path):
    nbytes = 1 << 33
    entry = {"w": {"dtype": "U8", "shape": [nbytes], "data_offsets": [0, nbytes]}}
    header = json.dumps(entry).encode()
    path = tmp_path / "big.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    os.truncate(path, 8 + len(header) + nbytes)  # a hole: it takes no room and long to read
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "paraminspect", "list", "--stats", str(path)],
        stdout=subprocess.DEVNULL,
        stderr=follower,
    )
    os.close(follower)
    assert b"reading" in os.read(leader, 1000)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    left = os.read(leader, 1 << 16).decode()
    os.close(leader)
    assert left.rstrip().endswith(CLEAR.rstrip())
    assert "Traceback" not in left


def test_a_full_disk_is_one_line(tmp_path):
    save_file({"w": np.ones(2, np.float32)}, tmp_path / "m.safetensors")
    full_disk = Path("/dev/full")
    if not full_disk.exists():
        pytest.skip("no /dev/full")
    with full_disk.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "paraminspect", "list", str(tmp_path / "m.safetensors")],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (
        2,
        "paraminspect: standard output: No space left on device\n",
    )


@pytest.mark.parametrize(
    ("source", "absent"),
    [
        (None, {"numpy", "h5py", "yaml", "tabulate", "safetensors", "ml_dtypes", "autograd"}),
        ("mlp.yaml", {"numpy", "h5py", "tabulate", "safetensors", "ml_dtypes", "autograd"}),
        ("m.safetensors", {"numpy", "h5py", "tabulate", "yaml", "ml_dtypes", "autograd"}),
    ],
)
def test_help_and_list_import_only_what_the_source_needs(source, absent, tmp_path):
    (tmp_path / "mlp.yaml").write_text("framework: pytorch\nlayers:\n  - Linear(4, 8)\n")
    save_file({"w": np.ones(2, np.float32)}, tmp_path / "m.safetensors")
    arguments = ["--help"] if source is None else ["list", source]
    code = (
        "import sys; from paraminspect.__main__ import run\n"
        f"sys.argv = ['paraminspect', *{arguments!r}]\n"
        "try: run()\n"
        "finally: print(*{m.partition('.')[0] for m in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Usage:" if source is None else "name")
    assert not set(done.stderr.split()) & (absent | {"concurrent", "logging", "signal"})


@pytest.mark.parametrize(
    ("closed", "arguments", "status", "message"),
    [
        (">&-", "list m.safetensors", 2, "paraminspect: standard output: Bad file descriptor"),
        (">&-", "list none.safetensors", 2, "paraminspect: none.safetensors: cannot open"),
        (">&-", "diff -q m.safetensors m.safetensors", 0, ""),
        ("<&-", "list -", 2, "paraminspect: -: the definition is empty"),
        ("2>&-", "list none.safetensors", 2, ""),
        ("<&- >&- 2>&-", "set -i m.safetensors w=3", 2, ""),
        ("<&- >&- 2>&-", "set -i -q m.safetensors w=3", 0, ""),
    ],
)
def test_closed_standard_streams_are_no_crash(tmp_path, closed, arguments, status, message):
    save_file({"w": np.ones(2, np.float32)}, tmp_path / "m.safetensors")
    done = subprocess.run(
        f"{sys.executable} -m paraminspect {arguments} {closed}",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (status, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == bool(message)


@pytest.mark.parametrize(
    "arguments",
    [
        ["convert", "m.safetensors"],
        ["set", "m.safetensors", "w=3", "-o"],
        ["slice", "m.safetensors", "w", "-o"],
        ["run", "m.yaml", "--seed", "0", "--input", "ones(1, 2)", "-o"],
        ["grad", "m.yaml", "--seed", "0", "--input", "ones(1, 2)", "-o"],
    ],
    ids=lambda arguments: arguments[0],
)
@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("-", "- is no file: results are not written to standard output (./- is a file)"),
        ("", "the name of the file to write is empty"),
        ("out/", "out/: there is no such folder"),
    ],
)
def test_what_names_no_file_is_not_written(run, tmp_path, monkeypatch, arguments, target, message):
    monkeypatch.chdir(tmp_path)
    save_file({"w": np.ones(2, np.float32)}, "m.safetensors")
    Path("m.yaml").write_text("framework: pytorch\nlayers: [Linear(2, 2)]\n")
    done = run(*arguments, target)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"paraminspect: {message}")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.safetensors", "m.yaml"]
