"""Installed Keras agrees: arguments, layers at random, whole models at random."""

from pathlib import Path

import asking
import pytest
from keras_calls import CALLS, differences, random_calls, signature_differences
from keras_models import APPLICATIONS, HOLDERS, PAIRS, REFERENCE, random_pair, text_of

from paraminspect.definition import load_definition

pytestmark = pytest.mark.parity

ROOT = Path(__file__).parents[2]
SEED = 20261124


@pytest.fixture(scope="module")
def ask(framework_python):
    """`ask("layers", calls)`: what the installed Keras answers."""
    python = framework_python("keras")

    oracle = ROOT / "tests/data/keras/oracle.py"
    return lambda what, questions=None: asking.ask(python, oracle, what, questions=questions)


def test_every_layer_has_the_arguments_of_the_installed_keras(ask):
    assert list(signature_differences(ask("signatures"))) == []


def test_layers_weigh_and_give_what_the_installed_keras_says(ask):
    calls = [*CALLS, *random_calls(SEED, 12)]
    answers = ask("layers", calls)
    assert sum("weights" in answer for answer in answers) > len(calls) / 2
    found = [
        difference
        for (call, shape), answer in zip(calls, answers, strict=True)
        for difference in differences(call, shape, answer)
    ]
    assert found == []


def test_models_list_what_the_installed_keras_lists_for_the_same_code(ask):
    models = {**REFERENCE, **APPLICATIONS}
    pairs = [*PAIRS.values(), *HOLDERS.values(), *models.items()]
    pairs += [random_pair(SEED + i) for i in range(60)]
    answers = ask("models", [source for _, source in pairs])
    for (definition, _), expected in zip(pairs, answers, strict=True):
        tree = load_definition(text_of(definition).encode(), "x.yaml")
        listed = [[p.name, list(p.shape), p.dtype.name, p.trainable] for p in tree.entries.values()]
        assert listed == expected, definition
