"""The README is executed: its commands print what it shows, its Python says what it says."""

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from paraminspect.cli.main import COMMANDS

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "sample_models").glob("*.md"))]


def blocks(page):
    """`(line, language, text)` of the blocks that are run, in the order of the page."""
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"^```(console|pycon)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield text.count("\n", 0, found.start()) + 2, found[1], found[2]


def steps(block):
    """`(command, expected output)` of a console block; a trailing backslash continues a command."""
    command, expected = "", []
    for line in block.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, expected
            command, expected = line[2:], []
        elif command.endswith("\\") and not expected:
            command = f"{command}\n{line}"
        else:
            expected.append(line)
    yield command, expected


def as_pattern(expected):
    """The output literally; a line `...` stands for any number of lines."""
    lines = [r"(?:.*\n)*?" if e == "..." else re.escape(e.rstrip()) + r" *\n" for e in expected]
    return re.compile("".join(lines))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder that holds what a reader has after cloning: the sample models."""
    shutil.copytree(ROOT / "sample_models", tmp_path / "sample_models")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name + "/" + page.name)
def test_a_page_shows_what_its_commands_and_its_python_give(page, folder):
    status, names = 0, {}
    for line, language, block in blocks(page):
        if language == "pycon":
            check_python(page, line, block, names)
            continue
        for command, expected in steps(block):
            if not command.startswith("make "):  # what the reader has done to get here
                status = check_command(page, line, command, expected, status)


def check_command(page, line, command, expected, status):
    scripts = Path(sys.executable).parent
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", f"(exit {status}); {command}"],
        env={**os.environ, "PATH": path, "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    shown = f"{page.name}:{line}: $ {command}\n{done.stdout}"
    assert as_pattern(expected).fullmatch(done.stdout), shown
    return done.returncode


def check_python(page, line, block, names):
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(verbose=False, optionflags=flags)
    test = doctest.DocTestParser().get_doctest(block, names, page.name, str(page), line - 1)
    report = []
    runner.run(test, out=report.append, clear_globs=False)
    names.update(test.globs)
    assert not report, "".join(report)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_shown_in_the_readme(command):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"^\$ (.*[|;&] *)?paraminspect {command}\b", readme, re.MULTILINE)
