"""The library says which argument would allow something, the command line which option."""

import ast
import re
from pathlib import Path

import pytest

import paraminspect
from paraminspect.cli.main import COMMANDS, main
from paraminspect.cli.ways import OPTIONS, spell_option
from paraminspect.errors import CheckpointError

ROOT = Path(paraminspect.__file__).parent
MODULES = {str(path.relative_to(ROOT)): path for path in sorted(ROOT.rglob("*.py"))}

OF_OTHER_PROGRAMS = "formats/_foreign.py"
"""Says how other programs make files that are read: with their options."""


def test_a_refusal_names_the_option(run, tmp_path, monkeypatch):
    def refuse(*_):
        raise CheckpointError("exists already").at("m.npz").unless(overwrite=True)

    monkeypatch.setattr("paraminspect.cli.list.open_source", refuse)
    assert run("list", "x").err == "paraminspect: m.npz: exists already; use --force\n"


@pytest.mark.parametrize(
    ("argument", "value", "option"),
    [
        ("overwrite", True, "--force"),
        ("unsafe", True, "--cast unsafe"),
        ("rng", "native", "--rng native"),
        ("dtype", ..., "--dtype DTYPE"),
        ("exclude", ["a.b", "c*"], "--exclude a.b --exclude 'c*'"),
    ],
)
def test_an_argument_is_spelled_as_an_option(argument, value, option):
    assert spell_option(argument, value) == option


def test_every_argument_that_an_error_names_has_an_option_and_every_option_is_one():
    named = {
        keyword.arg
        for path in MODULES.values()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "unless"
        for keyword in node.keywords
    }
    assert named <= OPTIONS.keys()
    known = {
        option
        for name in COMMANDS
        for parameter in main.get_command(None, name).params
        for option in parameter.opts
    }
    for text in OPTIONS.values():
        assert set(re.findall(r"--[a-z-]+", text)) <= known, text


@pytest.mark.parametrize("name", MODULES)
def test_no_text_of_the_library_names_an_option(name):
    if name.startswith(("cli/", OF_OTHER_PROGRAMS)):
        return
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not re.search(r"(?<![-\w])--[a-z]", node.value), (name, node.value)
