"""Our own frameworks, and one of another package, pass what any framework must."""

import pytest
from flax_like import FRAMEWORK, MODELLING

from paraminspect.frameworks import _finding, defined
from paraminspect.testing import FRAMEWORK_CHECKS, Example, check_framework

EXAMPLES = {
    "pytorch": Example(
        "framework: pytorch\ninput: [3, 8, 8]\nlayers:\n- Conv2d(3, 4, 3, padding=1)\n"
        "- BatchNorm2d(4)\n- GELU()\n- Flatten()\n- Linear(256, 2)\n",
        (2, 3, 8, 8),
    ),
    "keras": Example(
        "framework: keras\ninput: [6, 4]\nlayers:\n- LSTM(5, return_sequences=True)\n"
        "- LayerNormalization()\n- GlobalAveragePooling1D()\n- Dense(3, activation='tanh')\n",
        (2, 6, 4),
    ),
    "mxnet": Example(
        "framework: mxnet\ninput: [4]\nlayers:\n- Dense(8, activation='tanh')\n- LayerNorm()\n"
        "- Dense(3, use_bias=False)\n",
        (2, 4),
    ),
}


def test_every_framework_with_layers_is_checked():
    assert set(EXAMPLES) == set(defined())


@pytest.mark.parametrize("framework", EXAMPLES)
@pytest.mark.parametrize("check", FRAMEWORK_CHECKS, ids=lambda check: check.__name__)
def test_a_framework_does_what_every_framework_does(check, framework):
    check(EXAMPLES[framework])


FLAX = Example("framework: flax\ninput: [4]\nlayers:\n- Dense(3)\n- Dense(2, False)\n", (2, 4))


@pytest.fixture
def flax(monkeypatch):
    """The framework of another package, without the package."""
    points = [type("Point", (), {"name": "flax", "load": lambda self: FRAMEWORK})()]
    monkeypatch.setattr(_finding, "_installed", lambda: points)


def test_a_first_layer_passes_all_checks(flax):
    check_framework(FLAX)


def test_a_computation_that_is_wrong_is_found(flax, monkeypatch):
    computation = FRAMEWORK.computation()
    monkeypatch.setitem(
        computation.layers, "Dense", lambda part, x: (x - x.mean(0)) @ part.p["kernel"]
    )
    with pytest.raises(AssertionError):
        check_framework(FLAX)


def test_a_draw_that_is_forgotten_is_found(flax, monkeypatch):
    monkeypatch.setitem(vars(MODELLING), "construct", lambda construction: [])
    with pytest.raises(AssertionError):
        check_framework(FLAX)
