"""The README is executed: its commands print what it shows, its Python says what it says."""

import re
import shutil
from pathlib import Path

import pytest
from pages import blocks, check_command, check_python, steps

from paraminspect.cli.main import COMMANDS

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "sample_models").glob("*.md"))]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder that holds what a reader has after cloning: the sample models."""
    shutil.copytree(ROOT / "sample_models", tmp_path / "sample_models")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name + "/" + page.name)
def test_a_page_shows_what_its_commands_and_its_python_give(page, folder):
    names = {}
    for line, language, block in blocks(page, ("console", "pycon")):
        if language == "pycon":
            check_python(page, line, block, names)
            continue
        for command, expected in steps(block):
            if not command.startswith("make "):  # what the reader has done to get here
                check_command(f"{page.name}:{line}", command, expected)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_shown_in_the_readme(command):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"^\$ (.*[|;&] *)?paraminspect {command}\b", readme, re.MULTILINE)
