"""Shapes through a forward are those that computing it gives."""

import numpy as np
import pytest

from paraminspect.compute._language import FUNCTIONS
from paraminspect.definition import load_definition
from paraminspect.errors import DefinitionError, ExpressionError
from paraminspect.frameworks._tracing import ELEMENT_BY_ELEMENT, RULES, Traced

BATCH = 7
ARGUMENTS = {"clip": (0.5, 2.0), "masked_fill": (np.zeros((BATCH, 3, 4), bool), 1.0)}


def shape_of(traced):
    return None if traced.shape is None else (BATCH, *traced.shape)


def test_every_tensor_function_has_a_rule():
    assert RULES.keys() == FUNCTIONS.keys()


@pytest.mark.parametrize("name", ELEMENT_BY_ELEMENT)
def test_functions_of_one_tensor_keep_its_shape(name):
    computed = FUNCTIONS[name](np.full((BATCH, 3, 4), 0.5), *ARGUMENTS.get(name, ()))
    assert shape_of(RULES[name](Traced((3, 4)), *ARGUMENTS.get(name, ()))) == computed.shape


@pytest.mark.parametrize(
    ("one", "other"), [((3, 4), (3, 4)), ((3, 4), (1, 4)), ((3, 1), (1, 4)), ((1, 3, 4), (2, 1, 1))]
)
def test_values_computed_together_have_the_shape_of_both(one, other):
    left, right = np.ones((BATCH, *one)), np.ones((BATCH, *other))
    assert shape_of(Traced(one) + Traced(other)) == (left + right).shape
    assert shape_of(2 * Traced(one) - 1) == left.shape
    assert shape_of(RULES["maximum"](Traced(one), Traced(other))) == np.maximum(left, right).shape


@pytest.mark.parametrize(("dim", "other"), [(1, (5, 4)), (2, (3, 9)), (-1, (3, 9)), (-2, (5, 4))])
def test_tensors_are_joined_along_an_axis_that_counts_the_batch(dim, other):
    joined = FUNCTIONS["cat"]([np.ones((BATCH, 3, 4)), np.ones((BATCH, *other))], dim=dim)
    assert shape_of(RULES["cat"]([Traced((3, 4)), Traced(other)], dim=dim)) == joined.shape


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ExpressionError, match=r"shapes \[3, 4\] and \[3, 5\] do not fit"):
        Traced((3, 4)) * Traced((3, 5))
    with pytest.raises(ExpressionError, match=r"\[3, 4\] and \[4, 4\] differ beside axis 2"):
        RULES["cat"]([Traced((3, 4)), Traced((4, 4))], dim=2)


def definition(framework, parts, forward, head=""):
    lines = [*(f"    {part}" for part in parts), f"    forward: {forward}"]
    return "\n".join([f"framework: {framework}", "input: [4]", "layers:", "  m:", *lines, head])


@pytest.mark.parametrize(
    ("framework", "layer", "weight"),
    [
        ("pytorch", "LazyLinear(8)", lambda n: (8, n)),
        ("mxnet", "Dense(8)", lambda n: (8, n)),
        ("keras", "Dense(8)", lambda n: (n, 8)),
    ],
)
def test_every_framework_takes_the_sizes_of_parts_from_the_forward(framework, layer, weight):
    text = definition(
        framework,
        [f"a: {layer}", f"b: {layer}", f"c: {layer}"],
        "c(cat([a(x), relu(b(x))], dim=1))",
    )
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
        ("b(a(mean(x, 1)))", r"m.a: Dense needs .*: the forward of its module does not tell it @"),
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
