"""From the texts of schemes to distributions, with what is known of each parameter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from paraminspect.arrays import Shape
from paraminspect.errors import CheckpointError, ParamInspectError, SchemeError
from paraminspect.formats import open_array
from paraminspect.frameworks import load_words
from paraminspect.init.distributions import Distribution, Stored, is_random
from paraminspect.init.fans import fans_of
from paraminspect.init.schemes import Scheme, SchemeFunction, Target, parse_scheme
from paraminspect.tree import Parameter
from paraminspect.tree.layers import Fans, Spec

FILE_SIGN = "@"
"""Begins a scheme that is a file: `0.weight=@values.npy`."""


def spec_of(parameter: Parameter, shape: Shape, scheme: str, fans: Fans | None = None) -> Spec:
    """A parameter, or a part of another shape, as something to draw."""
    return Spec(shape, scheme, fans or parameter.fans, parameter.layout, parameter.dtype)


class Resolver:
    """From the texts of schemes in the words of a framework to distributions; each parsed once."""

    def __init__(
        self, framework: str | None, layout: str | None, functions: Mapping[str, SchemeFunction]
    ) -> None:
        self._words = load_words(framework)
        self._layout = layout
        self._functions = functions
        self._parsed: dict[str, Scheme] = {}

    def distribution(self, name: str, spec: Spec) -> Distribution:
        """What a parameter is drawn from; errors begin with its name."""
        target = Target(spec.shape, spec.fans, spec.layout or self._layout)
        try:
            return self._scheme(spec.scheme)(target)
        except ParamInspectError as error:
            raise error.at(name) from None

    def fans(self, parameter: Parameter) -> Fans | None:
        """The fans of a whole parameter, where they are known."""
        if parameter.fans is not None or self._layout is None:
            return parameter.fans
        try:
            return fans_of(parameter.shape, parameter.layout or self._layout)
        except SchemeError:
            return None

    def is_drawn(self, parameter: Parameter) -> bool:
        """Whether the default is drawn at random, as far as is known."""
        if parameter.scheme is None:
            return True
        spec = spec_of(parameter, parameter.shape, parameter.scheme)
        return is_random(self.distribution(parameter.name, spec))

    def _scheme(self, text: str) -> Scheme:
        if text not in self._parsed:
            if text.startswith(FILE_SIGN):
                self._parsed[text] = _of_file(text.removeprefix(FILE_SIGN))
            else:
                self._parsed[text] = parse_scheme(text, self._words, self._functions)
        return self._parsed[text]


def _of_file(path: str) -> Scheme:
    """The values of a `.npy` file, for parameters of just its shape."""
    if not path:
        raise SchemeError(f"expected {FILE_SIGN}FILE.npy, got {FILE_SIGN} alone")
    try:
        array = open_array(Path(path))
    except CheckpointError as error:
        raise SchemeError(str(error)) from None

    def apply(target: Target) -> Distribution:
        if array.shape != target.shape:
            raise SchemeError(f"{path} has shape {list(array.shape)}, not {list(target.shape)}")
        return Stored(array, path)

    return apply
