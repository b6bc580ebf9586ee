"""What several test files need: the command line, and interpreters that have a framework.

Frameworks run in a subprocess, never in the tests' own.
"""

import functools
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from paraminspect import __main__ as program

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
            program.run()
        captured = capsys.readouterr()
        return Done(exit_.value.code, captured.out, captured.err)

    return run


ROOT = Path(__file__).parents[1]


BESIDE = {"jax": "keras"}
"""Where else a framework is looked for: the Python that was found for another one."""


@functools.cache
def _find(framework: str) -> str | None:
    name = framework.upper()
    named = os.environ.get(f"PARAMINSPECT_{name}_PYTHON")
    beside = _find(BESIDE[framework]) if framework in BESIDE else None
    own = str(ROOT / f".venv-{framework}" / "bin" / "python")
    candidates = [named, own, beside, sys.executable]
    probe = f"import importlib.util as u, sys; sys.exit(u.find_spec({framework!r}) is None)"
    for python in candidates:
        if python and (python == named or Path(python).exists()):
            if subprocess.run([python, "-c", probe], check=False).returncode == 0:
                return python
            if python == named:
                pytest.fail(f"PARAMINSPECT_{name}_PYTHON={named} has no module {framework}")
    return None


@pytest.fixture(scope="session")
def framework_python() -> Callable[[str], str]:
    """`framework_python("torch")`: an interpreter that can import it; skips the test if none can.

    Looked for in this order: the environment variable PARAMINSPECT_TORCH_PYTHON, `.venv-torch` in
    the project root, the running interpreter; JAX also beside Keras.
    """

    def find(framework: str) -> str:
        return _find(framework) or pytest.skip(
            f"no Python with {framework}: set PARAMINSPECT_{framework.upper()}_PYTHON"
        )

    return find
