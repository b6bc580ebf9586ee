"""The guide is followed: each "Add a …" is done as it says, in a copy, and its commands are run.

A Python block names its place in its first line: `# FILE` is a new file (or the end of one that is
there), `# FILE, in TABLE` a line of a table, `# FILE, before NAME` comes before a definition. A
TOML block has the entry points of another package.
"""

import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest
from pages import as_pattern, blocks, check_python, steps
from test_floors import FLOORS

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "CONTRIBUTING.md"
PLACE = re.compile(r"# (?P<file>\S+\.py)(?:, (?P<how>in|before) (?P<what>.+))?\n")
OPENERS = ("(", "[", "{")


def sections():
    """Title to blocks of each section that adds something."""
    text = GUIDE.read_text(encoding="utf-8")
    lines = {
        text.count("\n", 0, m.start()) + 1: m[1] for m in re.finditer("^##+ (.*)$", text, re.M)
    }
    found = {}
    for line, language, block in blocks(GUIDE, ("python", "toml", "console", "pycon")):
        title = lines[max(begun for begun in lines if begun < line)]
        if title.startswith("Add "):
            found.setdefault(title, []).append((line, language, block))
    return found


SECTIONS = sections()


def follow(folder, block):
    """Write a Python block where it says."""
    place = PLACE.match(block)
    assert place, block
    code = block[place.end() :]
    inside = place["file"].startswith("paraminspect/")
    path = folder / place["file"] if inside else folder / "site" / place["file"]
    if place["how"] == "in":
        path.write_text(with_line(path.read_text(), place["what"], code))
    elif place["how"] == "before":
        definition = re.compile(rf"^{place['what']}\b", re.MULTILINE)
        path.write_text(definition.sub(lambda found: f"{code}\n\n{found[0]}", path.read_text(), 1))
    else:
        path.parent.mkdir(exist_ok=True)
        path.write_text((path.read_text() + "\n\n" if path.exists() else "") + code)


def with_line(text, table, code):
    """The text with a first line in a table, which begins where its brackets open."""
    lines = text.splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if line.strip().startswith(table))
    while lines[at].rstrip().endswith(OPENERS):
        at += 1
    indentation = re.match(" *", lines[at])[0]
    return "".join([*lines[:at], textwrap.indent(code, indentation), *lines[at:]])


def offer(folder, block):
    """Install the entry points of a TOML block as those of a package called `yours`."""
    package = folder / "site" / "yours-1.dist-info"
    package.mkdir(parents=True, exist_ok=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: yours\nVersion: 1\n")
    groups = tomllib.loads(block)["project"]["entry-points"]
    text = "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        for group, points in groups.items()
    )
    (package / "entry_points.txt").write_text(text)


@pytest.mark.parametrize("title", SECTIONS)
def test_the_guide_is_followed(title, tmp_path):
    blocks_of_section = SECTIONS[title]
    assert blocks_of_section[-1][1] in ("console", "pycon"), "it shows no result"
    shutil.copytree(ROOT / "paraminspect", tmp_path / "paraminspect")
    shutil.copytree(ROOT / "sample_models", tmp_path / "sample_models")
    for line, language, block in blocks_of_section:
        if language == "python":
            follow(tmp_path, block)
        elif language == "toml":
            offer(tmp_path, block)
        elif language == "pycon":
            check_python(GUIDE, line, block, {})
        else:
            for command, expected in steps(block):
                shown = run(tmp_path, command)
                place = f"{GUIDE.name}:{line}: $ {command}\n{shown}"
                assert as_pattern(expected).fullmatch(shown), place


def run(folder, command):
    """What a command prints that is run by the copy, with the packages in `site` installed."""
    path = f"{folder}{os.pathsep}{folder / 'site'}"
    script = f'paraminspect() {{ "{sys.executable}" -m paraminspect "$@"; }}\n'
    script += f'pytest() {{ "{sys.executable}" -m pytest "$@"; }}\n{command}'
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return done.stdout


def test_the_guide_adds_one_of_each():
    whats = {"command", "scheme", "layer", "dtype", "format", "framework"}
    assert whats == {title.split()[-1] for title in SECTIONS}


PAGES = [GUIDE, ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("paraminspect/**/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link


def test_every_package_says_what_it_is():
    packages = {path.parent for path in ROOT.glob("paraminspect/*/__init__.py")} - {
        ROOT / "paraminspect" / "testing"
    }
    assert {package.name for package in packages if not (package / "README.md").exists()} == set()


def test_the_guide_shows_the_floors():
    shown = re.findall(r"^\d  (.+)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [line.split("  ") for line in shown] == FLOORS[::-1]
