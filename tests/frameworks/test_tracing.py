"""Shapes through a forward are those that computing it gives."""

import importlib
import inspect

import numpy as np
import pytest

from paraminspect.definition import load_definition
from paraminspect.errors import DefinitionError, ExpressionError
from paraminspect.frameworks import defined, load_computation
from paraminspect.frameworks._tracing import Traced

BATCH = 7
FRAMEWORKS = defined()
ARGUMENTS = {
    "softmax": {"dim": 1, "axis": -1},
    "log_softmax": {"dim": 1, "axis": -1},
    "softmin": {"dim": 1},
    "cumsum": {"dim": 1},
    "threshold": {"threshold": 0.1, "value": 2.0, "default_value": 2.0},
    "prelu": {"weight": np.ones(1)},
    "roll": {"shifts": 1, "shift": 1},
    "flip": {"dims": (0,)},
    "full_like": {"fill_value": 2.0},
    "clip": {"a_min": 0.1, "a_max": 2.0},
    "cast": {"dtype": "float32"},
    "activation": {"act_type": "relu"},
}
"""What a function takes besides its first argument, by any framework's name."""


def of(framework):
    """The functions of a framework, and what they do to shapes."""
    module = importlib.import_module(f"paraminspect.frameworks.{framework}._functions")
    return load_computation(framework).bounded_functions, module


def shape_of(traced):
    return None if traced.shape is None else (BATCH, *traced.shape)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_function_has_a_rule(framework):
    functions, shapes = of(framework)
    assert shapes.RULES.keys() == functions.keys()


ALIKE = [(f, name) for f in FRAMEWORKS for name in of(f)[1].ALIKE]


@pytest.mark.parametrize(("framework", "name"), ALIKE, ids=["-".join(case) for case in ALIKE])
def test_functions_of_one_array_keep_its_shape(framework, name):
    functions, shapes = of(framework)
    known = inspect.signature(functions[name]).parameters
    others = {n: value for n, value in ARGUMENTS.get(name, {}).items() if n in known}
    x = np.full((BATCH, 3, 4), 1.0 if name.endswith("cosh") else 0.5)
    computed = functions[name](x, **others)
    assert shape_of(shapes.RULES[name](Traced((3, 4)), **others)) == computed.shape
    first = next(iter(known))
    assert shape_of(shapes.RULES[name](**{first: Traced((3, 4))}, **others)) == computed.shape


@pytest.mark.parametrize(
    ("one", "other"), [((3, 4), (3, 4)), ((3, 4), (1, 4)), ((3, 1), (1, 4)), ((1, 3, 4), (2, 1, 1))]
)
def test_values_computed_together_have_the_shape_of_both(one, other):
    left, right = np.ones((BATCH, *one)), np.ones((BATCH, *other))
    assert shape_of(Traced(one) + Traced(other)) == (left + right).shape
    assert shape_of(2 * Traced(one) - 1) == left.shape
    for framework in FRAMEWORKS:
        functions, shapes = of(framework)
        for name in ("maximum", "where"):
            ahead = [left > 0] if name == "where" else []
            computed = functions[name](*ahead, left, right)
            traced = shapes.RULES[name](*(Traced(one) for _ in ahead), Traced(one), Traced(other))
            assert shape_of(traced) == computed.shape


JOINTS = [
    ("pytorch", "cat", "dim"),
    ("pytorch", "concatenate", "dim"),
    ("keras", "concatenate", "axis"),
    ("mxnet", "concatenate", "axis"),
]


@pytest.mark.parametrize(("framework", "name", "axis"), JOINTS)
@pytest.mark.parametrize(("place", "other"), [(1, (5, 4)), (2, (3, 9)), (-1, (3, 9)), (-2, (5, 4))])
def test_arrays_are_joined_along_an_axis_that_counts_the_batch(framework, name, axis, place, other):
    functions, shapes = of(framework)
    both = [np.ones((BATCH, 3, 4)), np.ones((BATCH, *other))]
    joined = functions[name](both, **{axis: place})
    traced = [Traced((3, 4)), Traced(other)]
    assert shape_of(shapes.RULES[name](traced, **{axis: place})) == joined.shape
    assert shape_of(shapes.RULES[name](traced, place)) == joined.shape


