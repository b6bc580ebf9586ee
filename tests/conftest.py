"""What several test files need: the command line, run as a user runs it."""

import sys
from dataclasses import dataclass

import pytest
from hypothesis import settings

from paraminspect.cli import main

settings.register_profile("unhurried", deadline=None)  # a busy machine is no failure
settings.load_profile("unhurried")


@dataclass(frozen=True)
class Done:
    """What a command has left: its exit status and what it printed."""

    status: int
    out: str
    err: str


@pytest.fixture
def run(monkeypatch, capsys):
    """`run("diff", left, right)`: the console script, in this process; not on a terminal."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["paraminspect", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main.run()
        captured = capsys.readouterr()
        return Done(exit_.value.code, captured.out, captured.err)

    return run
