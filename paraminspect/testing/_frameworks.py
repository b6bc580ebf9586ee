"""What every framework must do, as checks that its own tests run.

    from paraminspect.testing import Example, check_framework

    def test_it_is_a_framework():
        check_framework(Example("framework: flax\ninput: [4]\nlayers:\n- Dense(3)\n", (2, 4)))

The framework is found by its name, as users find it: the package must be installed, or be one of
ours. The checks need no test framework; with pytest each can be a case of its own:

    @pytest.mark.parametrize("check", FRAMEWORK_CHECKS)
    def test_it_does_what_every_framework_does(check):
        check(EXAMPLE)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from paraminspect.compute import gradients, load_values, run
from paraminspect.definition import load_definition
from paraminspect.definition.model import Model
from paraminspect.frameworks import FRAMEWORKS, frameworks, load_framework, load_modelling
from paraminspect.init.plan import initialize
from paraminspect.init.schemes import parse_scheme
from paraminspect.language import parse_expression
from paraminspect.operations.diff import diff_trees

STEP = 1e-6
"""Of central differences, in float64."""


@dataclass(frozen=True)
class Example:
    """A definition, and the shape of an input with its batch; None where nothing is computed."""

    definition: str
    input: tuple[int, ...] | None = None

    def model(self) -> Model:
        """The model without values."""
        model = load_definition(self.definition.encode(), "example")
        assert isinstance(model, Model)
        return model

    def drawn(self, seed: int = 0) -> Model:
        """The model with values of our own generator."""
        drawn = initialize(self.model(), seed=seed)
        assert isinstance(drawn, Model)
        return drawn

    @property
    def framework(self) -> str:
        """The name of the framework."""
        name = self.model().architecture.framework
        assert name is not None
        return name


def check_framework(example: Example) -> None:
    """Run every check; `AssertionError` or the framework's own error for what fails."""
    for check in FRAMEWORK_CHECKS:
        check(example)


def the_record_is_found_by_its_name_alone(example: Example) -> None:
    """A name is nobody else's, and no other name of ours is one of its aliases."""
    record = load_framework(example.framework)
    assert record.name == example.framework
    others = {one.name for one in frameworks()} - {record.name}
    assert not others & {*record.aliases}
    assert record.name in FRAMEWORKS or record.name in {one.name for one in frameworks()}


def parameters_are_those_of_the_modules(example: Example) -> None:
    """Each name stands in one module, and names what its tie says."""
    model = example.model()
    assert len(model) > 0
    found: list[str] = []
    waiting = [model.structure]
    while waiting:
        module = waiting.pop()
        found += module.parameters.values()
        waiting += module.children.values()
    assert sorted(found) == sorted(model)
    for alias, own in model.ties.items():
        assert model[alias].shape == model[own].shape


def default_schemes_are_understood(example: Example) -> None:
    """The default of every parameter is a scheme, in the words of the framework."""
    words = load_framework(example.framework).words()
    for parameter in example.model().values():
        assert parameter.scheme is not None, f"{parameter.name} has no default scheme"
        parse_scheme(parameter.scheme, words)


def every_parameter_is_drawn(example: Example) -> None:
    """The same seed gives the same finite values, in the shapes of the definition."""
    first, again, other = example.drawn(), example.drawn(), example.drawn(seed=1)
    for name, parameter in first.items():
        values = parameter.numpy()
        assert values.shape == example.model()[name].shape
        assert np.isfinite(values.astype(np.float64)).all(), f"{name} is not finite"
    assert not diff_trees(first, again), "the same seed draws something else"
    assert diff_trees(first, other), "another seed draws the same"


def construction_draws_what_is_listed(example: Example) -> None:
    """What constructing draws, in the framework's order, is every array and nothing unknown."""
    model = example.model()
    construct = model.architecture.construction
    assert construct is not None
    names = [name for drawn in construct({}) for name in drawn.names]
    assert set(names) == {parameter.name for parameter in model.parameters()}


def layers_are_called_as_they_are_written(example: Example) -> None:
    """The call that a layer is listed by makes a layer that is listed by it."""
    _, modelling = load_modelling(example.framework)
    known = {**modelling.layers, **modelling.values}
    waiting = [example.model().structure]
    while waiting:
        module = waiting.pop()
        waiting += module.children.values()
        if module.layer is not None and module.layer.call:
            again = parse_expression(module.layer.call).evaluate({}, known)
            assert str(again) == str(module.layer)


def outputs_have_a_batch(example: Example) -> None:
    """Running gives finite numbers, and examples do not depend on one another."""
    if example.input is None:
        return
    model, x = example.drawn(), _input(example)
    whole = run(model, [x])
    assert whole.shape[0] == x.shape[0]
    assert np.isfinite(whole).all()
    alone = run(model, [x[:1]])
    np.testing.assert_allclose(alone, whole[:1], rtol=1e-4, atol=1e-5)


def gradients_are_slopes(example: Example) -> None:
    """A gradient is what central differences measure, along a random direction."""
    if example.input is None:
        return
    model = example.drawn()
    x, values = _input(example).astype(np.float64), load_values(model, "float64")
    weights = np.random.default_rng(1).standard_normal(run(model, [x], values).shape)

    def loss(moved: dict[str, Any]) -> float:
        return float((run(model, [x], moved) ** 2 * weights).sum())

    y = run(model, [x], values)
    target = y - weights * y  # the slope of mean((y - target)**2) / 2 · size is weights · y
    found = gradients(model, [x], "mse", target, values).total
    rng = np.random.default_rng(2)
    way = {n: rng.standard_normal(g.shape) for n, g in found.items() if g is not None}
    assert way, "no parameter has a gradient"
    slope = sum(float((found[name] * step).sum()) for name, step in way.items())
    ahead, back = (
        loss({**values, **{n: values[n] + sign * STEP * d for n, d in way.items()}})
        for sign in (1, -1)
    )
    np.testing.assert_allclose(slope * y.size, (ahead - back) / (2 * STEP), rtol=1e-4, atol=1e-4)


def _input(example: Example) -> np.ndarray[Any, np.dtype[np.float32]]:
    assert example.input is not None
    return np.random.default_rng(0).standard_normal(example.input).astype(np.float32)


FRAMEWORK_CHECKS: tuple[Callable[[Example], None], ...] = (
    the_record_is_found_by_its_name_alone,
    parameters_are_those_of_the_modules,
    default_schemes_are_understood,
    every_parameter_is_drawn,
    construction_draws_what_is_listed,
    layers_are_called_as_they_are_written,
    outputs_have_a_batch,
    gradients_are_slopes,
)
"""Each raises `AssertionError`, or the error of what failed."""
