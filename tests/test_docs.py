"""The README is executed: its commands print what it shows, its Python says what it says."""

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "sample_models").glob("*.md"))]


def blocks(page, language):
    """`(line, text)` of the fenced blocks of a language."""
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield text.count("\n", 0, found.start()) + 2, found[1]


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


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder that holds what a reader has after cloning: the sample models."""
    place = tmp_path_factory.mktemp("reader")
    shutil.copytree(ROOT / "sample_models", place / "sample_models")
    return place


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name + "/" + page.name)
def test_the_commands_of_a_page_print_what_it_shows(page, folder):
    scripts = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
    }
    status = 0
    for line, block in blocks(page, "console"):
        for command, expected in steps(block):
            if command.startswith("make "):
                continue  # what the reader has done to get here
            done = subprocess.run(
                ["bash", "-c", f"(exit {status}); {command}"],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                check=False,
            )
            status = done.returncode
            shown = f"{page.name}:{line}: $ {command}\n{done.stdout}"
            assert as_pattern(expected).fullmatch(done.stdout), shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name + "/" + page.name)
def test_the_python_of_a_page_gives_what_it_shows(page, folder, monkeypatch):
    monkeypatch.chdir(folder)
    names = {}
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(verbose=False, optionflags=flags)
    for line, block in blocks(page, "pycon"):
        test = doctest.DocTestParser().get_doctest(block, names, page.name, str(page), line - 1)
        report = []
        runner.run(test, out=report.append, clear_globs=False)
        names.update(test.globs)
        assert not report, "".join(report)