def test_mxnet_joins_its_arguments_along_the_second_axis():
    functions, shapes = of("mxnet")
    joined = functions["concat"](np.ones((BATCH, 3, 4)), np.ones((BATCH, 5, 4)))
    assert shape_of(shapes.RULES["concat"](Traced((3, 4)), Traced((5, 4)))) == joined.shape


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ExpressionError, match=r"shapes \[3, 4\] and \[3, 5\] do not fit"):
        Traced((3, 4)) * Traced((3, 5))
    with pytest.raises(ExpressionError, match=r"\[3, 4\] and \[4, 4\] differ beside axis 2"):
        of("pytorch")[1].RULES["cat"]([Traced((3, 4)), Traced((4, 4))], dim=2)


def definition(framework, parts, forward, head=""):
    lines = [*(f"    {part}" for part in parts), f"    forward: {forward}"]
    return "\n".join([f"framework: {framework}", "input: [4]", "layers:", "  m:", *lines, head])


@pytest.mark.parametrize(
    ("framework", "layer", "weight", "forward"),
    [
        ("pytorch", "LazyLinear(8)", lambda n: (8, n), "c(cat([a(x), relu(b(x))], dim=1))"),
        ("mxnet", "Dense(8)", lambda n: (8, n), "c(concatenate([a(x), relu(b(x))], axis=1))"),
        ("keras", "Dense(8)", lambda n: (n, 8), "c(concatenate([a(x), relu(b(x))], axis=1))"),
    ],
)
def test_every_framework_takes_the_sizes_of_parts_from_the_forward(
    framework, layer, weight, forward
):
    text = definition(framework, [f"a: {layer}", f"b: {layer}", f"c: {layer}"], forward)
    tree = load_definition(text.encode(), "x.yaml")
    shapes = [p.shape for p in tree.entries.values() if len(p.shape) == 2]
    assert shapes == [weight(4), weight(4), weight(16)]


def test_a_module_of_several_inputs_gets_what_each_call_gives_it():
    text = """
framework: keras
input: [5, 4]
define:
  Cross(d):
    look: MultiHeadAttention(2, 3)
    out: Dense(d)
    forward(x, memory): out(look(x, memory))
layers:
  memory: Dense(6)
  cross: Cross(7)
  forward: cross(x, memory(x))
"""
    tree = load_definition(text.encode(), "x.yaml")
    kernels = {name: p.shape for name, p in tree.entries.items() if name.endswith("kernel")}
    assert kernels["cross/look/query/kernel"] == (4, 2, 3)
    assert kernels["cross/look/value/kernel"] == (6, 2, 3)
    assert kernels["cross/out/kernel"] == (4, 7)


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        ("a(x) + b(x)", r"m: shapes \[3\] and \[5\] do not fit in `a\(x\) \+ b\(x\)` @ .*line 7"),
        (
            "b(a(mean(x, 1)))",
            r"m.a: Dense needs .*: the forward of its module does not determine it @",
        ),
        ("a(x)", r"m.b: Dense needs .*: the forward of its module does not call it @ .*line 6"),
        ("a(b(x), x)", r"m: Dense\(3\) takes one input, got 2 in `a\(b\(x\), x\)` @"),
        ("a(c(x))", r"m: unknown function 'c'.* in `a\(c\(x\)\)` @"),
    ],
)
def test_a_forward_that_cannot_be_says_what_and_where(forward, message):
    text = definition("keras", ["a: Dense(3)", "b: Dense(5)"], forward)
    with pytest.raises(DefinitionError, match=message) as caught:
        load_definition(text.encode(), "x.yaml")
    assert str(caught.value).count("@") == 1
