"""A module imports only from lower floors, and every module has a floor."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "paraminspect"

FLOORS = [
    ["errors", "runtime"],
    ["arrays", "language", "libhdf5"],
    ["tree"],
    ["compute", "operations"],
    ["formats", "init"],
    ["frameworks"],
    ["definition", "formats.keras", "init.plan"],
    ["report", "source"],
    ["__init__", "__main__", "cli", "testing"],
]
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}

OWNERS = {
    "click": ("cli.",),
    "tabulate": ("report.",),
    "yaml": ("definition._yaml",),
    "safetensors": ("formats.safetensors.",),
    "autograd": ("compute", "frameworks."),
}


def _name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


ENTRY = {"__main__": "cli"}
"""A module that only starts what stands on its own floor."""


MODULES = {_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def _floor(name):
    while name not in FLOOR_OF and "." in name:
        name = name.rpartition(".")[0]
    return FLOOR_OF.get(name)


def _part(name):
    """The package on whose floor all of a part's modules stand; a module alone is its own."""
    while "." in name and name not in FLOOR_OF:
        name = name.rpartition(".")[0]
    return ENTRY.get(name, name)


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            below = [f"{node.module}.{alias.name}" for alias in node.names]
            for full in below:
                inside = full.removeprefix("paraminspect.")
                yield (
                    full if full.startswith("paraminspect.") and inside in MODULES else node.module
                )
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("name", MODULES)
def test_every_module_has_a_floor_and_imports_only_from_lower_ones(name):
    mine = _floor(name)
    assert mine is not None, f"{name} has no floor: where does it belong?"
    for imported in _imports(MODULES[name]):
        if imported.startswith("paraminspect."):
            inside = imported.removeprefix("paraminspect.")
            one_part = _part(inside) == _part(name) and _floor(inside) == mine
            assert _floor(inside) < mine or one_part, (name, inside)


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_is_imported_only_by_its_owner(library):
    users = {
        n for n, path in MODULES.items() if library in {i.split(".")[0] for i in _imports(path)}
    }
    assert users
    assert all(user.startswith(OWNERS[library]) for user in users), users
