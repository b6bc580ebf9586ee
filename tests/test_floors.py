"""The rooms of the house, their floors, and who may import what."""

import ast
import graphlib
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
ROOMS = {
    "arrays", "language", "tree", "operations", "formats", "libhdf5", "compute", "frameworks", "init",
    "definition", "report", "cli", "testing",
}  # fmt: skip
BESIDE_THEM = {"__init__", "__main__", "errors", "runtime", "source"}
"""The only modules that stand in no room."""

FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}

OWNERS = {
    "click": ("cli.",),
    "tabulate": ("report.",),
    "yaml": ("definition._yaml",),
    "safetensors": ("formats.safetensors.",),
    "autograd": ("compute.", "frameworks."),
    "h5py": ("libhdf5._child.",),
    "ml_dtypes": ("arrays._dtypes",),
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
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "importlib.import_module":
            text = ast.unparse(node.args[0]).lstrip("f").strip("'\"")
            yield text.partition("{")[0].rstrip(".")


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


def test_the_house_has_these_rooms_and_no_others():
    assert {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()} == ROOMS
    assert {path.stem for path in ROOT.glob("*.py")} == BESIDE_THEM
    assert len(FLOORS) <= 9


def test_no_modules_import_each_other_not_even_for_their_types():
    arrows = {
        name: {i.removeprefix("paraminspect.") for i in _imports(path)} & MODULES.keys() - {name}
        for name, path in MODULES.items()
    }
    try:
        graphlib.TopologicalSorter(arrows).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


@pytest.mark.parametrize("path", sorted(ROOT.rglob("__init__.py")), ids=_name)
def test_a_package_itself_holds_names_only(path):
    """Its docstring, imports and `__all__`; what it does stands in a module of its own.

    The one exception is the whole package: it imports a public name when that is first used, so
    that the command line does not pay for all of them.
    """
    docstring, *rest = ast.parse(path.read_text()).body
    assert isinstance(docstring, ast.Expr)
    others = [
        ast.unparse(node)
        for node in rest
        if not isinstance(node, ast.Import | ast.ImportFrom)
        and not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__")
    ]
    if path.parent == ROOT:
        lazy = ["if TYPE_CHECKING:", "_HOMES = ", "def __getattr__", "def __dir__"]
        others = [other for other in others if not other.startswith(tuple(lazy))]
        others = [other for other in others if not other.startswith("'")]
    assert others == []
