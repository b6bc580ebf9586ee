"""A module imports only from lower floors, and every module has a floor."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "paraminspect"

FLOORS = [
    ["collector", "errors", "keras_layout", "parallel", "wording"],
    ["libhdf5", "numpy_like"],
    ["arrays", "functions", "syntax"],
    ["indexing", "casting"],
    ["indexed"],
    ["packed", "plausible", "selection", "wide"],
    ["address", "expressions", "distributions", "recipes"],
    ["forward", "generators", "lengths"],
    ["layers"],
    ["tree"],
    ["slicing", "duplicates", "quantization"],
    ["fitting"],
    ["diff", "renaming"],
    ["naming", "stats", "edit"],
    [
        "checkpoint._content",
        "checkpoint._foreign",
        "checkpoint._files",
        "checkpoint._json",
        "checkpoint._signals",
        "checkpoint._lost",
        "checkpoint._kept",
        "checkpoint._hard_links",
    ],
    ["checkpoint._open_folder", "checkpoint._locks", "initializers"],
    [
        "histogram",
        "checkpoint._zip",
        "checkpoint._npy",
        "checkpoint._fortran",
        "checkpoint._new_file",
    ],
    [
        "frameworks",
        "checkpoint._writing",
        "checkpoint._archive_writing",
        "checkpoint._safetensors",
        "checkpoint._hdf5",
        "checkpoint._npz",
    ],
    ["frameworks.pytorch", "frameworks.keras", "frameworks.mxnet", "frameworks.jax"],
    ["checkpoint._transfer", "checkpoint._file_set"],
    [
        "checkpoint._safetensors_writing",
        "checkpoint._npz_writing",
        "checkpoint._hdf5_writing",
    ],
    ["compute"],
    ["model"],
    ["checkpoint._shards", "checkpoint._folder", "checkpoint._keras", "definition"],
    ["checkpoint._shards_writing", "checkpoint._keras_writing"],
    ["checkpoint._saving"],
    ["checkpoint"],
    ["source", "initialization"],
    ["report"],
    ["cli"],
    ["cli.main"],
    ["__init__", "__main__"],
]
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}

OWNERS = {
    "click": ("cli.",),
    "tabulate": ("report.",),
    "yaml": ("definition._yaml",),
    "safetensors": ("checkpoint._safetensors",),
    "autograd": ("compute",),
}


def _name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def _floor(name):
    while name not in FLOOR_OF and "." in name:
        name = name.rpartition(".")[0]
    return FLOOR_OF.get(name)


def _part(name):
    """The package on whose floor all of a part's modules stand; a module alone is its own."""
    while "." in name and name not in FLOOR_OF:
        name = name.rpartition(".")[0]
    return name


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
