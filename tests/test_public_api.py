"""The public names: one list, and each documented with an example that runs."""

import ast
import doctest
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import paraminspect as pi

ROOT = Path(__file__).parents[1]

NAMES = [
    "ParamInspectError", "Parameter", "ParameterTree", "diff", "initialize", "open", "save", "set",
    "slice", "stats", "tie", "untie",
]  # fmt: skip


def test_the_public_names_stand_in_one_list():
    assert sorted(pi.__all__) == dir(pi) == NAMES
    tree = ast.parse((ROOT / "paraminspect" / "__init__.py").read_text())
    typed = next(node for node in tree.body if isinstance(node, ast.If))
    for_types = {a.asname or a.name for node in typed.body for a in node.names}
    assert for_types == set(NAMES), "what type checkers see"
    with pytest.raises(AttributeError, match="has no attribute 'assign'"):
        _ = pi.assign


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_shown_in_the_readme(name):
    assert f"pi.{name}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_has_an_example_that_runs_and_says_what_it_raises(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    text = inspect.getdoc(getattr(pi, name))
    example = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    assert any(f"pi.{name}" in part.source for part in example.examples)
    assert doctest.DocTestRunner().run(example).failed == 0
    assert name == "ParamInspectError" or "Error`" in text


@pytest.mark.parametrize("name", NAMES)
def test_the_arguments_of_a_public_name_are_typed(name):
    value = inspect.unwrap(getattr(pi, name))
    if inspect.isfunction(value):
        for argument in inspect.signature(value).parameters.values():
            assert argument.annotation is not argument.empty, argument.name


def test_the_package_alone_imports_nothing_that_takes_time():
    code = "import sys, paraminspect; print([m for m in sys.modules if m.startswith('paraminspect.')], 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] False\n"
