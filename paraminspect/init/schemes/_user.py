"""Schemes that users write in Python: functions that make an array, by name.

    def spiral(rng, shape, turns=3): ...        # as a scheme: spiral(turns=5)

A function takes what it names of `rng` (a `numpy.random.Generator` keyed by seed and parameter),
`shape`, `fan_in`, `fan_out`, and arguments of its own; it returns an array of that shape.
"""

from __future__ import annotations

import functools
import inspect
import runpy
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from paraminspect.errors import SchemeError
from paraminspect.init.distributions import Custom, Distribution
from paraminspect.init.schemes._target import Scheme, Target

GROUP = "paraminspect.schemes"
"""The entry-point group in which a package offers functions by name."""

GIVEN = ("rng", "shape", "fan_in", "fan_out")
"""Arguments that we pass to a function."""

Function = Callable[..., Any]


class UserFunctions(Mapping[str, Callable[..., Scheme]]):
    """Schemes of installed packages and of one file, each loaded when it is first used."""

    def __init__(self, plugin: Path | None = None) -> None:
        self._installed = {point.name: point for point in entry_points(group=GROUP)}
        self._own = {} if plugin is None else functions_in_file(plugin)

    def __getitem__(self, name: str) -> Callable[..., Scheme]:
        if name in self._own:
            return user_scheme(self._own[name])
        return user_scheme(_loaded(self._installed[name]))

    def __iter__(self) -> Iterator[str]:
        return iter({**self._installed, **self._own})

    def __len__(self) -> int:
        return len({**self._installed, **self._own})


def functions_in_file(path: Path) -> dict[str, Function]:
    """The functions that a Python file defines; the file is run."""
    if not path.is_file():
        raise SchemeError(f"{path}: no such file")
    try:
        found = runpy.run_path(str(path), run_name=f"{GROUP}.plugin")
    except (Exception, SystemExit) as error:
        raise SchemeError(f"{path}: {type(error).__name__}: {error}") from error
    functions: dict[str, Function] = {
        name: value
        for name, value in found.items()
        if inspect.isfunction(value)
        and value.__module__ == f"{GROUP}.plugin"
        and not name.startswith("_")
    }
    if not functions:
        raise SchemeError(f"{path}: it defines no function: `def my_scheme(rng, shape): ...`")
    return functions


def _loaded(point: EntryPoint) -> Function:
    try:
        function = point.load()
    except Exception as error:
        raise SchemeError(f"{point.name} of {GROUP}: {type(error).__name__}: {error}") from error
    if not callable(function):
        raise SchemeError(f"{point.name} of {GROUP} is not a function")
    loaded: Function = function
    return loaded


def user_scheme(function: Function) -> Callable[..., Scheme]:
    """A scheme that takes the function's own arguments; one that this made is given back."""
    if hasattr(function, "made_by_user_scheme"):
        return function
    parameters = inspect.signature(function).parameters
    own = [p for name, p in parameters.items() if name not in GIVEN]

    @functools.wraps(function)
    def make(*arguments: Any, **keywords: Any) -> Scheme:
        bound = make.__signature__.bind(*arguments, **keywords)  # type: ignore[attr-defined]

        def apply(target: Target) -> Distribution:
            wanted = {n: _given(n, target) for n in parameters if n in GIVEN and n != "rng"}
            given = {**wanted, **bound.arguments}
            return Custom(functools.partial(_called, function, given, "rng" in parameters))

        return apply

    make.__signature__ = inspect.Signature(own)  # type: ignore[attr-defined]
    vars(make)["made_by_user_scheme"] = True
    return make


def _called(function: Function, given: Mapping[str, Any], takes_rng: bool, rng: Any) -> Any:
    try:
        return function(**given, **({"rng": rng} if takes_rng else {}))
    except (Exception, SystemExit) as error:
        name = getattr(function, "__name__", type(function).__name__)
        raise SchemeError(f"{name}: {type(error).__name__}: {error}") from error


def _given(name: str, target: Target) -> Any:
    return target.shape if name == "shape" else getattr(target.known_fans, name)
