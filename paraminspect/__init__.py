"""paraminspect: `ls`, `cut`, `sed`, `ln` and `diff` for the parameters of neural networks.

    import paraminspect as pi

    net = pi.open("model.yaml")        # or a checkpoint
    net[2].parameters(), net["2.bias"].data, net.select("*.bias")

A name is imported when it is first used: the command line must not pay for all of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paraminspect.errors import ParamInspectError
    from paraminspect.formats import save_checkpoint as save
    from paraminspect.init.plan import initialize
    from paraminspect.operations.diff import diff_trees as diff
    from paraminspect.operations.edit import set_values as set  # noqa: A004 (as pi.open)
    from paraminspect.operations.slicing import slice_tree as slice  # noqa: A004 (as pi.open)
    from paraminspect.operations.stats import tree_stats as stats
    from paraminspect.operations.tying import tie, untie
    from paraminspect.source import open_source as open  # noqa: A004 (pi.open is its public name)
    from paraminspect.tree import Parameter, ParameterTree

__all__ = [
    "ParamInspectError",
    "Parameter",
    "ParameterTree",
    "diff",
    "initialize",
    "open",
    "save",
    "set",
    "slice",
    "stats",
    "tie",
    "untie",
]

_HOMES = {
    "ParamInspectError": ("errors", "ParamInspectError"),
    "Parameter": ("tree", "Parameter"),
    "ParameterTree": ("tree", "HeldTree"),
    "diff": ("operations.diff", "diff_trees"),
    "initialize": ("init.plan", "initialize"),
    "open": ("source", "open_source"),
    "save": ("formats", "save_checkpoint"),
    "set": ("operations.edit", "set_values"),
    "slice": ("operations.slicing", "slice_tree"),
    "stats": ("operations.stats", "tree_stats"),
    "tie": ("operations.tying", "tie"),
    "untie": ("operations.tying", "untie"),
}
"""Public name to (module, name there)."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, inside = _HOMES[name]
    value = getattr(importlib.import_module(f"{__name__}.{module}"), inside)
    if not isinstance(value, type):
        from paraminspect.tree import for_users

        value = for_users(value)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
