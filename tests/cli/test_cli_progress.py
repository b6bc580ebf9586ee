"""Work that lasts shows on a terminal how far it is, and nowhere else."""

import io
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file

import paraminspect.cli.progress
from paraminspect.cli.progress import CLEAR, progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass as a test says."""
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(paraminspect.cli.progress.time, "monotonic", lambda: now.seconds)
    return now


def test_work_that_lasts_shows_a_bar_on_a_terminal_and_clears_it(monkeypatch, clock):
    monkeypatch.setattr("sys.stderr", Terminal())
    with progress("reading", 4096) as advance:
        advance(512)
        assert sys.stderr.getvalue() == ""
        clock.seconds += 0.6
        advance(512)
    shown = sys.stderr.getvalue()
    assert "reading  25% [######..................] 1 KiB of 4 KiB, 2 s left" in shown
    assert shown.endswith("\r\x1b[K")


@pytest.mark.parametrize(("stream", "seconds"), [(Terminal, 0.1), (io.StringIO, 60)])
def test_short_work_and_pipes_show_nothing(stream, seconds, monkeypatch, clock):
    monkeypatch.setattr("sys.stderr", stream())
    with progress("reading", 100) as advance:
        clock.seconds += seconds
        advance(50)
    assert sys.stderr.getvalue() == ""


COMMANDS = {
    "list": ("reading", ["list", "--stats", "{0}"]),
    "diff": ("comparing", ["diff", "{0}", "{1}"]),
    "find": ("reading", ["tie", "--find", "{0}"]),
    "set": ("writing", ["set", "{0}", "w.*=x + 1", "-i"]),
    "dry": ("checking", ["set", "{0}", "w.*=x + 1", "-i", "--dry-run"]),
    "tie": ("writing", ["tie", "{0}", "w.1", "w.2", "-o", "{1}", "--force"]),
    "init": ("writing", ["init", "{0}", "--rule", "*=zeros", "--seed", "0", "-i"]),
    "safetensors": ("writing", ["convert", "--dtype", "f64", "{0}", "new.safetensors"]),
    "npz": ("writing", ["convert", "{0}", "new.npz"]),
    "hdf5": ("writing", ["convert", "{0}", "new.h5"]),
    "shards": ("writing", ["convert", "{0}", "new", "--max-shard-size", "4MB"]),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_tell_how_far_they_are(name, run, tmp_path, monkeypatch):
    (tmp_path / "new").mkdir()
    monkeypatch.chdir(tmp_path)
    files = ["one.safetensors", "two.safetensors"]
    rng = np.random.default_rng(0)
    for path in files:
        arrays = {f"w.{i}": rng.random(1 << 20, np.float32) for i in range(8)}
        save_file({**arrays, "copy": arrays["w.7"]}, path)
    monkeypatch.setattr(paraminspect.cli.progress, "DELAY_SECONDS", 0)
    monkeypatch.setattr(paraminspect.cli.progress, "INTERVAL_SECONDS", 0)
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    verb, arguments = COMMANDS[name]
    assert run(*(text.format(*files) for text in arguments)).status in (0, 1)
    shown = terminal.getvalue()
    assert re.search(rf"{verb} +[1-9]", shown)
    assert shown.endswith(CLEAR)
